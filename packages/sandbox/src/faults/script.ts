import { RefusedError } from '../wire/answer.ts';
import type { Fault, NamedFault, NumberArgument, WordArgument } from './fault.ts';
import { WORKING_FAULTS } from './pictures.ts';
import { REFUSING_FAULTS } from './refusals.ts';

/** Every fault there is, by name. */
export const FAULTS: ReadonlyMap<string, Fault> = new Map(
  [...WORKING_FAULTS, ...REFUSING_FAULTS].map((fault) => [fault.name, fault]),
);

/** Faults of a connection rather than of an answer: each is a port, and `GET /faults` says which. */
export const PORT_FAULTS = {
  refuse: 'A loopback port that refuses every connection.',
  'reset-before-read': 'A loopback port that resets every connection as soon as it is accepted.',
} as const;

/** One entry of a script: a fault and its argument. */
export interface Cue<F extends NamedFault = Fault> {
  readonly fault: F;
  readonly value: number | undefined;
  /** The argument where it is a word. */
  readonly word?: string;
}

/** What a model's name may say to one of the protocols. */
export interface Vocabulary<F extends NamedFault = Fault> {
  /** By name; `ok` is among them. */
  readonly faults: ReadonlyMap<string, F>;
  /** What may stand before a name, each with its slash. */
  readonly prefixes: readonly string[];
}

/** The words of OpenAI's Images API. */
const IMAGE_WORDS: Vocabulary = { faults: FAULTS, prefixes: ['sandbox/'] };

/** A name without what may stand before it. */
export function withoutPrefix(
  name: string,
  { prefixes }: Pick<Vocabulary<NamedFault>, 'prefixes'> = IMAGE_WORDS,
): string {
  return name.slice(prefixOf(name, prefixes).length);
}

function prefixOf(name: string, prefixes: readonly string[]): string {
  return prefixes.find((prefix) => name.startsWith(prefix)) ?? '';
}

/** How a cue is written, such as `slow:4`. */
export function textOf({ fault, value, word }: Cue<NamedFault>): string {
  const argument = word ?? value;
  return argument === undefined ? fault.name : `${fault.name}:${argument}`;
}

/** How an example of a fault is written, such as `slow:4`. */
export function exampleOf({ name, argument }: NamedFault): string {
  return argument ? `${name}:${argument.example}` : name;
}

/**
 * Reads what a request names, one cue per entry between commas. A model that is no fault behaves as `ok`; a `fault`
 * field, an entry of a script, or what looks like a fault after `sandbox/` must be one, else a 404 with near matches.
 */
export function readScript(model: string, fault: string | undefined): readonly Cue[] {
  return readCues(IMAGE_WORDS, model, fault);
}

/** Reads a script in the words of a protocol; see `readScript`. */
export function readCues<F extends NamedFault>(
  words: Vocabulary<F>,
  model: string,
  fault: string | undefined,
): readonly Cue<F>[] {
  const text = fault ?? model;
  const entries = withoutPrefix(text, words)
    .split(',')
    .map((entry) => withoutPrefix(entry.trim(), words));
  const mustBeFault = fault !== undefined || entries.length > 1;
  const prefixed = prefixOf(text, words.prefixes) !== '';
  return entries.map((entry) => {
    const cue = readEntry(words, entry, mustBeFault || (prefixed && looksLikeFault(words, entry)));
    if (typeof cue === 'string') throw notFound(cue, fault);
    return cue;
  });
}

function notFound(message: string, fault: string | undefined): RefusedError {
  const param = fault === undefined ? 'model' : 'fault';
  return new RefusedError({ status: 404, code: 'model_not_found', param, message });
}

/** The cue, or the sentence that says why there is none. */
function readEntry<F extends NamedFault>(words: Vocabulary<F>, entry: string, mustBeFault: boolean): Cue<F> | string {
  const [name = '', ...rest] = entry.split(':');
  const argument = rest.length > 0 ? rest.join(':') : undefined;
  const fault = words.faults.get(name);
  if (fault) return readArgument(fault, argument);
  if (Object.hasOwn(PORT_FAULTS, name)) {
    return `'${name}' is a port, not a model, and stands in no script: GET /faults says which port.`;
  }
  const ok = words.faults.get('ok');
  if (!mustBeFault && ok) return { fault: ok, value: undefined };
  const near = nearMatches(words, name);
  const hint = near.length > 0 ? ` Did you mean ${near.map((one) => `'${one}'`).join(' or ')}?` : '';
  return `The fault '${entry.slice(0, 100)}' does not exist.${hint} GET /faults lists them all.`;
}

function readArgument<F extends NamedFault>(fault: F, text: string | undefined): Cue<F> | string {
  const { name, argument } = fault;
  if (text === undefined && !argument?.required) return { fault, value: undefined };
  if (!argument) return `The fault '${name}' takes nothing after a colon; write '${name}'.`;
  const read = 'words' in argument ? readWord(argument, text) : readNumber(argument, text);
  if (typeof read !== 'string') return { fault, ...read };
  return `The fault '${name}' needs ${read}, such as '${exampleOf(fault)}', but got '${(text ?? '').slice(0, 100)}'.`;
}

function readWord({ words }: WordArgument, text = ''): Pick<Cue, 'value' | 'word'> | string {
  return words.includes(text) ? { value: undefined, word: text } : `one of ${words.join(', ')}`;
}

function readNumber({ unit, maximum }: NumberArgument, text = ''): Pick<Cue, 'value'> | string {
  const value = /^\d+(\.\d+)?$/u.test(text) ? Number(text) : Number.NaN;
  const whole = unit === 'times' || unit === 'tokens';
  if (value <= maximum && (!whole || Number.isInteger(value))) return { value };
  return `${unit} from 0 to ${maximum}, ${whole ? 'a whole number' : 'decimals allowed'}`;
}

function looksLikeFault(words: Vocabulary<NamedFault>, entry: string): boolean {
  if (entry.includes(':') || /^\d{3}(-|$)/u.test(entry)) return true;
  return entry.includes('-') && nearMatches(words, entry).length > 0;
}

function nearMatches({ faults }: Vocabulary<NamedFault>, name: string): string[] {
  const allowed = name.length < 4 ? 1 : 2;
  const near = [...faults].filter(
    ([known]) => distance(known, name.slice(0, 40)) <= allowed || (name.length > 2 && known.startsWith(name)),
  );
  return near.slice(0, 4).map(([known, fault]) => exampleOf({ ...fault, name: known }));
}

/** Levenshtein's distance: the least number of letters to insert, remove or replace. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
