import type { TurnRequest } from './pacing.ts';

/** One request that waits for a turn. */
export interface Waiting<Request = TurnRequest> {
  readonly request: Request;
  readonly caller: string;
  readonly tag: number;
  /** Orders equal tags. */
  readonly number: number;
}

/** What waits at one target, in the order of the tags; a caller that may not go is passed over at no cost. */
export interface WaitingLine<Entry extends Waiting> {
  readonly size: number;
  has(caller: string): boolean;
  add(entry: Entry): void;
  /** False when it does not wait (any more). */
  remove(entry: Entry): boolean;
  /** Lowest tag first. */
  inOrder(mayGo: (caller: string) => boolean): Iterable<Entry>;
  /** Visits those whose tag is at most this. */
  visit(tag: number, see: (entry: Entry) => void): void;
}

export function createWaitingLine<Entry extends Waiting>(): WaitingLine<Entry> {
  const callers = new Map<string, Entry[]>();
  let size = 0;

  return {
    get size() {
      return size;
    },
    has: (caller) => callers.has(caller),
    add(entry) {
      const line = callers.get(entry.caller) ?? [];
      callers.set(entry.caller, line);
      line.splice(placeOf(entry, line), 0, entry);
      size += 1;
    },
    remove(entry) {
      const line = callers.get(entry.caller);
      const place = line ? placeOf(entry, line) : -1;
      if (line?.[place] !== entry) return false;
      line.splice(place, 1);
      if (line.length === 0) callers.delete(entry.caller);
      size -= 1;
      return true;
    },
    *inOrder(mayGo) {
      const lines = [...callers].filter(([caller]) => mayGo(caller)).map(([, line]) => ({ line, next: 0 }));
      for (;;) {
        const first = lines.reduce<(typeof lines)[number] | undefined>((best, one) => {
          const entry = one.line[one.next];
          const before = best?.line[best.next];
          return entry && (before === undefined || goesBefore(entry, before)) ? one : best;
        }, undefined);
        const entry = first?.line[first.next];
        if (first === undefined || entry === undefined) return;
        first.next += 1;
        yield entry;
      }
    },
    visit(tag, see) {
      for (const line of callers.values()) {
        for (const entry of line) {
          if (entry.tag > tag) break;
          see(entry);
        }
      }
    },
  };
}

function goesBefore(one: Waiting, other: Waiting): boolean {
  return one.tag < other.tag || (one.tag === other.tag && one.number < other.number);
}

/** Where an entry stands or would stand, by bisection. */
function placeOf(entry: Waiting, line: readonly Waiting[]): number {
  let [low, high] = [0, line.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const there = line[middle];
    if (there && goesBefore(there, entry)) low = middle + 1;
    else high = middle;
  }
  return low;
}
