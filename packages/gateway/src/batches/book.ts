import type { JsonValue } from '@onetake/core';
import type { Cell, Store } from '../store/store.ts';
import { type Batch, isOver } from './batch.ts';
import { callerDigest } from './files.ts';

/** A batch and the key of its cell. */
export interface Entry {
  readonly key: string;
  readonly batch: Batch;
}

/**
 * The batches of all callers, each in a cell of the store. A caller has so many cells; a new batch takes an empty one,
 * or that of the oldest which is over.
 */
export interface Book {
  /** Undefined when the caller, or everybody together, has as many open as may be. */
  add(batch: Batch): Promise<Entry | undefined>;
  /** Oldest first. */
  list(caller: string): Promise<readonly Batch[]>;
  find(caller: string, id: string): Promise<Entry | undefined>;
  read(key: string): Promise<Batch | undefined>;
  /** Applies a change to what is there now, and returns what came of it; the same object means no change. */
  update(key: string, change: (batch: Batch) => Batch): Promise<Batch>;
  /** Those that are not over. */
  open(): Promise<readonly Entry[]>;
  /** Finds open ones again that a crash kept from the list of them. */
  recover(): Promise<void>;
  /** Calls back with the key of one that changed; some changes may be missed. */
  onChange(listener: (key: string) => void): () => void;
}

export const MAX_BATCHES_PER_CALLER = 300;
const MAX_OPEN_PER_CALLER = 100;
const MAX_OPEN = 1_000;
const MAX_SWAPS = 100;
const PREFIX = 'batch/';
/** Keys of the open ones, so that looking for work does not read what is over. */
const OPEN_KEY = 'batches-open';

type CellStore = Pick<Store, 'readCell' | 'readCells' | 'swapCell' | 'onChange'>;

export function createBook(store: CellStore): Book {
  const cellsOf = (caller: string) => store.readCells(`${PREFIX}${callerDigest(caller)}/`);

  async function swap(key: string, change: (value: JsonValue | undefined) => unknown): Promise<unknown> {
    for (let swaps = 0; swaps < MAX_SWAPS; swaps += 1) {
      const cell = await store.readCell(key);
      const next = change(cell?.value);
      if (next === cell?.value || (await store.swapCell(key, cell?.version ?? 0, next as JsonValue))) return next;
    }
    throw new Error(`the shared value "${key}" changed ${MAX_SWAPS} times while it was being written`);
  }

  const openKeys = async () => ((await store.readCell(OPEN_KEY))?.value ?? []) as readonly string[];
  const noteOpen = (key: string) =>
    swap(OPEN_KEY, (keys) => (keysIn(keys).includes(key) ? keys : [...keysIn(keys), key]));
  const noteOver = (key: string) =>
    swap(OPEN_KEY, (keys) => (keysIn(keys).includes(key) ? keysIn(keys).filter((one) => one !== key) : keys));

  async function read(key: string): Promise<Batch | undefined> {
    const cell = await store.readCell(key);
    return cell && batchIn(cell);
  }

  return {
    async add(batch) {
      if ((await openKeys()).length >= MAX_OPEN) return undefined;
      for (let tries = 0; tries < MAX_SWAPS; tries += 1) {
        const slot = freeSlot(await cellsOf(batch.caller), batch.caller);
        if (slot === undefined) return undefined;
        if (!(await store.swapCell(slot.key, slot.version, batch as unknown as JsonValue))) continue;
        await noteOpen(slot.key);
        return { key: slot.key, batch };
      }
      return undefined;
    },
    async list(caller) {
      const batches = (await cellsOf(caller)).map(batchIn);
      return batches.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    },
    async find(caller, id) {
      const cell = (await cellsOf(caller)).find((one) => batchIn(one).id === id);
      return cell && { key: cell.key, batch: batchIn(cell) };
    },
    read,
    update: async (key, change) => (await swap(key, (value) => change(value as unknown as Batch))) as Batch,
    async open() {
      const found: Entry[] = [];
      for (const key of await openKeys()) {
        const batch = await read(key);
        if (batch && !isOver(batch)) found.push({ key, batch });
        else await noteOver(key);
      }
      return found;
    },
    async recover() {
      for (const cell of await store.readCells(PREFIX)) if (!isOver(batchIn(cell))) await noteOpen(cell.key);
    },
    onChange: (listener) =>
      store.onChange((change) => {
        if (change.kind === 'cell' && change.key.startsWith(PREFIX)) listener(change.key);
      }),
  };
}

function batchIn({ value }: Cell): Batch {
  return value as unknown as Batch;
}

function keysIn(value: JsonValue | undefined): readonly string[] {
  return (value ?? []) as readonly string[];
}

function freeSlot(
  cells: readonly Cell[],
  caller: string,
): { readonly key: string; readonly version: number } | undefined {
  if (cells.filter((cell) => !isOver(batchIn(cell))).length >= MAX_OPEN_PER_CALLER) return undefined;
  if (cells.length < MAX_BATCHES_PER_CALLER) {
    return { key: `${PREFIX}${callerDigest(caller)}/${String(cells.length).padStart(3, '0')}`, version: 0 };
  }
  const over = cells.filter((cell) => isOver(batchIn(cell)));
  return over.toSorted((a, b) => batchIn(a).createdAt - batchIn(b).createdAt)[0];
}
