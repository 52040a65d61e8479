import type { Catalogue } from '@onetake/core';
import type { Logger } from 'pino';
import type { TelemetryConfig } from '../config/telemetry.ts';
import type { Signals } from '../signals/signals.ts';
import { measuredOf, type RegistryMetric } from './measured.ts';
import { spansOf } from './spans.ts';

export interface TelemetryParts {
  readonly signals: Pick<Signals, 'on'>;
  readonly log: Pick<Logger, 'warn'>;
  readonly now: () => number;
  readonly catalogue: Pick<Catalogue, 'connections'>;
  /** What is counted; without it no metrics are sent. */
  readonly registry?: { getMetricsAsJSON(): Promise<readonly RegistryMetric[]> };
}

/** For the last spans and numbers to go out when the gateway ends. */
const LAST_EXPORT_MS = 3_000;

/**
 * Sends what happens to a collector, by OTLP over HTTP; does nothing, and loads nothing, where none is configured. A
 * generation is exported by the process in which it ends. `opened` gets what ends it, and is to be called after what
 * still ends generations.
 */
export async function openTelemetry(
  config: TelemetryConfig | undefined,
  parts: TelemetryParts,
  opened: (() => Promise<unknown>)[],
): Promise<void> {
  if (config === undefined) return;
  const { signals, now, catalogue, registry } = parts;
  const { openExporting } = await import('./exporting.ts');
  const sinceMs = now();
  const exporting = openExporting({
    ...{ config, onExport: tellChanges(config, parts.log) },
    ...(registry && {
      measure: async () => measuredOf(await registry.getMetricsAsJSON(), { sinceMs, atMs: now() }),
    }),
  });
  const connection = (provider: string) => catalogue.connections.find(({ id }) => id === provider);
  const stop = signals.on((signal) => {
    if (signal.type !== 'ended' || !config.traces) return;
    exporting.write(spansOf(signal.live, signal.summary, { prompts: config.prompts, connection }));
  });
  opened.push(async () => {
    stop();
    await within(LAST_EXPORT_MS, exporting.close());
  });
}

/** One line when it begins to fail, and one when it is over. */
function tellChanges({ endpoint }: TelemetryConfig, log: TelemetryParts['log']) {
  const failing = new Set<string>();
  return (what: 'traces' | 'metrics', error: Error | undefined) => {
    if (error === undefined && failing.delete(what))
      log.warn({ collector: endpoint }, `the collector takes ${what} again`);
    if (error === undefined || failing.has(what)) return;
    failing.add(what);
    log.warn({ collector: endpoint, err: error }, `the collector does not take ${what}; what does not fit is dropped`);
  };
}

function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  work.then(resolve, resolve);
  return promise.finally(() => clearTimeout(timer));
}
