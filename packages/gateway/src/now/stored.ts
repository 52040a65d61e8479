import type { Io } from '@onetake/core';
import type { Keys, ManagedKey } from '../keys/key.ts';
import { type BoundedWindow, windowsOf } from '../keys/windows.ts';
import type { FailureGroup, WindowUse } from '../store/ledger.ts';
import type { QueueState, Store } from '../store/store.ts';
import { type Kept, keepAnswer } from './kept.ts';

/** One window of a key's budget, in the unit of the window. */
export interface BudgetUse {
  readonly key: string;
  readonly window: BoundedWindow;
  readonly use: Pick<WindowUse, 'spent' | 'held'>;
}

/** What only the store knows, each asked seldom and for all who want to know: the page's listeners and `/metrics`. */
export interface Stored {
  /** Of this day of UTC, all nodes together: millionths of a dollar, and attempts of unknown price. */
  readonly today: Kept<{ readonly microUsd: number; readonly unpriced: number }>;
  /** At most 100, of keys that can be used: where there are more, the fullest of the first 1,000 keys. */
  readonly budgets: Kept<readonly BudgetUse[]>;
  /** The newest 5 of the last day. */
  readonly failures: Kept<readonly FailureGroup[]>;
  /** Outcomes that nobody knows and nobody settled; at most 1,000 are counted, here and in those below. */
  readonly unknownOutcomes: Kept<number>;
  readonly undelivered: Kept<number>;
  readonly webhooks: Kept<{ readonly waiting: number; readonly givenUp: number }>;
  readonly queues: Kept<readonly QueueState[]>;
  readonly storedBytes: Kept<number>;
  /** Whether the store answered what it was asked last. */
  isUp(): boolean;
}

export interface StoredOptions {
  readonly store: Pick<
    Store,
    'costs' | 'uses' | 'failures' | 'list' | 'undelivered' | 'listWebhooks' | 'queues' | 'storedBytes'
  >;
  readonly keys: Pick<Keys, 'list'>;
  readonly io: Pick<Io, 'now'>;
  /** How long a result that reached nobody waits for its caller. */
  readonly attachWindowMs: number;
}

const FRESH_MS = 2_000;
const SELDOM_MS = 5_000;
/** An answer counts as arrived some seconds after it was written; until then nobody knows, and it is not missed. */
const CONFIRMED_MS = 10_000;
/** Reads a row per picture. */
const RARELY_MS = 60_000;
const DAY_MS = 86_400_000;
const MOST_BUDGETS = 100;
const MOST_KEYS = 1_000;
const MOST_FAILURES = 5;
const MOST_COUNTED = 1_000;

export function createStored({ store, keys, io, attachWindowMs }: StoredOptions): Stored {
  let isUp = true;
  const kept = <Value>(forMs: number, ask: (now: number) => Promise<Value>) =>
    keepAnswer(io, forMs, async () => {
      try {
        const answer = await ask(io.now());
        isUp = true;
        return answer;
      } catch (error) {
        isUp = false;
        throw error;
      }
    });
  const countWebhooks = async (state: 'waiting' | 'given-up') =>
    (await store.listWebhooks({ state, limit: MOST_COUNTED })).length;
  return {
    today: kept(FRESH_MS, async (now) => {
      const [sum] = await store.costs({ by: [], since: now - (now % DAY_MS), until: now + 1, limit: 1 });
      return { microUsd: sum?.spentMicroUsd ?? 0, unpriced: sum?.unpriced ?? 0 };
    }),
    budgets: kept(SELDOM_MS, (now) => budgetsOf(keys.list(), store, now)),
    failures: kept(FRESH_MS, (now) => store.failures({ since: now - DAY_MS, until: now + 1, limit: MOST_FAILURES })),
    unknownOutcomes: kept(SELDOM_MS, async () => (await store.list({ unknown: true, limit: MOST_COUNTED })).length),
    undelivered: kept(SELDOM_MS, async (now) => {
      const rows = await store.undelivered(now - attachWindowMs, MOST_COUNTED);
      return rows.filter(({ finishedAt }) => finishedAt !== undefined && finishedAt <= now - CONFIRMED_MS).length;
    }),
    webhooks: kept(SELDOM_MS, async () => ({
      waiting: await countWebhooks('waiting'),
      givenUp: await countWebhooks('given-up'),
    })),
    queues: kept(FRESH_MS, () => store.queues()),
    storedBytes: kept(RARELY_MS, () => store.storedBytes()),
    isUp: () => isUp,
  };
}

async function budgetsOf(
  keys: readonly ManagedKey[],
  store: Pick<Store, 'uses'>,
  now: number,
): Promise<readonly BudgetUse[]> {
  const usable = keys.filter(
    ({ revokedAt, expiresAt }) => revokedAt === undefined && (expiresAt === undefined || expiresAt > now),
  );
  const bounded = usable
    .map(({ name, ...key }) => ({ name, windows: windowsOf(key, now) }))
    .filter(({ windows }) => windows.length > 0)
    .slice(0, MOST_KEYS);
  const found: BudgetUse[] = [];
  for (const { name: key, windows } of bounded) {
    const uses = await store.uses(key, windows);
    for (const window of windows) {
      const { spent = 0, held = 0 } = uses.find(({ name }) => name === window.name) ?? {};
      found.push({ key, window, use: { spent, held } });
    }
  }
  if (found.length <= MOST_BUDGETS) return found;
  return found.toSorted((one, other) => shareOf(other) - shareOf(one)).slice(0, MOST_BUDGETS);
}

/** Of what may spend nothing at all there is nothing to be told. */
function shareOf({ window: { most }, use: { spent, held } }: BudgetUse): number {
  return most > 0 ? (spent + held) / most : 0;
}
