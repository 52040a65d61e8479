import type { Capabilities, SizeRule } from '../capabilities.ts';
import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import {
  choice,
  choices,
  date,
  dated,
  fault,
  flag,
  limits,
  objectAt,
  positive,
  price,
  text,
  texts,
  whole,
} from './fact-values.ts';
import type { Model } from './provider.ts';

/**
 * What is known of a provider's models, as a file of `data/` says it and a user's configuration may override: fields in
 * snake_case, all optional but a file's date and sources. `like` takes over the facts of another model of the file.
 */
export interface ModelFile {
  /** ISO date on which the facts were read. */
  readonly asOf: string;
  readonly sources: readonly string[];
  readonly models: readonly Model[];
}

/** Reads a file of model data; throws a `TypeError` that names the place of a fault. */
export function readModelFile(file: unknown): ModelFile {
  const { asOf, sources, facts } = readFacts(file);
  const models = Object.entries(facts).map(([id, said]) => readModel(id, said, blank(id), `models.${id}`, asOf));
  return { asOf, sources, models };
}

/** A file's date, its sources, and what it says of each model. */
export function readFacts(file: unknown): Omit<ModelFile, 'models'> & { readonly facts: JsonObject } {
  const { as_of: asOf, sources, models } = objectAt(file, 'the file');
  const all = objectAt(models, 'models');
  const facts = Object.fromEntries(Object.keys(all).map((id) => [id, resolved(id, all)]));
  return { asOf: date(asOf, 'as_of'), sources: texts(sources, 'sources'), facts };
}

function resolved(id: string, all: JsonObject): JsonObject {
  const { like, ...own } = objectAt(all[id], `models.${id}`);
  if (like === undefined) return own;
  if (typeof like !== 'string' || like === id || !isObject(all[like]))
    throw fault(`models.${id}.like`, 'a model', like);
  return { ...resolved(like, all), ...own };
}

function blank(id: string): Model {
  return { id, maxImagesPerCall: 1, operations: ['generate'], streams: false };
}

/**
 * A model with what `facts` says of it over what is known; throws a `TypeError` for an unknown or a wrong fact. `asOf` is
 * where its price is from: the date of a file, or `config`.
 */
export function readModel(id: string, facts: unknown, known: Model, where: string, asOf = 'config'): Model {
  let model: Model = { ...known, id };
  let capabilities: Partial<Capabilities> = known.capabilities ?? {};
  for (const [key, value] of Object.entries(objectAt(facts, where))) {
    const at = `${where}.${key}`;
    if (Object.hasOwn(FACTS, key)) model = { ...model, ...FACTS[key]?.(value, at, asOf) };
    else if (Object.hasOwn(CAPABILITIES, key))
      capabilities = { ...capabilities, ...CAPABILITIES[key]?.(value, at, asOf) };
    else throw fault(at, `one of ${[...Object.keys(FACTS), ...Object.keys(CAPABILITIES)].join(', ')}`, key);
  }
  if (Object.keys(capabilities).length === 0) return model;
  return { ...model, capabilities: { size: { kind: 'any' }, ...capabilities } };
}

type Read<Facts> = (value: JsonValue | undefined, at: string, asOf: string) => Partial<Facts>;

const OPERATIONS = ['generate', 'edit', 'variation', 'upscale'] as const;
const IMAGE_FORMATS = ['png', 'jpeg', 'webp', 'gif', 'svg', 'avif'] as const;

const FACTS: Readonly<Record<string, Read<Model>>> = {
  operations: (value, at) => ({ operations: choices(value, at, OPERATIONS) }),
  max_images_per_call: (value, at) => ({ maxImagesPerCall: whole(value, at) }),
  streams: (value, at) => ({ streams: flag(value, at) }),
  fast: (value, at) => ({ fast: flag(value, at) }),
  first_byte_timeout_ms: (value, at) => ({ firstByteMs: whole(value, at) }),
  shutdown_date: (value, at) => ({ shutdownDate: text(value, at) }),
  successor: (value, at) => ({ successor: text(value, at) }),
  price: (value, at, asOf) => dated({ price: price(value, at) }, asOf),
  limits: (value, at) => ({ limits: limits(value, at) }),
};

const CAPABILITIES: Readonly<Record<string, Read<Capabilities>>> = {
  size: (value, at) => ({ size: size(value, at) }),
  quality: (value, at) => ({ quality: texts(value, at) }),
  formats: (value, at) => ({ formats: choices(value, at, IMAGE_FORMATS) }),
  compression: (value, at) => (flag(value, at) ? { compression: true } : {}),
  background: (value, at) => ({ background: texts(value, at) }),
  moderation: (value, at) => ({ moderation: texts(value, at) }),
  max_seed: (value, at) => ({ maxSeed: whole(value, at) }),
  negative_prompt: (value, at) => (flag(value, at) ? { negativePrompt: true } : {}),
  references: (value, at) => ({ references: references(value, at) }),
  mask: (value, at) => ({ mask: choice(value, at, ['alpha', 'white', 'black']) }),
  max_prompt_chars: (value, at) => ({ maxPromptChars: whole(value, at) }),
};

function references(value: JsonValue | undefined, at: string): NonNullable<Capabilities['references']> {
  const given = objectAt(value, at);
  return { max: whole(given.max, `${at}.max`), as: choice(given.as, `${at}.as`, ['inline', 'link']) };
}

function size(value: JsonValue | undefined, at: string): SizeRule {
  const given = objectAt(value, at);
  const kind = choice(given.kind, `${at}.kind`, ['any', 'list', 'pixels', 'ratio', 'fixed']);
  const number = (key: string) => whole(given[key], `${at}.${key}`);
  switch (kind) {
    case 'any':
    case 'fixed':
      return { kind };
    case 'list':
      return { kind, sizes: texts(given.sizes, `${at}.sizes`) };
    case 'pixels':
      return {
        kind,
        multipleOf: given.multiple_of === undefined ? 1 : number('multiple_of'),
        minSide: number('min_side'),
        maxSide: number('max_side'),
        ...(given.min_pixels !== undefined && { minPixels: number('min_pixels') }),
        ...(given.max_pixels !== undefined && { maxPixels: number('max_pixels') }),
        ...(given.max_ratio !== undefined && { maxRatio: positive(given.max_ratio, `${at}.max_ratio`) }),
        ...(given.auto === true && { auto: true }),
      };
    case 'ratio':
      return {
        kind,
        ratios: texts(given.ratios, `${at}.ratios`),
        ...(given.resolutions !== undefined && { resolutions: resolutions(given.resolutions, `${at}.resolutions`) }),
      };
  }
}

/** `{"1K": 1024, "2K": 2048}`, smallest first. */
function resolutions(value: JsonValue, at: string): readonly (readonly [string, number])[] {
  return Object.entries(objectAt(value, at)).map(([name, side]) => [name, whole(side, `${at}.${name}`)] as const);
}
