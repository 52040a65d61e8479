import type { Io } from '@onetake/core';
import type { Config } from '../config.ts';
import { createRecent, type Recent } from '../now/recent.ts';
import { createStored, type Stored, type StoredOptions } from '../now/stored.ts';
import type { Signals } from '../signals/signals.ts';
import { VERSION } from '../version.ts';
import { createMetrics, type Metrics } from './metrics.ts';

export interface CountingOptions extends Pick<StoredOptions, 'store' | 'keys'> {
  readonly config: Pick<Config, 'routes' | 'limits' | 'attachWindowMs'>;
  readonly signals: Pick<Signals, 'on'>;
  readonly io: Pick<Io, 'now'>;
}

/** What is counted and looked at of a gateway. */
export interface Counting {
  readonly recent: Recent;
  readonly metrics: Metrics;
  readonly stored: Stored;
}

/** Counts what happens from here on: before anything runs, so that what is taken up again is counted too. */
export function openCounting({ config, signals, io, store, keys }: CountingOptions): Counting {
  const recent = createRecent(io.now());
  const targets = [...Object.values(config.routes).flatMap(({ targets: each }) => each), ...Object.keys(config.limits)];
  const metrics = createMetrics({ version: VERSION, targets: [...new Set(targets)] });
  signals.on(recent.listen);
  signals.on(metrics.listen);
  const stored = createStored({ store, keys, io, attachWindowMs: config.attachWindowMs });
  return { recent, metrics, stored };
}
