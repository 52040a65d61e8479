import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openJsonLines } from './json-lines.ts';

/** What a picture costs, in US dollars, whatever the model. */
const PRICE_PER_PICTURE_USD = 0.04;
const MAX_FILE_BYTES = 10 * 1024 * 1024;
const MAX_MODELS = 2000;
const MAX_POSITIONS = 10_000;
const MAX_DETAILS = 1000;
const OTHER_MODELS = '(other models)';

/** One image request that was read in full, or the charge of a canceled job taken back. */
export interface Entry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** A `cancel` is no request; its pictures and charges are negative. */
  readonly operation: 'generate' | 'edit' | 'cancel';
  readonly model: string;
  readonly prompt?: string;
  /** The fault played, or the reason why none was. */
  readonly played: string;
  /** Pictures made. */
  readonly images: number;
  /** Pictures a provider would bill. */
  readonly charged: number;
  /** Whose place in a script this request moved on. */
  readonly position?: string;
  /** Of a `cancel`: whose charge it takes back. */
  readonly job?: string;
}

export interface Totals {
  readonly requests: number;
  readonly images: number;
  readonly charged: number;
  readonly charged_usd: number;
}

export interface Bill {
  readonly total: Totals;
  readonly models: Readonly<Record<string, Totals>>;
}

export interface Ledger {
  /** Returns when the entry is written, so that a process killed a moment later has not forgotten it. */
  append(entry: Entry): void;
  /** How many requests have moved this script on. */
  position(key: string): number;
  /** The job whose charge was taken back last. */
  lastRefund(): string | undefined;
  bill(): Bill;
  /** The last 1000 entries, oldest first. */
  details(): readonly Entry[];
  /** Forgets bill, entries and positions. */
  reset(): void;
  close(): void;
}

interface Count {
  requests: number;
  images: number;
  charged: number;
}

interface Memory {
  models: Map<string, Count>;
  positions: Map<string, number>;
  details: Entry[];
  lastRefund: string | undefined;
}

/** What a compacted file starts with: the sums of all entries that it no longer holds, except the latest. */
interface Summary {
  readonly summary: {
    readonly models: readonly (readonly [string, Count])[];
    readonly positions: readonly (readonly [string, number])[];
    readonly details: readonly Entry[];
    readonly lastRefund?: string;
  };
}

/**
 * The bill and the places in scripts, kept in `ledger.jsonl` under `dataDir`: one line an entry, compacted to a
 * summary when it is over 10 MB. A line that a kill cut short is left out.
 */
export function openLedger(dataDir: string): Ledger {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  let memory = emptyMemory();
  const file = openJsonLines(join(dataDir, 'ledger.jsonl'), (line) => {
    const read = line as Entry | Summary;
    if ('summary' in read) memory = memoryOf(read);
    else take(memory, read);
  });
  const compactIfLarge = () => {
    if (file.size > MAX_FILE_BYTES) file.replace([summaryOf(memory)]);
  };
  compactIfLarge();

  return {
    append(entry) {
      file.append(entry);
      take(memory, entry);
      compactIfLarge();
    },
    position: (key) => memory.positions.get(key) ?? 0,
    lastRefund: () => memory.lastRefund,
    bill: () => billOf(memory.models),
    details: () => memory.details,
    reset() {
      file.clear();
      memory = emptyMemory();
    },
    close: () => file.close(),
  };
}

function emptyMemory(): Memory {
  return { models: new Map(), positions: new Map(), details: [], lastRefund: undefined };
}

function memoryOf({ summary }: Summary): Memory {
  return {
    models: new Map(summary.models),
    positions: new Map(summary.positions),
    details: [...summary.details],
    lastRefund: summary.lastRefund,
  };
}

function summaryOf({ models, positions, details, lastRefund }: Memory): Summary {
  return {
    summary: {
      models: [...models],
      positions: [...positions],
      details,
      ...(lastRefund !== undefined && { lastRefund }),
    },
  };
}

function take(memory: Memory, entry: Entry): void {
  const { models, positions, details } = memory;
  const model = models.has(entry.model) || models.size < MAX_MODELS ? entry.model : OTHER_MODELS;
  const count = models.get(model) ?? { requests: 0, images: 0, charged: 0 };
  if (entry.operation === 'cancel') memory.lastRefund = entry.job;
  else count.requests++;
  count.images += entry.images;
  count.charged += entry.charged;
  models.set(model, count);
  if (entry.position !== undefined) {
    const position = (positions.get(entry.position) ?? 0) + 1;
    positions.delete(entry.position);
    positions.set(entry.position, position);
    forgetOldest(positions);
  }
  details.push(entry);
  if (details.length > MAX_DETAILS) details.shift();
}

function forgetOldest(positions: Map<string, number>): void {
  for (const key of positions.keys()) {
    if (positions.size <= MAX_POSITIONS) return;
    positions.delete(key);
  }
}

function billOf(models: ReadonlyMap<string, Count>): Bill {
  const total: Count = { requests: 0, images: 0, charged: 0 };
  for (const count of models.values()) {
    total.requests += count.requests;
    total.images += count.images;
    total.charged += count.charged;
  }
  return {
    total: priced(total),
    models: Object.fromEntries([...models].map(([model, count]) => [model, priced(count)])),
  };
}

function priced(count: Count): Totals {
  return { ...count, charged_usd: Math.round(count.charged * PRICE_PER_PICTURE_USD * 100) / 100 };
}
