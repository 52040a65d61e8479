import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openJsonLines } from './json-lines.ts';

/** What a picture costs, in US dollars, whatever the model. */
const PRICE_PER_PICTURE_USD = 0.04;
/** What a million tokens costs, in US dollars, whatever the model; a cached token goes in for less. */
export const PRICES_PER_MILLION_TOKENS_USD = { input: 1, cached: 0.1, output: 4 } as const;
/** Sums are kept in whole billionths of a dollar, so that they do not drift. */
const NANOS = 1_000_000_000;
const NANOS_PER_MILLIONTH = 1000;
const MAX_FILE_BYTES = 10 * 1024 * 1024;
const MAX_MODELS = 2000;
const MAX_POSITIONS = 10_000;
const MAX_DETAILS = 1000;
const OTHER_MODELS = '(other models)';

/** One request that was read in full, or the charge of a canceled job taken back. */
export interface Entry extends Partial<ChatPart> {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** A `cancel` is no request; its pictures and charges are negative. `chat` is an answer in words, or embeddings. */
  readonly operation: 'generate' | 'edit' | 'cancel' | 'chat';
  readonly model: string;
  readonly prompt?: string;
  /** The fault played, or the reason why none was. */
  readonly played: string;
  /** Pictures made. */
  readonly images: number;
  /** Pictures a provider would bill; of chat 1 where it would bill the tokens. */
  readonly charged: number;
  /** Whose place in a script this request moved on. */
  readonly position?: string;
  /** Of a `cancel`: whose charge it takes back. */
  readonly job?: string;
}

/** What an entry of chat has besides. It is written when the request is taken, and completed by its ending. */
export interface ChatPart {
  readonly id: string;
  readonly endpoint: string;
  readonly stream: boolean;
  /** All that went in, the cached ones among them. */
  readonly input_tokens: number;
  readonly cached_tokens: number;
  /** Made so far as the ledger knows: 0 until the end. */
  readonly output_tokens: number;
  /** Absent while it is open, and for good where the sandbox was killed before the end. */
  readonly ended: Ending['ended'];
  /** From when it was taken to its end. */
  readonly took_ms: number;
  /** The same, where the caller went away. */
  readonly aborted_ms: number;
}

/** How an entry of chat ended: what was made by then. */
export interface Ending {
  readonly id: string;
  /** `complete` as it should; `aborted` because the caller went away; the rest are faults: `reset`, `cut`, `failed`, `refused`. */
  readonly ended: 'complete' | 'aborted' | 'reset' | 'cut' | 'failed' | 'refused';
  readonly output_tokens: number;
  readonly took_ms: number;
  readonly aborted_ms?: number;
}

/** A line of the file that completes an entry, whose model and charge it says again. */
interface EndingLine {
  readonly ending: Ending & Pick<Entry, 'model' | 'charged'>;
}

export interface Totals {
  readonly requests: number;
  readonly images: number;
  readonly charged: number;
  readonly charged_usd: number;
  /** Charged ones, in and out; absent where there are none. */
  readonly tokens?: number;
}

export interface Bill {
  readonly total: Totals;
  readonly models: Readonly<Record<string, Totals>>;
}

export interface Ledger {
  /** Returns when the entry is written, so that a process killed a moment later has not forgotten it. */
  append(entry: Entry): void;
  /** Completes an entry of chat; one that is unknown or complete already is left as it is. */
  end(ending: Ending): void;
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
  tokens: number;
  nanos: number;
}

/** A count as files of before tokens have it. */
type CountLine = Pick<Count, 'requests' | 'images' | 'charged'> & Partial<Count>;

interface Memory {
  models: Map<string, Count>;
  positions: Map<string, number>;
  details: Entry[];
  /** Entries of chat that have not ended. */
  open: Map<string, Entry>;
  lastRefund: string | undefined;
}

/** What a compacted file starts with: the sums of all entries that it no longer holds, except the latest. */
interface Summary {
  readonly summary: {
    readonly models: readonly (readonly [string, CountLine])[];
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
    const read = line as Entry | EndingLine | Summary;
    if ('summary' in read) memory = memoryOf(read);
    else if ('ending' in read) complete(memory, read);
    else take(memory, read);
  });
  // What was open when an earlier process ended has no end any more.
  memory.open.clear();
  let closed = false;
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
    end(ending) {
      const entry = memory.open.get(ending.id);
      if (!entry || closed) return;
      const line: EndingLine = { ending: { ...ending, model: entry.model, charged: entry.charged } };
      file.append(line);
      complete(memory, line);
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
    close() {
      closed = true;
      file.close();
    },
  };
}

function emptyMemory(): Memory {
  return { models: new Map(), positions: new Map(), details: [], open: new Map(), lastRefund: undefined };
}

function memoryOf({ summary }: Summary): Memory {
  return {
    models: new Map(summary.models.map(([model, count]) => [model, countOf(count)])),
    positions: new Map(summary.positions),
    details: [...summary.details],
    open: new Map(summary.details.flatMap((entry) => (isOpen(entry) ? [[entry.id, entry]] : []))),
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

function countOf(line: CountLine): Count {
  return { tokens: 0, nanos: nanosOf(line.charged * PRICE_PER_PICTURE_USD), ...line };
}

function nanosOf(usd: number): number {
  return Math.round(usd * NANOS);
}

function isOpen(entry: Entry): entry is Entry & Pick<ChatPart, 'id'> {
  return entry.operation === 'chat' && entry.id !== undefined && entry.ended === undefined;
}

function take(memory: Memory, entry: Entry): void {
  const { positions, details } = memory;
  const count = countFor(memory, entry.model);
  if (entry.operation === 'cancel') memory.lastRefund = entry.job;
  else count.requests++;
  count.images += entry.images;
  count.charged += entry.charged;
  if (entry.operation === 'chat') chargeTokens(count, entry, entry);
  else count.nanos += nanosOf(entry.charged * PRICE_PER_PICTURE_USD);
  if (entry.position !== undefined) {
    const position = (positions.get(entry.position) ?? 0) + 1;
    positions.delete(entry.position);
    positions.set(entry.position, position);
    forgetOldest(positions);
  }
  if (isOpen(entry)) memory.open.set(entry.id, entry);
  details.push(entry);
  if (details.length > MAX_DETAILS) details.shift();
}

function complete(memory: Memory, { ending: { model, charged, ...ending } }: EndingLine): void {
  const entry = memory.open.get(ending.id);
  chargeTokens(countFor(memory, model), { charged }, ending);
  if (!entry) return;
  memory.open.delete(ending.id);
  const place = memory.details.lastIndexOf(entry);
  if (place >= 0) memory.details[place] = { ...entry, ...ending };
}

function countFor({ models }: Memory, name: string): Count {
  const model = models.has(name) || models.size < MAX_MODELS ? name : OTHER_MODELS;
  const count = models.get(model) ?? { requests: 0, images: 0, charged: 0, tokens: 0, nanos: 0 };
  models.set(model, count);
  return count;
}

type Tokens = Partial<Pick<ChatPart, 'input_tokens' | 'cached_tokens' | 'output_tokens'>>;

function chargeTokens(count: Count, { charged }: Pick<Entry, 'charged'>, tokens: Tokens): void {
  if (charged === 0) return;
  const { input_tokens = 0, cached_tokens = 0, output_tokens = 0 } = tokens;
  const { input, cached, output } = PRICES_PER_MILLION_TOKENS_USD;
  const millionths = (input_tokens - cached_tokens) * input + cached_tokens * cached + output_tokens * output;
  count.tokens += input_tokens + output_tokens;
  count.nanos += Math.round(millionths * NANOS_PER_MILLIONTH);
}

function forgetOldest(positions: Map<string, number>): void {
  for (const key of positions.keys()) {
    if (positions.size <= MAX_POSITIONS) return;
    positions.delete(key);
  }
}

function billOf(models: ReadonlyMap<string, Count>): Bill {
  const total: Count = { requests: 0, images: 0, charged: 0, tokens: 0, nanos: 0 };
  for (const count of models.values()) {
    total.requests += count.requests;
    total.images += count.images;
    total.charged += count.charged;
    total.tokens += count.tokens;
    total.nanos += count.nanos;
  }
  return {
    total: priced(total),
    models: Object.fromEntries([...models].map(([model, count]) => [model, priced(count)])),
  };
}

function priced({ tokens, nanos, ...count }: Count): Totals {
  return { ...count, charged_usd: nanos / NANOS, ...(tokens > 0 && { tokens }) };
}
