import type { Repeats } from './environment.ts';
import type { Io } from './io.ts';
import {
  attemptBegan,
  attemptEnded,
  drawRepeat,
  fullBudget,
  RETRY_BUDGET_POLICY,
  type RetryBudget,
  type RetryBudgetPolicy,
} from './policy/retry-budget.ts';

/** One target's budget, and what the repeat drew that is about to begin. */
interface Entry {
  budget: RetryBudget;
  drawn?: number;
}

/** Targets remembered at most. */
const MAX_TARGETS = 1_000;

/**
 * Keeps the repeats at every target within their budget. One per client or gateway; runs share it. Beyond 1,000 targets
 * the longest unused one is forgotten, one with calls in flight only where all have some; a forgotten target starts with
 * a full budget.
 */
export function createRepeats(io: Pick<Io, 'now'>, policy: RetryBudgetPolicy = RETRY_BUDGET_POLICY): Repeats {
  const entries = new Map<string, Entry>();

  function entryOf(target: string): Entry {
    const entry = entries.get(target) ?? { budget: fullBudget(io.now(), policy) };
    entries.delete(target);
    entries.set(target, entry);
    if (entries.size > MAX_TARGETS) forgetOne(target);
    return entry;
  }

  function forgetOne(kept: string): void {
    const others = [...entries].filter(([target]) => target !== kept);
    const [forgotten] = others.find(([, { budget }]) => budget.open === 0) ?? others[0] ?? [];
    if (forgotten !== undefined) entries.delete(forgotten);
  }

  return {
    allow(target, after) {
      const entry = entryOf(target);
      const draw = drawRepeat(entry.budget, after, io.now(), policy);
      if (!draw.allowed) return false;
      entry.budget = draw.budget;
      entry.drawn = draw.cost;
      return true;
    },
    began(target, isRepeat) {
      const entry = entryOf(target);
      // A second picture for a doubted one follows no failure, and drew nothing.
      const drawn = isRepeat ? (entry.drawn ?? 0) : undefined;
      delete entry.drawn;
      entry.budget = attemptBegan(entry.budget, isRepeat);
      return (outcome) => {
        entry.budget = attemptEnded(entry.budget, drawn, outcome.ok, io.now(), policy);
      };
    },
  };
}
