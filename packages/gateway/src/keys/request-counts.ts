import { fitsAt, type Io, type JsonValue, recorded, type UseLog, usedWithin } from '@onetake/core';
import { createOwnedCells } from '../store/state-cells.ts';
import type { Store } from '../store/store.ts';

/** How many requests a key made in the last minute, over all nodes. */
export interface RequestCounts {
  /** Counts one where it fits into `rpm`. Rejects where the store does not answer. */
  take(name: string, rpm: number): Promise<RequestCount>;
  /** What is left now, as far as it is known here without asking. */
  peek(name: string, rpm: number): RequestCount;
  close(): Promise<void>;
}

export interface RequestCount {
  readonly isTaken: boolean;
  /** How many more fit now. */
  readonly remaining: number;
  /** Until more fit than now; 0 where nothing is used. */
  readonly resetMs: number;
}

export interface RequestCountsOptions {
  readonly store: Pick<Store, 'readCells' | 'readCell' | 'swapCell' | 'onChange' | 'ownership'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
  readonly onError: (error: unknown) => void;
}

export const COUNT_WINDOW_MS = 60_000;
const PREFIX = 'rpm/';
const ONE = { requests: 1, images: 0, tokens: 0 };
const MAX_SWAPS = 100;
const FIRST_PAUSE_MS = 2;
const MAX_PAUSE_MS = 64;

/**
 * Exact sliding windows of 60 s in cells `rpm/<name>`. What owns its store counts in memory. Nodes that share one swap
 * cells: one swap per key is under way in a process at a time, and takes everything along that came meanwhile. Beyond 256
 * requests a minute neighbours in time are counted as one, at the later instant, so never too few.
 */
export async function openRequestCounts({ store, io, onError }: RequestCountsOptions): Promise<RequestCounts> {
  const logs =
    store.ownership === 'exclusive' ? await openOwnedLogs({ store, io, onError }) : createSwappedLogs(store, io);
  const windowOf = (rpm: number) => ({ count: rpm, windowMs: COUNT_WINDOW_MS });
  /** Those of one key that wait for the swap under way. */
  const queues = new Map<string, Waiting[]>();

  function count(log: UseLog, rpm: number, isTaken: boolean): RequestCount {
    const now = io.now();
    const used = usedWithin(log, 'requests', COUNT_WINDOW_MS, now);
    const [oldest] = log.filter((use) => use[1] > now - COUNT_WINDOW_MS);
    const remaining = Math.max(0, rpm - used);
    const nextAt =
      remaining > 0 ? (oldest ? oldest[1] + COUNT_WINDOW_MS : now) : fitsAt(log, 'requests', windowOf(rpm), 1, now);
    return { isTaken, remaining, resetMs: Math.max(0, nextAt - now) };
  }

  function takeAll(log: UseLog, waiting: readonly Waiting[]) {
    const now = io.now();
    let value = log.filter((use) => use[1] > now - COUNT_WINDOW_MS);
    const result = waiting.map(({ rpm }) => {
      const isTaken = usedWithin(value, 'requests', COUNT_WINDOW_MS, now) < rpm;
      if (isTaken) value = [...recorded(value, now, ONE, COUNT_WINDOW_MS)];
      return count(value, rpm, isTaken);
    });
    return { value: result.some(({ isTaken }) => isTaken) ? value : log, result };
  }

  async function serve(name: string, queue: Waiting[]) {
    while (queue.length > 0) {
      const waiting = queue.splice(0);
      try {
        const counts = await logs.update(name, (log) => takeAll(log, waiting));
        for (const [index, { resolve }] of waiting.entries()) resolve(counts[index] ?? counts[0] ?? NOTHING);
      } catch (error) {
        for (const { reject } of waiting) reject(error);
      }
    }
    queues.delete(name);
  }

  return {
    take(name, rpm) {
      return new Promise((resolve, reject) => {
        const queue = queues.get(name);
        if (queue) {
          queue.push({ rpm, resolve, reject });
          return;
        }
        const own = [{ rpm, resolve, reject }];
        queues.set(name, own);
        void serve(name, own);
      });
    },
    peek: (name, rpm) => count(logs.peek(name) ?? [], rpm, false),
    close: () => logs.close(),
  };
}

interface Waiting {
  readonly rpm: number;
  readonly resolve: (count: RequestCount) => void;
  readonly reject: (error: unknown) => void;
}

const NOTHING: RequestCount = { isTaken: false, remaining: 0, resetMs: COUNT_WINDOW_MS };

type Change<Result> = (log: UseLog) => { readonly value: UseLog; readonly result: Result };

interface Logs {
  update<Result>(name: string, change: Change<Result>): Result | Promise<Result>;
  peek(name: string): UseLog | undefined;
  close(): Promise<void>;
}

async function openOwnedLogs(options: RequestCountsOptions): Promise<Logs> {
  const cells = await createOwnedCells({ ...options, prefix: PREFIX });
  return {
    update: <Result>(name: string, change: Change<Result>) =>
      cells.update(name, (log: UseLog | undefined) => change(log ?? [])),
    peek: (name) => cells.peek(name),
    close: () => cells.close(),
  };
}

/** Cells of several nodes, of which nobody needs to hear: a swap begins with what the last one left, unread. */
function createSwappedLogs(store: Pick<Store, 'readCell' | 'swapCell'>, io: Pick<Io, 'now' | 'timer'>): Logs {
  const known = new Map<string, { readonly version: number; readonly log: UseLog }>();

  async function read(name: string) {
    const cell = await store.readCell(PREFIX + name);
    // Written below, and nowhere else.
    return { version: cell?.version ?? 0, log: (cell?.value ?? []) as unknown as UseLog };
  }

  return {
    async update<Result>(name: string, change: Change<Result>): Promise<Result> {
      let seen = known.get(name);
      for (let swaps = 0; swaps < MAX_SWAPS; swaps += 1) {
        const { version, log } = seen ?? (await read(name));
        const { value, result } = change(log);
        // Others only add to it: what is refused by what was seen last is refused by what stands there now.
        if (value === log) return result;
        if (await store.swapCell(PREFIX + name, version, value as unknown as JsonValue)) {
          known.set(name, { version: version + 1, log: value });
          return result;
        }
        seen = undefined;
        known.delete(name);
        if (swaps > 0) await pause(io, Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** swaps));
      }
      throw new Error(`the count of requests of "${name}" changed ${MAX_SWAPS} times while it was being written`);
    },
    peek: (name) => known.get(name)?.log,
    close: async () => {},
  };
}

function pause(io: Pick<Io, 'now' | 'timer'>, ms: number): Promise<void> {
  return new Promise((resolve) => void io.timer(io.now() + ms, resolve));
}
