/**
 * What OpenAI's own SDK for Node makes of each fault when it speaks to the provider itself, its two default retries
 * untouched: measured against the sandbox, and held to it by `tests/browser/sandbox.test.ts`. The AI SDK and the others
 * differ in details; `npm run bench:duplicates` prints two of them side by side.
 */
export type StockEnding =
  /** An error or a timeout that it repeats by itself. */
  | 'again'
  /** An error that it hands to its caller at once. */
  | 'raised'
  /** An answer that it takes for good although no picture can be had from it. */
  | 'taken'
  /** A picture, or what passes for one. */
  | 'picture';

const MAX_TRIES = 3;

const ENDINGS: Readonly<Record<string, readonly [StockEnding, string]>> = {
  ok: ['picture', 'the picture'],
  slow: ['picture', 'the picture'],
  big: ['picture', 'the picture'],
  'jpeg-as-png': ['picture', 'a picture of another format, unnoticed'],
  black: ['picture', 'a black picture, unnoticed'],
  'wrong-size': ['picture', 'a picture of another size, unnoticed'],
  'nsfw-flag': ['picture', 'the picture'],
  'expired-url': ['picture', 'the picture'],
  'flaky-download': ['picture', 'the picture'],
  'reset-after-accept': ['again', 'connection error'],
  'hang-after-accept': ['again', 'timeout after 10 min'],
  'stall-mid-body': ['again', 'timeout after 10 min'],
  '502-html': ['again', '502'],
  '504': ['again', '504'],
  '408': ['again', '408'],
  '409': ['again', '409'],
  '429': ['again', '429'],
  '429-date': ['again', '429'],
  '429-concurrency': ['again', '429'],
  quota: ['again', '429 insufficient_quota'],
  '500': ['again', '500'],
  '500-billed': ['again', '500'],
  '503': ['again', '503'],
  '503-overloaded': ['again', '503'],
  refuse: ['again', 'connection error'],
  'reset-before-read': ['again', 'connection error'],
  'reset-mid-body': ['raised', 'TypeError: terminated'],
  'truncated-json': ['raised', 'SyntaxError'],
  '400': ['raised', '400'],
  policy: ['raised', '400 moderation_blocked'],
  'policy-output': ['raised', '400 moderation_blocked'],
  '401': ['raised', '401'],
  '402': ['raised', '402'],
  '403': ['raised', '403'],
  '404': ['raised', '404'],
  retired: ['raised', '404'],
  empty: ['taken', '200 without a picture'],
  'no-data': ['taken', '200 without a picture'],
  html: ['taken', '200 without a picture'],
  partial: ['taken', '200 without a picture'],
  'error-in-200': ['taken', '200 without a picture'],
  zero: ['taken', '200 with zero bytes'],
  text: ['taken', '200 with a sentence for a picture'],
  truncated: ['taken', '200 with a picture that does not open'],
};

export interface StockTry {
  readonly fault: string;
  readonly ending: StockEnding;
  readonly words: string;
  readonly charged: number;
}

export interface StockRun {
  readonly tries: readonly StockTry[];
  readonly charged: number;
  /** What its caller has in the end. */
  readonly got: string;
  readonly hasPicture: boolean;
}

/** What stands before a value: `slow` of `slow:4`. */
export function nameOf(entry: string): string {
  return entry.split(':', 1)[0] ?? entry;
}

/** The entries of a script, one per request; the last repeats. */
export function entriesOf(script: string): readonly string[] {
  return script
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/**
 * What the SDK would do by itself with a script for one picture; `charges` tells which faults the provider bills.
 * Undefined where it speaks no such protocol, or nobody measured it.
 */
export function stockRun(script: string, charges: (name: string) => boolean): StockRun | undefined {
  const entries = entriesOf(script);
  const tries: StockTry[] = [];
  while (tries.length < MAX_TRIES) {
    const fault = entries[Math.min(tries.length, entries.length - 1)];
    const known = fault === undefined ? undefined : ENDINGS[nameOf(fault)];
    if (fault === undefined || known === undefined) return undefined;
    const [ending, words] = known;
    tries.push({ fault, ending, words, charged: isBilled(nameOf(fault), charges) ? 1 : 0 });
    if (ending !== 'again') break;
  }
  const last = tries.at(-1);
  return {
    tries,
    charged: tries.reduce((sum, { charged }) => sum + charged, 0),
    got: last?.words ?? '',
    hasPicture: last?.ending === 'picture',
  };
}

/** Of one picture that was asked for `partial` makes and bills none. */
function isBilled(name: string, charges: (name: string) => boolean): boolean {
  return name !== 'partial' && charges(name);
}
