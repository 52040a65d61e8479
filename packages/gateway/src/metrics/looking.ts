import type { HealthBook, LimitReport } from '@onetake/core';
import { limitUses } from '../now/limit-uses.ts';
import type { Stored } from '../now/stored.ts';
import { standingOf } from '../now/waiting.ts';
import type { QueueState } from '../store/store.ts';
import type { AnyLive } from '../tasks/running.ts';
import { makesOf } from './counting.ts';
import { createLabelBound, type LabelBound } from './label-bound.ts';
import type { StandingMetrics } from './standing.ts';

/** What a look takes in. */
export interface Looked {
  readonly targets: ReturnType<HealthBook['report']>;
  readonly drained: readonly string[];
  readonly limits: readonly LimitReport[];
  readonly lives: readonly AnyLive[];
  readonly stored: Stored;
}

const STATES = ['closed', 'half_open', 'open'] as const;
/** Windows differ by provider, and one may tell any. */
const MAX_WINDOWS = 20;

/** Looks at everything and sets what is shown; a store that fails leaves what it tells as it was. */
export function createLook(shown: StandingMetrics, target: LabelBound): (looked: Looked) => Promise<void> {
  const window = createLabelBound(MAX_WINDOWS);
  return async (looked) => {
    showTargets(looked, shown, target);
    showLimits(looked.limits, shown, { target, window });
    await Promise.allSettled([
      looked.stored.queues().then((queues) => showQueues(looked.lives, queues, shown, target)),
      showMoney(looked.stored, shown),
      looked.stored.unknownOutcomes().then((count) => shown.unknownOutcomes.set(count)),
      looked.stored.undelivered().then((count) => shown.undelivered.set(count)),
      looked.stored.webhooks().then(({ waiting, givenUp }) => {
        shown.webhooks.set({ state: 'waiting' }, waiting);
        shown.webhooks.set({ state: 'given_up' }, givenUp);
      }),
      looked.stored.storedBytes().then((bytes) => shown.storedBytes.set(bytes)),
    ]);
    shown.storeUp.set(looked.stored.isUp() ? 1 : 0);
  };
}

/** A target with several keys stands where the best of them does: with one open key left it takes calls. */
function showTargets({ targets, drained }: Looked, shown: StandingMetrics, bounded: LabelBound): void {
  const best = new Map<string, number>();
  for (const { target, state, credentialState } of targets) {
    const own = Math.max(STATES.indexOf(state), STATES.indexOf(credentialState));
    best.set(target, Math.min(own, best.get(target) ?? own));
  }
  shown.breaker.reset();
  for (const [name, own] of best) {
    const target = bounded(name);
    for (const [index, state] of STATES.entries()) shown.breaker.inc({ target, state }, index === own ? 1 : 0);
  }
  shown.keysRefused.reset();
  for (const { target, credentialState } of targets) {
    shown.keysRefused.inc({ target: bounded(target) }, credentialState === 'closed' ? 0 : 1);
  }
  shown.drained.reset();
  for (const target of drained) shown.drained.inc({ target: bounded(target) });
}

function showLimits(
  reports: readonly LimitReport[],
  shown: StandingMetrics,
  bounds: { readonly target: LabelBound; readonly window: LabelBound },
): void {
  shown.limitAllowed.reset();
  shown.limitUsed.reset();
  for (const { target, dimension, windowMs, count, used } of limitUses(reports)) {
    const window = windowMs === undefined ? 'in_flight' : bounds.window(`${windowMs / 1_000}s`);
    const labels = { target: bounds.target(target), dimension, window };
    shown.limitAllowed.inc(labels, count);
    shown.limitUsed.inc(labels, used);
  }
}

function showQueues(
  lives: readonly AnyLive[],
  queues: readonly QueueState[],
  shown: StandingMetrics,
  bounded: LabelBound,
): void {
  const { running, waiting } = standingOf(lives, queues);
  shown.running.set({ makes: 'pictures' }, 0);
  shown.running.set({ makes: 'chat' }, 0);
  for (const live of running) shown.running.inc({ makes: makesOf(live) });
  shown.waiting.reset();
  for (const [target, count] of waiting) shown.waiting.inc({ target: bounded(target) }, count);
}

async function showMoney({ today, budgets }: Stored, shown: StandingMetrics): Promise<void> {
  const { microUsd, unpriced } = await today();
  shown.spentToday.set(microUsd / 1e6);
  shown.unpricedToday.set(unpriced);
  const uses = await budgets();
  const held = (unit: 'micro_usd' | 'images') =>
    uses.reduce((sum, { window, use }) => sum + (window.unit === unit ? use.held : 0), 0);
  shown.heldUsd.set(held('micro_usd') / 1e6);
  shown.heldImages.set(held('images'));
  shown.budgetUsed.reset();
  for (const { key, window, use } of uses) {
    const unit = window.unit === 'micro_usd' ? 'usd' : 'images';
    shown.budgetUsed.set({ key, unit }, window.most > 0 ? (use.spent + use.held) / window.most : 1);
  }
}
