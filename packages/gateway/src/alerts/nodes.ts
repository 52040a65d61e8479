import type { OverReading } from './reading.ts';
import { RULE_NAMES, type RuleName } from './rules.ts';
import {
  type AlertMessage,
  type AlertPolicy,
  type AlertRow,
  type AlertState,
  EMPTY_STATE,
  type IsUnknown,
  keyOf,
  rank,
  type Silence,
  step,
} from './state.ts';

/** The state of the alerts with what each node finds: every node sees its own traffic alone. */
export interface SharedAlerts extends AlertState {
  /** By node: what is over there. Nodes that find nothing are not in it. */
  readonly nodes: Readonly<Record<string, NodeReadings>>;
}

interface NodeReadings {
  /** By that node's own clock, epoch ms. */
  readonly at: number;
  readonly over: readonly OverReading[];
}

export interface NodeLook {
  readonly node: string;
  readonly over: readonly OverReading[];
  /** What a node found longer ago than this counts no more: it may be gone. */
  readonly staleMs: number;
  readonly isUnknown?: IsUnknown;
}

/** Of one rule; what is beyond it is folded into one subject, so that a thousand targets are no thousand messages. */
export const MAX_SUBJECTS = 20;
/** Of one rule, at one node. */
const MAX_READINGS = 100;
/** No target or key is named so. */
const OTHERS = '(others)';
const MAX_NAMED = 5;
const MAX_SILENCES = 200;

export const EMPTY_ALERTS: SharedAlerts = { ...EMPTY_STATE, nodes: {} };

/** One look of one node: its readings take the place of its earlier ones, and over at any node is over. */
export function advance(
  shared: SharedAlerts,
  { node, over, staleMs, isUnknown }: NodeLook,
  now: number,
  policy: AlertPolicy,
): { readonly shared: SharedAlerts; readonly messages: readonly AlertMessage[] } {
  const others = Object.entries(shared.nodes).filter(([name, { at }]) => name !== node && now - at <= staleMs);
  const own: NodeReadings = { at: now, over: bounded(over) };
  const nodes = [...others, ...(over.length > 0 ? [[node, own] as const] : [])];
  const together = fold(combine(nodes.map(([, readings]) => readings.over)), shared.rows);
  const { state, messages } = step(shared, together, now, policy, isUnknown);
  return { shared: { ...state, nodes: Object.fromEntries(nodes) }, messages };
}

/** Of one subject the gravest reading, and of those that are equally grave the first node's. */
function combine(nodes: readonly (readonly OverReading[])[]): readonly OverReading[] {
  const gravest = new Map<string, OverReading>();
  for (const reading of nodes.flat()) {
    const known = gravest.get(keyOf(reading));
    if (known === undefined || rank(reading.severity) > rank(known.severity)) gravest.set(keyOf(reading), reading);
  }
  return [...gravest.values()];
}

function bounded(over: readonly OverReading[]): readonly OverReading[] {
  return RULE_NAMES.flatMap((rule) => over.filter((reading) => reading.rule === rule).slice(0, MAX_READINGS));
}

/** Keeps at most `MAX_SUBJECTS` of each rule: those that have a row already, then the gravest. */
function fold(over: readonly OverReading[], rows: readonly AlertRow[]): readonly OverReading[] {
  const known = new Set(rows.map(keyOf));
  return RULE_NAMES.flatMap((rule) => {
    const all = over.filter((reading) => reading.rule === rule);
    if (all.length <= MAX_SUBJECTS) return all;
    const old = all.filter((reading) => known.has(keyOf(reading)));
    const others = all
      .filter((reading) => !known.has(keyOf(reading)))
      .toSorted((a, b) => rank(b.severity) - rank(a.severity));
    const sorted = [...old, ...others];
    return [...sorted.slice(0, MAX_SUBJECTS), othersOf(rule, sorted.slice(MAX_SUBJECTS))];
  });
}

function othersOf(rule: RuleName, rest: readonly OverReading[]): OverReading {
  const [gravest] = rest.toSorted((a, b) => rank(b.severity) - rank(a.severity));
  const named = rest.slice(0, MAX_NAMED).map(({ subject }) => subject);
  const more = rest.length > MAX_NAMED ? ', …' : '';
  return {
    ...{ rule, subject: OTHERS, value: gravest?.value ?? 0, threshold: gravest?.threshold ?? 0 },
    severity: gravest?.severity ?? 'notice',
    message: `and ${rest.length} more: ${named.join(', ')}${more}`,
  };
}

/** Sets, prolongs, shortens or (with an end that is not to come) ends the silence of a rule or of one subject of it. */
export function silence(shared: SharedAlerts, wanted: Silence, now: number): SharedAlerts {
  const { rule, subject, until } = wanted;
  const isEnd = until <= now;
  const others = shared.silences.filter(
    // Ending a rule's silence ends those of its subjects too.
    (one) => one.until > now && !(one.rule === rule && (one.subject === subject || (isEnd && subject === undefined))),
  );
  return { ...shared, silences: isEnd ? others : [...others, wanted].slice(-MAX_SILENCES) };
}
