import type { OverReading } from './reading.ts';
import { type ActiveRules, type RuleName, SEVERITIES, type Severity } from './rules.ts';

/** How one subject of one rule stands. Plain JSON: it is kept in a cell that all nodes share. */
export interface AlertRow extends OverReading {
  /** Epoch ms: it is over since then. */
  readonly since: number;
  /** It was over for as long as its rule asks, and has not been well for long since. */
  readonly isFiring: boolean;
  /** It is not over since then. */
  readonly wellSince?: number;
  /** What the channels were told last, and that they were not told it is over. */
  readonly told?: { readonly severity: Severity; readonly at: number; readonly reminders: number };
  /** It fired during a silence: what still holds when that ends is told once. */
  readonly isMuted?: true;
}

export interface Silence {
  readonly rule: RuleName;
  /** Absent: every subject of the rule. */
  readonly subject?: string;
  /** Epoch ms. */
  readonly until: number;
}

/** What is known of all subjects that are not simply well. */
export interface AlertState {
  readonly rows: readonly AlertRow[];
  readonly silences: readonly Silence[];
  /** Instants (epoch ms) of the messages of the last minute. */
  readonly sentAt: readonly number[];
}

export interface AlertPolicy {
  readonly rules: ActiveRules;
  /** So long must it be well before it counts as recovered: what flaps stays one alert. */
  readonly recoverAfterMs: number;
  /** Waits before the first, second … reminder; the last one holds from then on. At least one. */
  readonly remindersMs: readonly number[];
  readonly maxMessagesPerMinute: number;
}

export type AlertChange = 'fired' | 'raised' | 'reminder' | 'recovered';

/** One message to every channel. */
export interface AlertMessage {
  readonly change: AlertChange;
  readonly row: AlertRow;
  readonly at: number;
}

/** Whether nobody can say yet how a subject stands that is not over: it stays as it is. */
export type IsUnknown = (row: AlertRow) => boolean;

export const EMPTY_STATE: AlertState = { rows: [], silences: [], sentAt: [] };
const MINUTE_MS = 60_000;

/**
 * One step: ok → pending → firing → recovered, and what of it is to be told. Telling is level-triggered: it compares
 * how a subject stands with what the channels were told last, so what a silence or the bound on messages kept back is
 * told later if it still holds, and never if it does not.
 */
export function step(
  state: AlertState,
  over: readonly OverReading[],
  now: number,
  policy: AlertPolicy,
  isUnknown: IsUnknown = () => false,
): { readonly state: AlertState; readonly messages: readonly AlertMessage[] } {
  const silences = state.silences.filter(({ until }) => until > now);
  const stood = stand(state.rows, { over, isUnknown }, now, policy).toSorted(byUrgency);
  // Those of a clock that was ahead count no more, else nothing could be told until it is as late again.
  const sentAt = state.sentAt.filter((at) => at > now - MINUTE_MS && at <= now + MINUTE_MS);
  const messages: AlertMessage[] = [];
  const told = new Set(state.rows.filter((row) => row.told).map(keyOf));
  const rows = stood.flatMap((row): readonly AlertRow[] => {
    const isSilenced = silenceOf(row, silences) !== undefined;
    const change = isCovered(row, told) ? undefined : changeOf(row, now, policy);
    if (isSilenced) return kept(row.isFiring ? { ...row, isMuted: true } : row);
    if (change === undefined || sentAt.length >= policy.maxMessagesPerMinute) return kept(row);
    sentAt.push(now);
    messages.push({ change, row, at: now });
    told.add(keyOf(row));
    return kept(afterTelling(row, change, now));
  });
  return { state: { rows, silences, sentAt }, messages };
}

/** Every subject as it stands now, before anything is told. */
function stand(
  rows: readonly AlertRow[],
  { over, isUnknown }: { readonly over: readonly OverReading[]; readonly isUnknown: IsUnknown },
  now: number,
  { rules, recoverAfterMs }: AlertPolicy,
): readonly AlertRow[] {
  const readings = new Map(over.map((reading) => [keyOf(reading), reading]));
  const known = rows
    .filter(({ rule }) => rules[rule] !== undefined)
    .map((row) => {
      const key = keyOf(row);
      const reading = readings.get(key);
      readings.delete(key);
      if (reading) return overRow(row, reading, now, rules);
      return isUnknown(row) ? row : wellRow(row, now, recoverAfterMs);
    });
  const begun = [...readings.values()].map((reading) =>
    overRow({ ...reading, since: now, isFiring: false }, reading, now, rules),
  );
  return [...known, ...begun];
}

function overRow(row: AlertRow, reading: OverReading, now: number, rules: ActiveRules): AlertRow {
  const { wellSince, ...rest } = row;
  // What had recovered begins anew, also where nobody could be told of it yet.
  const since = wellSince !== undefined && !row.isFiring ? now : row.since;
  const forMs = rules[row.rule]?.forMs ?? 0;
  return { ...rest, ...reading, since, isFiring: row.isFiring || now - since >= forMs };
}

function wellRow(row: AlertRow, now: number, recoverAfterMs: number): AlertRow {
  const wellSince = row.wellSince ?? now;
  return { ...row, wellSince, isFiring: row.isFiring && now - wellSince < recoverAfterMs };
}

/** What is to be told of it, if it may be. */
function changeOf(row: AlertRow, now: number, { remindersMs }: AlertPolicy): AlertChange | undefined {
  const { told } = row;
  if (!row.isFiring) return told && 'recovered';
  if (told === undefined) return 'fired';
  // Well for a moment: nobody is reminded of what may be over.
  if (row.wellSince !== undefined) return undefined;
  if (rank(row.severity) > rank(told.severity)) return 'raised';
  const wait = remindersMs[Math.min(told.reminders, remindersMs.length - 1)] ?? Number.POSITIVE_INFINITY;
  return row.isMuted || now - told.at >= wait ? 'reminder' : undefined;
}

function afterTelling(row: AlertRow, change: AlertChange, now: number): AlertRow {
  const { told, isMuted: _isMuted, ...rest } = row;
  if (change === 'recovered') return rest;
  const { severity } = row;
  return { ...rest, told: { severity, at: now, reminders: change === 'reminder' ? (told?.reminders ?? 0) + 1 : 0 } };
}

/** That a target's breaker opens is no news to who was told that the target gives the same failure again and again. */
function isCovered({ rule, subject, told }: AlertRow, allTold: ReadonlySet<string>): boolean {
  return rule === 'breaker_open' && told === undefined && allTold.has(keyOf({ rule: 'repeated_failure', subject }));
}

/** What is well, and of which nothing is owed to anybody, is forgotten. */
function kept(row: AlertRow): readonly AlertRow[] {
  return row.wellSince !== undefined && !row.isFiring && row.told === undefined ? [] : [row];
}

/** The silence that holds a row back, the longest of several. */
export function silenceOf(
  { rule, subject }: Pick<AlertRow, 'rule' | 'subject'>,
  silences: readonly Silence[],
): Silence | undefined {
  return silences
    .filter((one) => one.rule === rule && (one.subject === undefined || one.subject === subject))
    .reduce<Silence | undefined>((last, one) => (one.until > (last?.until ?? 0) ? one : last), undefined);
}

export function keyOf({ rule, subject }: Pick<OverReading, 'rule' | 'subject'>): string {
  return `${rule} ${subject}`;
}

/** Where not everything can be told at once the gravest goes first, and of equals the oldest. */
function byUrgency(one: AlertRow, other: AlertRow): number {
  return rank(other.severity) - rank(one.severity) || one.since - other.since || (keyOf(one) < keyOf(other) ? -1 : 1);
}

export function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}
