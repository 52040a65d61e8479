import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import type { AskedMember } from '../candidates/members.ts';
import type { PickMode } from '../candidates/sets.ts';
import type { ImageWire } from './image-wire.ts';
import { invalidValue } from './problem.ts';

export interface AskedCandidates {
  readonly members: readonly AskedMember[];
  readonly pick: PickMode;
}

const CANDIDATES = { least: 2, most: 8 };
const PICKS: readonly PickMode[] = ['first', 'all', 'best'];
const MAX_MODEL_CHARS = 200;

/**
 * Takes `candidates` and `pick` out of a request, where they stand beside its fields or in its `onetake` object; both
 * are untouched in a request without candidates. Throws a 400 with the field's path.
 */
export function takeCandidates(wire: ImageWire): { readonly wire: ImageWire; readonly asked?: AskedCandidates } {
  const { extra = {} } = wire.request;
  const nested = isObject(wire.controlsBody) ? wire.controlsBody : {};
  const path = extra.candidates !== undefined ? 'candidates' : 'onetake.candidates';
  const given = extra.candidates ?? nested.candidates;
  if (given === undefined || given === null) return { wire };
  if (extra.candidates !== undefined && nested.candidates !== undefined) {
    throw invalidValue('onetake.candidates', 'they stand beside the fields of the request too; send them once');
  }
  const members = readMembers(given, path);
  const pick = readPick(extra.pick ?? nested.pick);
  checkAlone(wire);
  const canonical = { ...rewrite(wire.canonical, 'extra', without(extra)), candidates: members, pick };
  return {
    wire: {
      ...wire,
      request: rewrite(wire.request, 'extra', without(extra)),
      controlsBody: isObject(wire.controlsBody) ? without(nested) : wire.controlsBody,
      canonical: canonical as unknown as JsonObject,
    },
    asked: { members, pick },
  };
}

function without({ candidates: _, pick: __, ...rest }: JsonObject): JsonObject {
  return rest;
}

/** An object without fields is left out, as the wire leaves it out. */
function rewrite<Holder extends object>(holder: Holder, name: 'extra', value: JsonObject): Holder {
  const { [name]: _, ...rest } = holder as Holder & { extra?: unknown };
  return (Object.keys(value).length === 0 ? rest : { ...rest, [name]: value }) as Holder;
}

function readMembers(given: JsonValue, path: string): readonly AskedMember[] {
  const value = typeof given === 'string' ? parseText(given) : given;
  const entries = typeof value === 'number' ? countOf(value, path) : value;
  const { least, most } = CANDIDATES;
  if (!Array.isArray(entries))
    throw invalidValue(path, `it is neither a number nor a list; send 3, or [{"model": "…"}, …]`);
  if (entries.length < least || entries.length > most) {
    throw invalidValue(path, `${entries.length} is not from ${least} to ${most}; a single picture needs no candidates`);
  }
  return entries.map((entry: JsonValue, index) => readMember(entry, `${path}[${index}]`));
}

/** A form has texts alone. */
function parseText(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

function countOf(count: number, path: string): readonly JsonObject[] {
  const { least, most } = CANDIDATES;
  if (!Number.isInteger(count) || count < least || count > most) {
    throw invalidValue(
      path,
      `${count} is not a whole number from ${least} to ${most}; a single picture needs no candidates`,
    );
  }
  return Array.from({ length: count }, () => ({}));
}

function readMember(entry: JsonValue, path: string): AskedMember {
  if (!isObject(entry)) throw invalidValue(path, 'it is no object; send {"model": "…"}, {"seed": 7}, or {}');
  const { model, seed, ...rest } = entry as JsonObject;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    const name = unknown.slice(0, 64);
    throw invalidValue(
      `${path}.${name}`,
      'a candidate differs in model and seed alone; say the rest once, beside them',
    );
  }
  return { ...readModel(model, `${path}.model`), ...readSeed(seed, `${path}.seed`) };
}

function readModel(model: JsonValue | undefined, path: string): AskedMember {
  if (model === undefined || model === null) return {};
  if (typeof model === 'string' && model !== '' && model.length <= MAX_MODEL_CHARS && model.isWellFormed()) {
    return { model };
  }
  throw invalidValue(
    path,
    `it is not a model name of at most ${MAX_MODEL_CHARS} characters; GET /v1/models lists them`,
  );
}

function readSeed(seed: JsonValue | undefined, path: string): AskedMember {
  if (seed === undefined || seed === null) return {};
  if (Number.isSafeInteger(seed)) return { seed: seed as number };
  throw invalidValue(path, 'it is not a whole number that a double holds exactly; change it or leave it out');
}

function readPick(pick: JsonValue | undefined): PickMode {
  if (pick === undefined || pick === null) return 'all';
  const known = PICKS.find((one) => one === pick);
  if (known !== undefined) return known;
  throw invalidValue(
    'pick',
    `${JSON.stringify(pick).slice(0, 60)} is not one of ${PICKS.join(', ')}; change it or leave it out`,
  );
}

/** Each candidate is one picture, and which one is wanted shows when they are compared. */
function checkAlone({ request }: ImageWire): void {
  if (request.n !== 1)
    throw invalidValue('n', `${request.n} with candidates, each of which is one picture; leave it out`);
  if (request.stream) throw invalidValue('stream', 'candidates are not streamed; leave it out');
}
