import { randomUUID } from 'node:crypto';
import {
  type Catalogue,
  createFairClock,
  createHealthBook,
  createHostLoads,
  createPacer,
  type Io,
  limitsOf,
  openaiTierLimits,
  splitTarget,
  withoutPermits,
} from '@onetake/core';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { limitsInForce } from './http/model-limits.ts';
import { shareHealth } from './store/shared-health.ts';
import { createOwnedCells, createSharedCells } from './store/state-cells.ts';
import type { Store } from './store/store.ts';
import { createTargetOperations } from './targets/operate.ts';
import { createBacklog } from './tasks/backlog.ts';
import { createThroughput } from './tasks/throughput.ts';

export interface PacingOptions {
  readonly config: Config;
  readonly store: Store;
  readonly io: Io;
  readonly catalogue: Catalogue;
  readonly log: Logger;
}

export type Pacing = Awaited<ReturnType<typeof startPacing>>;

/** Who goes when: limits, fair order, and what is known of the queues. */
export async function startPacing(
  { config, store, io, catalogue, log }: PacingOptions,
  onError: (error: unknown) => void,
) {
  const open = store.ownership === 'exclusive' ? createOwnedCells : createSharedCells;
  const cells = await open({ store, prefix: 'limit/', io, onError, revive: withoutPermits });
  const clock = createFairClock();
  const backlog = createBacklog(config.queue);
  const queues = await store.queues();
  clock.restore(queues);
  backlog.reset(queues);
  const limits = (target: string) => limitsOf(target, config.limits, catalogue) ?? tierLimits(target, config);
  const loads = createHostLoads((id) => catalogue.connections.find((one) => one.id === id), io);
  const pacer = createPacer({
    limits,
    load: loads.of,
    cells,
    io,
    maxRunningPerCaller: config.queue.maxRunningPerKey,
    owner: randomUUID(),
  });
  const health = createHealthBook();
  const gates =
    store.ownership === 'shared' ? await createSharedCells({ store, prefix: 'health/', io, onError }) : undefined;
  if (gates) shareHealth(health, gates, onError);
  const hands = await createSharedCells({ store, prefix: 'target/', io, onError });
  const operations = createTargetOperations({ health, catalogue, hands, ...(gates && { gates }) });
  const close = async () => {
    await Promise.all([gates?.close(), hands.close()]);
    await cells.close();
  };
  health.onClosed(({ credential, gate }) => {
    if (gate.by !== 'credential') return;
    log.warn(
      { provider_key: credential, until: gate.until, kind: gate.failure.kind },
      `a provider refuses a key: ${gate.failure.message}`,
    );
  });
  const limitsAt = limitsInForce(pacer.report, limits);
  return { clock, backlog, pacer, health, operations, loads, throughput: createThroughput(), limitsAt, close };
}

function tierLimits(target: string, { openaiTier, providers }: Config) {
  const { provider, model } = splitTarget(target);
  const isOpenai = providers.some(({ id, kind }) => id === provider && kind === 'openai');
  return openaiTier !== undefined && isOpenai ? openaiTierLimits(model, openaiTier) : undefined;
}
