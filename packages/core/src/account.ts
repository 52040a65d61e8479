import type { Io } from './io.ts';
import type { Outcome } from './journal.ts';
import { type JsonObject, numberAt } from './json.ts';
import { createLimitCell, type LimitCell } from './limit-cell.ts';
import type { Cells, Claim, Delay, LimitReport, Limits, Turn } from './pacing.ts';
import { admit, joined } from './policy/admission.ts';
import { type Call, hasLimits, type LimitState, unitsOfClaim } from './policy/limit-state.ts';
import { type LimitReading, readLimits } from './policy/limit-words.ts';
import { type Ending, givenBack, leaving, settled } from './policy/limits.ts';
import { headroom, projected, reported } from './policy/projection.ts';
import type { Units } from './policy/sliding-window.ts';
import { told } from './policy/told-limits.ts';

export interface AccountOptions {
  readonly key: string;
  readonly credential: string;
  readonly configured: Limits | undefined;
  readonly cells: Cells;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** Unique among all processes that share the cells. */
  readonly nextId: () => string;
  /** A turn is over, or something was learned: others may go now. */
  readonly onRoom: () => void;
  /** A call that was accepted lasted so long. */
  readonly onLasted: (ms: number) => void;
}

/** Either a turn, or when to ask again. */
export type Grant = { readonly turn: Turn } | { readonly until: number };

/** One credential at one target: what it used, and what it may. */
export interface Account {
  /** Nothing limits it: a turn is given at once. */
  isFree(): boolean;
  take(claim: Claim, onOver: () => void): Grant | Promise<Grant>;
  /** A turn for a call that is in flight already: whatever the limits, it has its place. */
  adopt(onOver: () => void): Turn;
  /** The part of its tightest limit that is free, calls in flight, and when (epoch ms) one last began or ended. */
  room(): { readonly headroom: number; readonly inFlight: number; readonly usedAt: number };
  project(units: Units, meanMs: number | undefined): Delay | undefined;
  report(): Pick<LimitReport, 'limits' | 'source' | 'used' | 'rates' | 'inFlight'>;
  /** Somebody else changed what is known of it. */
  changed(): void;
}

export function createAccount(options: AccountOptions): Account {
  const { configured, io } = options;
  const cell = createLimitCell(options);
  const last = { usedAt: Number.NEGATIVE_INFINITY };
  const used = (onOver: () => void) => {
    last.usedAt = io.now();
    return () => {
      last.usedAt = io.now();
      onOver();
    };
  };

  return {
    isFree: cell.isFree,
    take(claim, onOver) {
      const id = options.nextId();
      const turn = (at: number): Grant => {
        return { turn: createTurn({ id, at, ...unitsOfClaim(claim) }, cell, options, used(onOver)) };
      };
      if (cell.isFree()) {
        const admission = admit(cell.own(), undefined, id, claim, io.now());
        cell.setOwn(admission.state);
        return admission.admitted ? turn(admission.at) : admission;
      }
      const done = cell.change((state) => {
        const admission = admit(state, configured, id, claim, io.now());
        return [admission.state, admission];
      });
      return whenDone(done, (admission): Grant => {
        if (!admission.admitted) return admission;
        cell.hold(id);
        return turn(admission.at);
      });
    },
    adopt(onOver) {
      const call: Call = { id: options.nextId(), at: io.now(), requests: 0, images: 0, tokens: 0 };
      if (cell.isFree()) cell.setOwn(joined(cell.own(), call));
      else {
        cell.note((state) => joined(state, call));
        cell.hold(call.id);
      }
      return createTurn(call, cell, options, used(onOver));
    },
    room() {
      const state = cell.view();
      return { headroom: headroom(state, configured, io.now()), inFlight: state.permits.length, ...last };
    },
    project: (units, meanMs) => projected(cell.view(), configured, units, meanMs, io.now()),
    report: () => reported(cell.report(), configured, io.now()),
    changed() {
      if (cell.own().uses.length > 0 && !cell.isFree()) cell.note((state) => state);
    },
  };
}

/** Goes on at once where there is nothing to wait for. */
export function whenDone<Value, Next>(value: Value | Promise<Value>, go: (value: Value) => Next): Next | Promise<Next> {
  return value instanceof Promise ? value.then(go) : go(value);
}

function createTurn(call: Call, cell: LimitCell, options: AccountOptions, onOver: () => void): Turn {
  const { configured, io } = options;
  let readings: readonly LimitReading[] = [];
  let isOver = false;

  /** What limits nobody yet stays here; what does is for all to know. */
  function learn(apply: (state: LimitState) => LimitState, isForAll = false): void {
    const mine = cell.own();
    const isMine = mine.permits.some((one) => one.id === call.id);
    if (isMine && !isForAll) cell.setOwn(apply(mine));
    if (isForAll || !isMine) cell.note(apply);
    else if (hasLimits(cell.own(), io.now())) cell.note((state) => state);
    else options.onRoom();
  }

  function end(apply: (state: LimitState) => LimitState, isRefused = false): void {
    if (isOver) return;
    isOver = true;
    onOver();
    learn((state) => apply(told(state, readings, call.at, io.now())), isRefused);
    // Telling everybody holds what was only here until now, this call's own place included.
    cell.letGo(call.id);
  }

  const unused = () => end((state) => givenBack(state, configured, call, io.now()));

  return {
    credential: options.credential,
    sent() {
      // Where nothing is limited, milliseconds do not matter, and moving a use costs more than the turn.
      if (!isOver && !cell.isFree()) learn((state) => leaving(state, call, io.now()));
    },
    observe(seen) {
      if (isOver || seen.length === 0) return;
      readings = seen;
      if (!isUrgent(seen, cell.view())) return;
      learn((state) => told(state, seen, call.at, io.now()));
    },
    settle(outcome) {
      const ending = endingOf(outcome);
      if (ending === 'unsent') {
        unused();
        return;
      }
      if (ending.kind === 'accepted' && !isOver) options.onLasted(io.now() - call.at);
      const isRefused = ending.kind === 'refused';
      if (isRefused && !readings.some((one) => one.source === 'words'))
        readings = [...readings, ...readLimits({}, ending.reason, io.now())];
      end((state) => settled(state, configured, call, ending, io.now()), isRefused);
    },
    giveBack: unused,
  };
}

/** Worth a change before the call ends: a limit that is new, or one with nothing left. */
function isUrgent(readings: readonly LimitReading[], { rates, ceiling }: LimitState): boolean {
  return readings.some(({ dimension, limit, windowMs, remaining }) => {
    if (remaining === 0) return true;
    if (dimension === 'concurrency') return limit !== undefined && ceiling?.climb.count !== limit;
    const isKnown = rates.some((one) => one.dimension === dimension && one.climb.count === limit);
    return limit !== undefined && windowMs !== undefined && !isKnown;
  });
}

function endingOf(outcome: Outcome): Ending | 'unsent' {
  const tokens = outcome.usage && tokensOf(outcome.usage);
  const used = tokens !== undefined && { tokens };
  if (outcome.ok) return { kind: 'accepted', ...used };
  const { kind, certainty, throttle, notBefore, message } = outcome.failure;
  if (certainty === 'not_sent') return 'unsent';
  if (certainty === 'completed' || certainty === 'failed') return { kind: 'accepted', ...used };
  if (kind !== 'throttled' || certainty !== 'rejected') return { kind: 'other', ...used };
  return {
    kind: 'refused',
    reason: message,
    ...(throttle ? { dimension: throttle } : { isRate: RATE_WORDS.test(message) && !PLACE_WORDS.test(message) }),
    ...(notBefore !== undefined && { notBefore }),
  };
}

const RATE_WORDS = /\brate[- ]?limit|\bper (?:second|minute|hour|day)\b|\btoo many requests in\b/i;
const PLACE_WORDS = /concurren|parallel|simultan|in (?:flight|progress)|running|pending|active/i;

function tokensOf(usage: JsonObject): number | undefined {
  const [input, output] = [numberAt(usage, 'input_tokens'), numberAt(usage, 'output_tokens')];
  const parts = input === undefined && output === undefined ? undefined : (input ?? 0) + (output ?? 0);
  return numberAt(usage, 'total_tokens') ?? parts;
}
