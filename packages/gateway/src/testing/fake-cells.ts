import type { JsonValue } from '@onetake/core';
import type { Cell, SharedState } from '../store/cells.ts';
import type { Change, Store } from '../store/store.ts';

/** Cells of a store in memory, compared and swapped as its contract says; changes are told to all who listen. */
export function createFakeCells(first: Readonly<Record<string, JsonValue>> = {}) {
  const cells = new Map<string, Cell>(
    Object.entries(first).map(([key, value]) => [key, { key, version: 1, value }] as const),
  );
  const listeners = new Set<(change: Change) => void>();
  const beforeSwap: ((key: string) => void)[] = [];
  let swaps = 0;
  const write = (key: string, version: number, value: JsonValue) => {
    // What was written is what is read again, and no object of the writer's.
    cells.set(key, { key, version: version + 1, value: structuredClone(value) });
    for (const listener of [...listeners]) listener({ kind: 'cell', key });
  };
  const store: SharedState & Pick<Store, 'onChange'> = {
    readCells: async (prefix) => [...cells.values()].filter(({ key }) => key.startsWith(prefix)),
    readCell: async (key) => cells.get(key),
    async swapCell(key, version, value) {
      swaps += 1;
      beforeSwap.shift()?.(key);
      if ((cells.get(key)?.version ?? 0) !== version) return false;
      write(key, version, value);
      return true;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    store,
    /** Run before the next swaps: what another node does meanwhile. */
    beforeSwap,
    swaps: () => swaps,
    valueOf: (key: string) => cells.get(key)?.value,
    /** Another node changed it. */
    put: (key: string, value: JsonValue) => write(key, cells.get(key)?.version ?? 0, value),
    tell: (change: Change) => {
      for (const listener of [...listeners]) listener(change);
    },
    listening: () => listeners.size,
  };
}
