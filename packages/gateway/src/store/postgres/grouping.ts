import type { Operation, Verb } from './verb.ts';

/** Operations that one call of their verb performs. */
export interface Group {
  readonly verb: Verb<unknown, unknown>;
  readonly members: readonly Member[];
}

export interface Member {
  /** Its place in the batch. */
  readonly index: number;
  readonly args: unknown;
}

/** Bounds what one statement carries. */
const MAX_GROUP_BYTES = 4 * 1024 * 1024;

/**
 * Gathers a batch into as few groups as keep its order: an operation moves forward to others of its verb, past those
 * that touch nothing it touches. One transaction holds them all, so nobody sees that they changed places.
 */
export function groupOperations(operations: readonly Operation[]): readonly Group[] {
  const groups: (Group & { readonly members: Member[] })[] = [];
  const lastTouched = new Map<string, number>();
  const open = new Map<Verb<unknown, unknown>, { readonly at: number; bytes: number }>();
  let barrier = -1;

  operations.forEach(({ verb, args }, index) => {
    const touched = verb.touches(args);
    const bytes = verb.weigh?.(args) ?? 0;
    const after = touched === 'everything' ? groups.length - 1 : lastOf(touched, lastTouched, barrier);
    const latest = verb.joins ? open.get(verb) : undefined;
    const joined = latest && latest.at > after && latest.bytes + bytes <= MAX_GROUP_BYTES ? latest : undefined;
    const at = joined?.at ?? groups.push({ verb, members: [] }) - 1;
    groups[at]?.members.push({ index, args });
    open.set(verb, { at, bytes: (joined?.bytes ?? 0) + bytes });
    if (touched === 'everything') barrier = at;
    else for (const thing of touched) lastTouched.set(thing, at);
  });
  return groups;
}

function lastOf(touched: readonly string[], lastTouched: ReadonlyMap<string, number>, barrier: number): number {
  return touched.reduce((latest, thing) => Math.max(latest, lastTouched.get(thing) ?? -1), barrier);
}
