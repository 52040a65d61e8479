/** All that touches OpenTelemetry's packages; imported only where telemetry is configured. */
import { type HrTime, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, type InstrumentationScope, TraceState } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  MeterProvider,
  type MetricData,
  type MetricProducer,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { TelemetryConfig } from '../config/telemetry.ts';
import { VERSION } from '../version.ts';
import type { MeasuredMetric } from './measured.ts';
import type { SpanData } from './span.ts';

/** Where spans and metrics go. */
export interface Exporting {
  /** Never throws and never waits; beyond a bounded queue spans are dropped. */
  readonly write: (spans: readonly SpanData[]) => void;
  /** Sends what is left and ends; never rejects. How long that may take is for the caller to bound. */
  readonly close: () => Promise<void>;
}

export interface ExportingOptions {
  readonly config: TelemetryConfig;
  /** Told of every export: whether the collector took it. */
  readonly onExport: (what: 'traces' | 'metrics', error: Error | undefined) => void;
  /** What is counted now; without it there are no metrics. */
  readonly measure?: () => Promise<readonly MeasuredMetric[]>;
}

const MAX_QUEUED_SPANS = 2_048;
const MAX_BATCH_SPANS = 256;
const BATCH_EVERY_MS = 2_000;
/** For one export with its repeats; also what an export at the end may keep the process for. */
const EXPORT_TIMEOUT_MS = 5_000;
const METRICS_EVERY_MS = 30_000;
const NS_PER_MS = 1_000_000;

export function openExporting(options: ExportingOptions): Exporting {
  const { config, measure } = options;
  const scope = { name: 'onetake', version: VERSION };
  const resource = detectResources({ detectors: [envDetector] }).merge(
    resourceFromAttributes({ 'service.name': config.serviceName, 'service.version': VERSION }),
  );
  const spans = config.traces ? openSpans(options) : undefined;
  const meters = config.metrics && measure ? openMetrics(options, measure, { resource, scope }) : undefined;
  return {
    write(ended) {
      for (const span of ended) spans?.onEnd(readable(span, resource, scope));
    },
    async close() {
      await Promise.allSettled([spans?.shutdown(), meters?.shutdown()]);
    },
  };
}

function connectionOf({ config: { endpoint, headers } }: ExportingOptions, path: 'v1/traces' | 'v1/metrics') {
  return { url: `${endpoint}/${path}`, headers: { ...headers }, timeoutMillis: EXPORT_TIMEOUT_MS };
}

const HEADER_VARIABLES = ['', '_TRACES', '_METRICS'].map((what) => `OTEL_EXPORTER_OTLP${what}_HEADERS`);

/**
 * The packages add what these variables hold, when they are made, to whatever they are told; it may be the key of
 * another collector than the configured one.
 */
function withConfiguredHeaders<Exporter>(make: () => Exporter): Exporter {
  const set = HEADER_VARIABLES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  for (const [name] of set) delete process.env[name];
  try {
    return make();
  } finally {
    Object.assign(process.env, Object.fromEntries(set));
  }
}

function openSpans(options: ExportingOptions): BatchSpanProcessor {
  const exporter = withConfiguredHeaders(() => new OTLPTraceExporter(connectionOf(options, 'v1/traces')));
  const told: SpanExporter = {
    export: (spans, done) => exporter.export(spans, telling(options, 'traces', done)),
    shutdown: () => exporter.shutdown(),
  };
  return new BatchSpanProcessor({
    exporter: told,
    maxQueueSize: MAX_QUEUED_SPANS,
    maxExportBatchSize: MAX_BATCH_SPANS,
    scheduledDelayMillis: BATCH_EVERY_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS * 2,
  });
}

interface Source {
  readonly resource: Resource;
  readonly scope: InstrumentationScope;
}

function openMetrics(
  options: ExportingOptions,
  measure: () => Promise<readonly MeasuredMetric[]>,
  source: Source,
): MeterProvider {
  const exporter = withConfiguredHeaders(() => new OTLPMetricExporter(connectionOf(options, 'v1/metrics')));
  const told: PushMetricExporter = {
    export: (metrics, done) => exporter.export(metrics, telling(options, 'metrics', done)),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
  const reader = new PeriodicExportingMetricReader({
    exporter: told,
    exportIntervalMillis: METRICS_EVERY_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
    metricProducers: [producerOf(measure, source)],
  });
  return new MeterProvider({ resource: source.resource, readers: [reader] });
}

/** A collector that is away is told of by us, once; the packages are told that all is well, so that they say nothing. */
function telling(
  { onExport }: ExportingOptions,
  what: 'traces' | 'metrics',
  done: (result: ExportResult) => void,
): (result: ExportResult) => void {
  return ({ code, error }) => {
    const isTaken = code === ExportResultCode.SUCCESS;
    onExport(what, isTaken ? undefined : (error ?? new Error('it was not taken')));
    done({ code: ExportResultCode.SUCCESS });
  };
}

function readable(span: SpanData, resource: Resource, scope: InstrumentationScope): ReadableSpan {
  const { name, startMs, endMs, attributes, error, parentSpanId } = span;
  const traceState = span.traceState === undefined ? {} : { traceState: new TraceState(span.traceState) };
  const context = (spanId: string): SpanContext => ({
    ...{ traceId: span.traceId, spanId, traceFlags: TraceFlags.SAMPLED, ...traceState },
  });
  return {
    name,
    kind: span.kind === 'server' ? SpanKind.SERVER : SpanKind.CLIENT,
    spanContext: () => context(span.spanId),
    ...(parentSpanId !== undefined && {
      parentSpanContext: { ...context(parentSpanId), isRemote: span.hasRemoteParent === true },
    }),
    startTime: timeOf(startMs),
    endTime: timeOf(endMs),
    duration: timeOf(endMs - startMs),
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes: { ...attributes },
    links: [],
    events: span.events.map((event) => ({
      ...{ name: event.name, time: timeOf(event.atMs), attributes: { ...event.attributes } },
    })),
    ended: true,
    resource,
    instrumentationScope: scope,
    ...{ droppedAttributesCount: 0, droppedEventsCount: span.droppedEvents, droppedLinksCount: 0 },
  };
}

function timeOf(ms: number): HrTime {
  return [Math.floor(ms / 1_000), Math.round((ms % 1_000) * NS_PER_MS)];
}

/** Whatever was counted is exported as it is: the same names and labels as at `GET /metrics`. */
function producerOf(measure: () => Promise<readonly MeasuredMetric[]>, { resource, scope }: Source): MetricProducer {
  return {
    async collect() {
      const metrics = (await measure()).map(metricData);
      return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics }] }, errors: [] };
    },
  };
}

function metricData({ name, help, points, ...metric }: MeasuredMetric): MetricData {
  const descriptor = { name, description: help, unit: '', valueType: 1 };
  const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  const times = { startTime: timeOf(metric.sinceMs), endTime: timeOf(metric.atMs) };
  if (metric.type === 'histogram') {
    const dataPoints = metric.histograms.map(({ labels, buckets, sum, count }) => ({
      ...{ ...times, attributes: { ...labels } },
      value: { buckets: { boundaries: [...buckets.boundaries], counts: [...buckets.counts] }, sum, count },
    }));
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  const dataPoints = points.map(({ labels, value }) => ({ ...times, attributes: { ...labels }, value }));
  if (metric.type === 'gauge') return { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
  return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
}
