import type { Catalogue, HealthBook, Io, JsonObject } from '@onetake/core';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Recent } from '../now/recent.ts';
import type { Stored } from '../now/stored.ts';
import type { Signals } from '../signals/signals.ts';
import type { Store } from '../store/store.ts';
import { type Alerts, createAlerts } from './alerts.ts';
import { createFacts } from './facts.ts';
import { createOutlet } from './outlet.ts';
import { evaluate, isUnknown } from './readings.ts';
import { createStreaks } from './streaks.ts';
import { startWatch } from './watch.ts';

export interface AlertParts {
  readonly store: Store;
  readonly health: Pick<HealthBook, 'report'>;
  readonly catalogue: Catalogue;
  readonly worker: { readonly id: string };
  readonly signals: Pick<Signals, 'on'>;
  readonly recent: Pick<Recent, 'window' | 'since'>;
  readonly stored: Pick<Stored, 'budgets' | 'storedBytes'>;
  readonly io: Io;
  readonly log: Logger;
}

/** So few that a chat can be read, so many that nothing waits long. */
const MAX_MESSAGES_PER_MINUTE = 20;

/** Watches this gateway and tells its channels; `opened` gets what ends it. `alertRows` are those that are not ok. */
export function openAlerts(
  { alerts: config, dataDir, retention, publicUrl }: Config,
  { store, worker, signals, io, log, ...sources }: AlertParts,
  opened: (() => Promise<unknown>)[],
): { readonly alerts: Alerts; readonly alertRows: () => Promise<readonly JsonObject[]> } {
  const { rules, channels, everyMs, recoverAfterMs, remindersMs } = config;
  const pageUrl = () => publicUrl && `${publicUrl}/#/alerts`;
  const streaks = createStreaks();
  const stopListening = signals.on(streaks.listen);
  const facts = createFacts({
    ...{ ...sources, store, io, rules, streaks, dataDir, retentionBytes: retention.bytes },
    onError: (err, rule) => log.warn({ err, rule }, 'what an alert is about could not be looked up'),
  });
  const outlet = createOutlet({ channels, io, log });
  const watch = startWatch({
    ...{ cells: store, io, everyMs, outlet, pageUrl },
    node: store.ownership === 'exclusive' ? 'only' : worker.id,
    look: async () => {
      const known = await facts();
      const readings = evaluate(known, rules);
      return { readings, isUnknown: (row) => isUnknown(row, known, readings, rules) };
    },
    policy: { rules, recoverAfterMs, remindersMs, maxMessagesPerMinute: MAX_MESSAGES_PER_MINUTE },
    onError: (err) => log.error({ err }, 'alerts could not be evaluated; they are at the next look'),
  });
  opened.push(async () => {
    stopListening();
    await watch.stop();
    await outlet.stop();
  });
  const alerts = createAlerts({ watch, rules, channels, io, pageUrl });
  return { alerts, alertRows: async () => alerts.current() };
}
