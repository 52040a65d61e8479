import type { Done, Failed, Intended, LineEvent, Unknown } from './events.ts';
import type { LineProblem } from './line.ts';
import { chargeOf, type Money, micros, NOTHING, plus } from './money.ts';

/**
 * - `pending`: nothing was sent.
 * - `sent`: a request was about to leave; whether the gateway has it is not known here.
 * - `accepted`: the gateway has it as a task.
 * - `done`, `failed`, `unknown`: it ended so.
 */
export type LineStatus = 'pending' | 'sent' | 'accepted' | 'done' | 'failed' | 'unknown';

/** One line, as its events tell it. */
export interface LineState {
  readonly line: number;
  readonly status: LineStatus;
  /** How many keys it has had. */
  readonly rounds: number;
  /** The last key's. */
  readonly intended?: Intended;
  readonly task?: string;
  readonly end?: Done | Failed | Unknown;
  /** Nothing that is sent for it could work; it is corrected in the input. */
  readonly unusable?: true;
  /** Of all rounds that ended. */
  readonly charged: Money;
}

/** What to do next with a line. */
export type Action =
  | { readonly kind: 'start'; readonly line: number; readonly key: string }
  /** With the key it was sent with: the gateway answers with the same task. */
  | { readonly kind: 'repeat'; readonly line: number; readonly intended: Intended }
  | { readonly kind: 'follow'; readonly line: number; readonly task: string }
  /** Its key may no longer be known, so that repeating could pay twice. */
  | { readonly kind: 'give-up'; readonly line: number };

/** Which lines without a picture are begun. */
export interface Selection {
  /** Those that were never sent. */
  readonly pending: boolean;
  /** Those that failed so: codes or kinds. */
  readonly only: ReadonlySet<string>;
  /** Those whose end nobody knows: a second payment is accepted. */
  readonly unknown: boolean;
}

/** The gateway keeps a key for 24 h from when it took the request; an hour is left for clocks that differ. */
export const KEY_LIFETIME_MS: number = 23 * 3_600_000;

export function newLine(line: number): LineState {
  return { line, status: 'pending', rounds: 0, charged: NOTHING };
}

/** A line that is not sent at all, because of what it says. */
export function unusableLine(line: number, { code, message }: LineProblem, at: number): LineState {
  const end: Failed = {
    type: 'failed',
    line,
    at,
    code,
    message,
    billed: 'no',
    charge: { price_usd: 0, possible_usd: 0 },
  };
  return { ...newLine(line), status: 'failed', end, unusable: true };
}

/** The state after one more event of this line. Throws for an event that cannot follow: the journal is damaged. */
export function nextLine(state: LineState, event: LineEvent): LineState {
  switch (event.type) {
    case 'intended':
      return intend(state, event);
    case 'accepted':
      if (state.status !== 'sent') throw cannotFollow(state, event);
      return { ...state, status: 'accepted', task: event.task };
    case 'withdrawn':
      if (state.status !== 'sent') throw cannotFollow(state, event);
      return { ...state, status: 'pending', rounds: state.rounds - 1 };
    case 'done':
      if (state.status !== 'accepted') throw cannotFollow(state, event);
      return ended(state, event);
    case 'failed':
      if (state.status === 'done') throw cannotFollow(state, event);
      return ended(state, event);
    case 'unknown':
      if (!isOpen(state)) throw cannotFollow(state, event);
      return ended(state, event);
  }
}

function intend(state: LineState, event: Intended): LineState {
  if (state.status === 'sent' || state.status === 'accepted' || state.status === 'done')
    throw cannotFollow(state, event);
  const { line, charged } = state;
  return { line, charged, status: 'sent', rounds: state.rounds + 1, intended: event };
}

function ended(state: LineState, event: Done | Failed | Unknown): LineState {
  const reserved = isOpen(state) ? state.intended?.reserved_usd : 0;
  return { ...state, status: event.type, end: event, charged: plus(state.charged, chargeOf(event.charge, reserved)) };
}

function cannotFollow(state: LineState, event: LineEvent): Error {
  return new Error(`line ${state.line}: "${event.type}" cannot follow "${state.status}"`);
}

/** It may cost something, and has not ended. */
export function isOpen({ status }: LineState): boolean {
  return status === 'sent' || status === 'accepted';
}

/** What is held back for it. */
export function reservedMicros(state: LineState): number {
  return isOpen(state) ? micros(state.intended?.reserved_usd ?? 0) : 0;
}

/** One key per line and round, made of what is written down: a restart computes the same. */
export function keyOf(batch: string, line: number, round: number): string {
  return `batch-${batch}-${line}${round === 1 ? '' : `-${round}`}`;
}

/** Undefined when nothing is to be done: it is done, or failed and is not selected. `now` is epoch ms. */
export function nextAction(state: LineState, batch: string, selection: Selection, now: number): Action | undefined {
  const { line, intended, task } = state;
  const start: Action = { kind: 'start', line, key: keyOf(batch, line, state.rounds + 1) };
  switch (state.status) {
    case 'pending':
      return selection.pending ? start : undefined;
    case 'sent':
      if (intended === undefined) return undefined;
      return now - intended.at < KEY_LIFETIME_MS ? { kind: 'repeat', line, intended } : { kind: 'give-up', line };
    case 'accepted':
      return task === undefined ? undefined : { kind: 'follow', line, task };
    case 'failed':
      return isSelected(state, selection.only) ? start : undefined;
    case 'unknown':
      return selection.unknown ? start : undefined;
    case 'done':
      return undefined;
  }
}

function isSelected({ end, unusable }: LineState, only: ReadonlySet<string>): boolean {
  if (end === undefined || end.type === 'done' || unusable) return false;
  return only.has(end.code) || (end.kind !== undefined && only.has(end.kind));
}

/** What all lines add up to. */
export interface Totals {
  readonly lines: Readonly<Record<LineStatus, number>>;
  readonly charged: Money;
  readonly reservedMicros: number;
  readonly pictures: number;
  readonly missing: number;
}

/** The lines of a batch and their sums. */
export interface Manifest {
  apply(event: LineEvent): void;
  /** Throws for a line that the batch does not have. */
  line(line: number): LineState;
  /** In the order of the input. */
  lines(): Iterable<LineState>;
  totals(): Totals;
}

const NO_LINES = { pending: 0, sent: 0, accepted: 0, done: 0, failed: 0, unknown: 0 };

/** Folds the events of a batch; more may follow. Throws, with the line, when they contradict themselves. */
export function foldBatch(lines: readonly LineState[], events: Iterable<LineEvent>): Manifest {
  const states = new Map(lines.map((state) => [state.line, state]));
  const count: Record<LineStatus, number> = { ...NO_LINES };
  for (const { status } of states.values()) count[status] += 1;
  let totals: Totals = { lines: count, charged: NOTHING, reservedMicros: 0, pictures: 0, missing: 0 };
  const line = (number: number) => {
    const state = states.get(number);
    if (state === undefined) throw new Error(`line ${number}: the batch has no such line`);
    return state;
  };
  const apply = (event: LineEvent) => {
    const before = line(event.line);
    const after = nextLine(before, event);
    states.set(event.line, after);
    totals = moved(totals, before, after);
  };
  for (const event of events) apply(event);
  return { apply, line, lines: () => states.values(), totals: () => totals };
}

function moved(totals: Totals, before: LineState, after: LineState): Totals {
  const lines = { ...totals.lines };
  lines[before.status] -= 1;
  lines[after.status] += 1;
  const done = after.end?.type === 'done' && before.status !== 'done' ? after.end : undefined;
  return {
    lines,
    charged: plus(totals.charged, plus(after.charged, before.charged, -1)),
    reservedMicros: totals.reservedMicros + reservedMicros(after) - reservedMicros(before),
    pictures: totals.pictures + (done?.files.length ?? 0),
    missing: totals.missing + (done?.missing ?? 0),
  };
}
