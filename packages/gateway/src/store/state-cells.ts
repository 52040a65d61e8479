import type { Cells, Io, JsonValue } from '@onetake/core';
import type { SharedState } from './cells.ts';
import type { Store } from './store.ts';

type CellStore = SharedState & Pick<Store, 'onChange'>;

/** Cells with what must happen before the process ends. */
export interface StateCells extends Cells {
  keys(): readonly string[];
  close(): Promise<void>;
}

export interface StateCellsOptions {
  readonly store: CellStore;
  /** Keys in the store begin with this. */
  readonly prefix: string;
  readonly io: Pick<Io, 'now' | 'timer'>;
  readonly onError: (error: unknown) => void;
  /** What becomes of a value that an earlier process left; only where this one owns the store. */
  readonly revive?: (value: JsonValue) => JsonValue;
}

const WRITE_EVERY_MS = 1_000;
const MAX_SWAPS = 100;

/**
 * Cells of a process that owns its store: the truth is in memory, and written behind once a second. What a crash loses
 * of a limit's use is at most that second.
 */
export async function createOwnedCells(options: StateCellsOptions): Promise<StateCells> {
  const { store, prefix, io, onError, revive = (value) => value } = options;
  const known = new Map<string, { value: unknown; version: number; written: unknown }>();
  for (const { key, value, version } of await store.readCells(prefix))
    known.set(key.slice(prefix.length), { value: revive(value), version, written: value });
  let isClosed = false;
  let writing = Promise.resolve();
  let stopTimer = writeLater();

  function writeLater(): () => void {
    return io.timer(io.now() + WRITE_EVERY_MS, () => {
      writing = write()
        .catch(onError)
        .finally(() => {
          if (!isClosed) stopTimer = writeLater();
        });
    });
  }

  async function write(): Promise<void> {
    const changed = [...known].filter(([, one]) => one.value !== one.written);
    await Promise.all(
      changed.map(async ([key, one]) => {
        const { value, version } = one;
        if (await store.swapCell(prefix + key, version, value as JsonValue)) {
          one.version = version + 1;
          one.written = value;
        }
      }),
    );
  }

  return {
    update<Value, Result>(key: string, change: Change<Value, Result>) {
      const one = known.get(key) ?? { value: undefined, version: 0, written: undefined };
      const { value, result } = change(one.value as Value | undefined);
      one.value = value;
      known.set(key, one);
      return result;
    },
    peek: <Value>(key: string) => known.get(key)?.value as Value | undefined,
    keys: () => [...known.keys()],
    onChange: () => () => {},
    async close() {
      isClosed = true;
      stopTimer();
      await writing;
      await write();
    },
  };
}

type Change<Value, Result> = (value: Value | undefined) => { readonly value: Value; readonly result: Result };

/** Cells of several processes: each change is compared and swapped in the store, and repeated when somebody was faster. */
export async function createSharedCells({ store, prefix }: StateCellsOptions): Promise<StateCells> {
  const seen = new Map<string, unknown>();
  const listeners = new Set<(key: string) => void>();
  for (const { key, value } of await store.readCells(prefix)) seen.set(key.slice(prefix.length), value);
  const stop = store.onChange((change) => {
    if (change.kind !== 'cell' || !change.key.startsWith(prefix)) return;
    void store.readCell(change.key).then(
      (cell) => {
        if (cell === undefined) return;
        const key = change.key.slice(prefix.length);
        seen.set(key, cell.value);
        for (const listener of [...listeners]) listener(key);
      },
      () => {},
    );
  });
  return {
    async update<Value, Result>(key: string, change: Change<Value, Result>) {
      for (let swaps = 0; swaps < MAX_SWAPS; swaps += 1) {
        const cell = await store.readCell(prefix + key);
        const { value, result } = change(cell?.value as Value | undefined);
        const unchanged = cell !== undefined && cell.value === value;
        if (unchanged || (await store.swapCell(prefix + key, cell?.version ?? 0, value as JsonValue))) {
          seen.set(key, value);
          return result;
        }
      }
      throw new Error(`the shared value "${prefix}${key}" changed ${MAX_SWAPS} times while it was being written`);
    },
    peek: <Value>(key: string) => seen.get(key) as Value | undefined,
    keys: () => [...seen.keys()],
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => stop(),
  };
}
