import type { Failure, Io, RunEnvironment, Spend } from '@onetake/core';
import type { Keys, ManagedKey } from '../keys/key.ts';
import { type BoundedWindow, windowsOf } from '../keys/windows.ts';
import { isAway } from '../store/errors.ts';
import type { Hold, HoldAnswer, Ledger, WindowUse } from '../store/ledger.ts';
import { beyondBudget, unasked, unpriced } from './refusal.ts';

export interface MoneyOptions {
  readonly store: Pick<Ledger, 'hold' | 'uses'>;
  readonly keys: Pick<Keys, 'named'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** A budget could not be looked up, so nothing was spent. */
  readonly onError: (error: unknown) => void;
}

/** Keeps callers to their budgets. */
export interface Money {
  /**
   * What the runs of a generation ask before each attempt; undefined where its caller has no budget. One that nobody
   * can look up is a refusal too, `unavailable`.
   */
  affordFor(generation: { readonly id: string; readonly caller: string }): RunEnvironment['afford'];
}

/** A database that fails over is back by then; a caller who is waiting is told within this time if not. */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 250;
const COME_BACK_MS = 5_000;

export function createMoney(options: MoneyOptions): Money {
  const { keys } = options;
  const usesOf = createUses(options);
  return {
    affordFor({ id, caller }) {
      const key = keys.named(caller);
      if (key?.budget === undefined && key?.images === undefined) return undefined;
      /** By run, what its attempts of known prices hold. */
      const held = new Map<string, number>();
      return async (spend) => {
        const isUnknown = spend.microUsd === undefined;
        if (isUnknown && key.budget && !key.allowUnknownPrice) return unpriced(spend, key);
        const microUsd = spend.microUsd ?? held.get(spend.runId) ?? 0;
        const isHeld = held.has(spend.runId);
        const failure = await reserve({ key, id, spend, microUsd, isHeld }, usesOf, options);
        if (failure === undefined) held.set(spend.runId, microUsd);
        return failure;
      };
    },
  };
}

interface Reservation {
  readonly key: ManagedKey;
  readonly id: string;
  readonly spend: Spend;
  readonly microUsd: number;
  /** It asked before, and may hold something. */
  readonly isHeld: boolean;
}

async function reserve(
  { key, id, spend, microUsd, isHeld }: Reservation,
  usesOf: UsesOf,
  { store, io, onError }: MoneyOptions,
): Promise<Failure | undefined> {
  const at = io.now();
  const bounds = windowsOf(key, at);
  const { images } = spend;
  // Chat takes no pictures, and a server of one's own no money.
  if (!isHeld && bounds.every(({ unit }) => (unit === 'images' ? images : microUsd) === 0)) return undefined;
  const hold: Hold = { generation: id, run: runOf(spend.runId), caller: key.name, at, microUsd, images, bounds };
  let answer: HoldAnswer;
  try {
    answer = await patiently(() => store.hold(hold), io);
  } catch (error) {
    onError(error);
    return unasked(key, io.now() + COME_BACK_MS);
  }
  if (answer.kind === 'held') return undefined;
  const { window, left } = answer;
  const bound = bounds.find(({ name }) => name === window);
  if (bound === undefined) throw new Error(`the store refused "${window}", which is no window of key "${key.name}"`);
  const wanted = bound.unit === 'micro_usd' ? microUsd : images;
  return beyondBudget(spend, { key, bound, wanted, left, use: await usesOf(key.name, bound) });
}

function runOf(runId: string): number {
  return Number(runId.slice(runId.lastIndexOf('.') + 1));
}

/** The same hold changes nothing when it is repeated, so it does not matter which answer was lost. */
async function patiently<Answer>(ask: () => Promise<Answer>, io: Pick<Io, 'now' | 'timer'>): Promise<Answer> {
  const until = io.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isAway(error) || io.now() >= until) throw error;
    }
    await new Promise<void>((resolve) => io.timer(io.now() + PAUSE_MS, resolve));
  }
}

type UsesOf = (caller: string, bound: BoundedWindow) => Promise<WindowUse | undefined>;

/** Many are refused at once, and are told the same: one look serves all that ask while it is under way. */
function createUses({ store }: MoneyOptions): UsesOf {
  const asking = new Map<string, Promise<WindowUse | undefined>>();
  return (caller, bound) => {
    const name = `${caller} ${bound.name}`;
    const known = asking.get(name);
    if (known) return known;
    const look = store
      .uses(caller, [bound])
      .then(([use]) => use)
      // A refusal is told without it too.
      .catch(() => undefined)
      .finally(() => asking.delete(name));
    asking.set(name, look);
    return look;
  };
}
