import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { RunEnvironment, TraceContext } from '@onetake/core';
import type { Config } from '../config.ts';

/** Where a generation stands: in its caller's trace, or in one of its own. */
export interface TracePlace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** The caller's span; absent where the generation is the root. */
  readonly parentSpanId?: string;
  /** False where the caller does not want the trace kept. */
  readonly isSampled: boolean;
  readonly traceState?: string;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NOTHING = /^0+$/;
const SAMPLED = 1;
/** More than the 512 characters that must be passed on at least are not. */
const MAX_STATE_CHARS = 512;
const MAX_STATE_MEMBERS = 32;

/**
 * The trace that a request says it belongs to; undefined where it says nothing, or nothing that W3C Trace Context
 * allows: then the request is read as if it had not been said. https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function readTraceContext({ traceparent, tracestate }: IncomingHttpHeaders): TraceContext | undefined {
  const [, version = 'ff', traceId = '', spanId = '', flags = '', rest] = TRACEPARENT.exec(String(traceparent)) ?? [];
  // A later version may say more behind what this one says.
  const isKnown = version !== 'ff' && (version !== '00' || rest === undefined);
  if (!isKnown || NOTHING.test(traceId) || NOTHING.test(spanId)) return undefined;
  const state = readState(tracestate);
  return {
    traceparent: traceparentOf(traceId, spanId, (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED),
    ...(state !== undefined && { tracestate: state }),
  };
}

/** Opaque to us: passed on as it is or not at all. */
function readState(given: string | string[] | undefined): string | undefined {
  const state = (Array.isArray(given) ? given.join(',') : (given ?? '')).trim();
  const isFit = state !== '' && state.length <= MAX_STATE_CHARS && /^[\x20-\x7e]+$/.test(state);
  return isFit && state.split(',').length <= MAX_STATE_MEMBERS ? state : undefined;
}

function traceparentOf(traceId: string, spanId: string, isSampled: boolean): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** Every process that looks at a generation finds the same: nothing is drawn. */
export function tracePlace(generation: string, context: TraceContext | undefined): TracePlace {
  if (context === undefined) return { traceId: digest(`trace of ${generation}`, TRACE_BYTES), isSampled: true };
  const [, traceId = '', parentSpanId = '', flags] = context.traceparent.split('-');
  const { tracestate } = context;
  return {
    traceId,
    parentSpanId,
    isSampled: flags === '01',
    ...(tracestate !== undefined && { traceState: tracestate }),
  };
}

export function generationSpanId(generation: string): string {
  return digest(`generation ${generation}`, SPAN_BYTES);
}

/** `run` counts from 0, `attempt` from 1. */
export function attemptSpanId(generation: string, run: number, attempt: number): string {
  return digest(`attempt ${attempt} of ${generation}.${run}`, SPAN_BYTES);
}

/** For what is asked for the sake of a generation: that one's span is its parent. */
export function traceBelow(generation: string, context: TraceContext | undefined): TraceContext {
  const { traceId, isSampled, traceState } = tracePlace(generation, context);
  return {
    traceparent: traceparentOf(traceId, generationSpanId(generation), isSampled),
    ...(traceState !== undefined && { tracestate: traceState }),
  };
}

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;

function digest(text: string, bytes: number): string {
  return createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, bytes * 2);
}

/** What a provider's own call carries: the span of its attempt as the parent of whatever the provider does. */
export const traceHeaders: NonNullable<RunEnvironment['traceHeaders']> = (runId, attempt, { trace }) => {
  const dot = runId.lastIndexOf('.');
  const generation = runId.slice(0, dot);
  const { traceId, isSampled, traceState } = tracePlace(generation, trace);
  const spanId = attemptSpanId(generation, Number(runId.slice(dot + 1)), attempt);
  return {
    traceparent: traceparentOf(traceId, spanId, isSampled),
    ...(traceState !== undefined && { tracestate: traceState }),
  };
};

/** Nothing where there is no collector: then the span that a provider would be told is never written. */
export function traceHeadersFor({ telemetry }: Pick<Config, 'telemetry'>): Pick<RunEnvironment, 'traceHeaders'> {
  return telemetry?.traces && telemetry.propagate ? { traceHeaders } : {};
}
