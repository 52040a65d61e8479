import { RefusedError } from '../wire/answer.ts';
import type { Fault } from './fault.ts';
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
export interface Cue {
  readonly fault: Fault;
  readonly value: number | undefined;
}

const PREFIX = 'sandbox/';
const OK: Cue = { fault: faultNamed('ok'), value: undefined };

function faultNamed(name: string): Fault {
  const fault = FAULTS.get(name);
  if (!fault) throw new Error(`no fault is named "${name}"`);
  return fault;
}

/** The model's name as the bill keeps it. */
export function withoutPrefix(model: string): string {
  return model.startsWith(PREFIX) ? model.slice(PREFIX.length) : model;
}

/** How an example of a fault is written, such as `slow:4`. */
export function exampleOf({ name, argument }: Fault): string {
  return argument ? `${name}:${argument.example}` : name;
}

/**
 * Reads what a request names, one cue per entry between commas. A model that is no fault behaves as `ok`; a `fault`
 * field, an entry of a script, or what looks like a fault after `sandbox/` must be one, else a 404 with near matches.
 */
export function readScript(model: string, fault: string | undefined): readonly Cue[] {
  const text = fault ?? model;
  const entries = withoutPrefix(text)
    .split(',')
    .map((entry) => withoutPrefix(entry.trim()));
  const mustBeFault = fault !== undefined || entries.length > 1;
  return entries.map((entry) => {
    const cue = readEntry(entry, mustBeFault || (text.startsWith(PREFIX) && looksLikeFault(entry)));
    if (typeof cue === 'string') throw notFound(cue, fault);
    return cue;
  });
}

function notFound(message: string, fault: string | undefined): RefusedError {
  const param = fault === undefined ? 'model' : 'fault';
  return new RefusedError({ status: 404, code: 'model_not_found', param, message });
}

/** The cue, or the sentence that says why there is none. */
function readEntry(entry: string, mustBeFault: boolean): Cue | string {
  const [name = '', ...rest] = entry.split(':');
  const argument = rest.length > 0 ? rest.join(':') : undefined;
  const fault = FAULTS.get(name);
  if (fault) return readArgument(fault, argument);
  if (Object.hasOwn(PORT_FAULTS, name)) {
    return `'${name}' is a port, not a model, and stands in no script: GET /faults says which port.`;
  }
  if (!mustBeFault) return OK;
  const near = nearMatches(name);
  const hint = near.length > 0 ? ` Did you mean ${near.map((one) => `'${one}'`).join(' or ')}?` : '';
  return `The fault '${entry.slice(0, 100)}' does not exist.${hint} GET /faults lists them all.`;
}

function readArgument(fault: Fault, text: string | undefined): Cue | string {
  const { name, argument } = fault;
  if (text === undefined && !argument?.required) return { fault, value: undefined };
  if (!argument) return `The fault '${name}' takes nothing after a colon; write '${name}'.`;
  const value = /^\d+(\.\d+)?$/u.test(text ?? '') ? Number(text) : Number.NaN;
  if (value <= argument.maximum) return { fault, value };
  const wanted = `${argument.unit} from 0 to ${argument.maximum}, decimals allowed`;
  return `The fault '${name}' needs ${wanted}, such as '${exampleOf(fault)}', but got '${(text ?? '').slice(0, 100)}'.`;
}

function looksLikeFault(entry: string): boolean {
  return entry.includes(':') || /^\d{3}(-|$)/u.test(entry) || (entry.includes('-') && nearMatches(entry).length > 0);
}

function nearMatches(name: string): string[] {
  const allowed = name.length < 4 ? 1 : 2;
  const near = [...FAULTS.values()].filter(
    (fault) => distance(fault.name, name.slice(0, 40)) <= allowed || (name.length > 2 && fault.name.startsWith(name)),
  );
  return near.slice(0, 4).map(exampleOf);
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
