import type { Io } from './io.ts';
import type { Cells, Limits } from './pacing.ts';
import { PERMIT_MS } from './policy/admission.ts';
import { anyLimit, EMPTY_LIMITS, hasLimits, type LimitState, mergedStates } from './policy/limit-state.ts';
import { renewed } from './policy/limits.ts';

export interface LimitCellOptions {
  readonly key: string;
  readonly configured: Limits | undefined;
  readonly cells: Cells;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** Something was freed or learned: others may go now. */
  readonly onRoom: () => void;
}

/** Where the limits of one credential at one target are kept. */
export interface LimitCell {
  /** Nothing is known to limit it. */
  isFree(): boolean;
  view(): LimitState;
  /** The same, and sure of what is in flight also while nothing limits it. */
  report(): LimitState;
  /** What this process alone notes while nothing limits it. */
  own(): LimitState;
  setOwn(state: LimitState): void;
  /** Applies to the shared value; `apply` may be called more than once. */
  change<Result>(apply: (state: LimitState) => readonly [LimitState, Result]): Result | Promise<Result>;
  /** The same, for what must not fail anybody: a permit that could not be freed ends by itself. */
  note(apply: (state: LimitState) => LimitState): void;
  /** Renews this permit until it is let go. */
  hold(id: string): void;
  letGo(id: string): void;
}

const RENEW_MS = PERMIT_MS / 3;

/**
 * As long as nothing is known to limit a credential, its uses are noted in this process alone and cost no round trip;
 * they join the shared value with the first limit.
 */
export function createLimitCell({ key, configured, cells, io, onRoom }: LimitCellOptions): LimitCell {
  const isConfigured = anyLimit(configured);
  let own: LimitState = EMPTY_LIMITS;
  const held = new Set<string>();
  let stopRenewing: (() => void) | undefined;

  const shared = () => cells.peek<LimitState>(key);
  const isFree = () => !isConfigured && !hasLimits(shared() ?? EMPTY_LIMITS, io.now());
  /** What is noted here alone does not expire: whoever made the calls is this process. */
  const living = () => (own === EMPTY_LIMITS ? own : renewed(own, new Set(own.permits.map(({ id }) => id)), io.now()));

  const report = () => (own === EMPTY_LIMITS ? (shared() ?? own) : mergedStates(shared(), living(), io.now()));

  function change<Result>(apply: (state: LimitState) => readonly [LimitState, Result]): Result | Promise<Result> {
    const carried = living();
    own = EMPTY_LIMITS;
    for (const { id } of carried.permits) hold(id);
    const done = cells.update<LimitState, Result>(key, (value) => {
      const all = carried === EMPTY_LIMITS ? (value ?? EMPTY_LIMITS) : mergedStates(value, carried, io.now());
      const [next, result] = apply(all);
      return { value: next, result };
    });
    if (!(done instanceof Promise) || carried === EMPTY_LIMITS) return done;
    return done.catch((error: unknown) => {
      own = mergedStates(own, carried, io.now());
      throw error;
    });
  }

  function note(apply: (state: LimitState) => LimitState): void {
    const done = change((state) => [apply(state), undefined]);
    if (done instanceof Promise) done.then(onRoom, () => {});
    else onRoom();
  }

  function hold(id: string): void {
    held.add(id);
    stopRenewing ??= io.timer(io.now() + RENEW_MS, renew);
  }

  function renew(): void {
    stopRenewing = undefined;
    if (held.size === 0) return;
    stopRenewing = io.timer(io.now() + RENEW_MS, renew);
    const ids = new Set(held);
    note((state) => renewed(state, ids, io.now()));
  }

  return {
    isFree,
    // While nothing limits, nobody asks how long a call has been in flight, and with many of them renewing takes its time.
    view: () => (isFree() ? mergedStates(shared(), own, io.now()) : report()),
    report,
    own: () => own,
    setOwn(state) {
      own = state;
    },
    ...{ change, note, hold },
    letGo(id) {
      held.delete(id);
      if (held.size > 0) return;
      stopRenewing?.();
      stopRenewing = undefined;
    },
  };
}
