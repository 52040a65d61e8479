import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import type { PictureMatch, PictureRate, PictureTokens, Price } from '../price.ts';
import { type Limits, parseRate, type Rate } from '../rate.ts';

const FORMS = ['per_image_usd', 'per_megapixel_usd', 'per_million_tokens_usd'] as const;
/** What else may stand beside a form. */
const BESIDE: Readonly<Record<(typeof FORMS)[number], readonly string[]>> = {
  per_image_usd: ['as_of'],
  per_megapixel_usd: ['as_of', 'auto_size'],
  per_million_tokens_usd: ['as_of', 'output_tokens', 'reference_tokens'],
};
const MAX_ROWS = 100;

/**
 * One of `{per_image_usd}`, an amount or rows of `{size, quality, resolution, usd}` of which the first that matches
 * counts; `{per_megapixel_usd}`, with the `auto_size` of what no size was asked for; and `{per_million_tokens_usd: {text_input, image_input, output}}`, where `input` says
 * both inputs at once, with `output_tokens` of a picture, a count or rows like those with `tokens`, and
 * `reference_tokens` of one that goes in. `as_of`: the ISO date of the price, where it is not the file's.
 */
export function price(value: JsonValue | undefined, at: string): Price {
  const given = objectAt(value, at);
  const said = FORMS.filter((form) => given[form] !== undefined);
  const [form] = said;
  if (form === undefined || said.length > 1) throw fault(at, `one of ${FORMS.join(', ')}`, value);
  const unknown = Object.keys(given).find((key) => key !== form && !BESIDE[form].includes(key));
  if (unknown !== undefined)
    throw fault(`${at}.${unknown}`, `beside ${form} one of ${BESIDE[form].join(', ')}`, unknown);
  const asOf = given.as_of === undefined ? {} : { asOf: date(given.as_of, `${at}.as_of`) };
  const where = `${at}.${form}`;
  switch (form) {
    case 'per_image_usd':
      return {
        perImageUsd: Array.isArray(given[form]) ? rates(given[form], where) : amount(given[form], where),
        ...asOf,
      };
    case 'per_megapixel_usd':
      return { perMegapixelUsd: amount(given[form], where), ...autoSize(given, at), ...asOf };
    case 'per_million_tokens_usd':
      return { ...tokenPrice(given, where, at), ...asOf };
  }
}

function autoSize({ auto_size: said }: JsonObject, at: string): { readonly autoSize?: string } {
  if (said === undefined) return {};
  if (typeof said === 'string' && /^[1-9]\d{0,4}x[1-9]\d{0,4}$/.test(said)) return { autoSize: said };
  throw fault(`${at}.auto_size`, 'a size such as 1024x768', said);
}

function tokenPrice(given: JsonObject, where: string, at: string): Price {
  const tokens = objectAt(given.per_million_tokens_usd, where);
  const each = (key: string) => amount(tokens[key], `${where}.${key}`);
  const input = tokens.input === undefined ? undefined : each('input');
  const { output_tokens: out, reference_tokens: reference } = given;
  return {
    perMillionTokensUsd: {
      textInput: input ?? each('text_input'),
      ...(tokens.cached_input !== undefined && { cachedInput: each('cached_input') }),
      imageInput: input ?? each('image_input'),
      output: each('output'),
    },
    ...(out !== undefined && { outputTokens: counts(out, `${at}.output_tokens`) }),
    ...(reference !== undefined && { referenceTokens: whole(reference, `${at}.reference_tokens`) }),
  };
}

function rates(value: JsonValue | undefined, at: string): readonly PictureRate[] {
  return rowsAt(value, at).map(({ usd, ...match }, index) => {
    const where = `${at}[${index}]`;
    return { ...matchOf(match, where), usd: amount(usd, `${where}.usd`) };
  });
}

function counts(value: JsonValue, at: string): readonly PictureTokens[] {
  if (typeof value === 'number') return [{ tokens: whole(value, at) }];
  return rowsAt(value, at).map(({ tokens, ...match }, index) => {
    const where = `${at}[${index}]`;
    return { ...matchOf(match, where), tokens: whole(tokens, `${where}.tokens`) };
  });
}

function rowsAt(value: JsonValue | undefined, at: string): readonly JsonObject[] {
  if (Array.isArray(value) && value.length > 0 && value.length <= MAX_ROWS)
    return value.map((row: JsonValue, index) => objectAt(row, `${at}[${index}]`));
  throw fault(at, `a list of 1 to ${MAX_ROWS} rows`, value);
}

function matchOf(row: JsonObject, at: string): PictureMatch {
  const fields = ['size', 'quality', 'resolution'] as const;
  return Object.fromEntries(
    Object.entries(row).map(([key, given]) => [choice(key, `${at}.${key}`, fields), text(given, `${at}.${key}`)]),
  );
}

/** `{requests, images, tokens, concurrency}`; a rate is a count and a window, `5/60s`, or a list of them. */
export function limits(value: JsonValue | undefined, at: string): Limits {
  const { concurrency, ...rates } = objectAt(value, at);
  const read = Object.entries(rates).map(([key, given]) => [
    choice(key, `${at}.${key}`, ['requests', 'images', 'tokens']),
    (Array.isArray(given) ? given : [given]).map((one) => rate(one, `${at}.${key}`)),
  ]);
  return {
    ...Object.fromEntries(read),
    ...(concurrency !== undefined && { concurrency: whole(concurrency, `${at}.concurrency`) }),
  };
}

function rate(value: JsonValue | undefined, at: string): Rate {
  const read = typeof value === 'string' ? parseRate(value) : undefined;
  if (read === undefined) throw fault(at, 'a count and a window such as 5/60s', value);
  return read;
}

export function objectAt(value: unknown, at: string): JsonObject {
  if (isObject(value)) return value;
  throw fault(at, 'an object', value);
}

export function text(value: JsonValue | undefined, at: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw fault(at, 'a text', value);
}

/** `2026-11-21`. */
export function date(value: JsonValue | undefined, at: string): string {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)) return value;
  throw fault(at, 'an ISO date', value);
}

/** The price with where it is from, unless it says so itself. */
export function dated<Known extends { readonly price?: Price }>(known: Known, asOf: string): Known {
  const { price: said } = known;
  return said === undefined || said.asOf !== undefined ? known : { ...known, price: { ...said, asOf } };
}

export function texts(value: JsonValue | undefined, at: string): readonly string[] {
  if (Array.isArray(value) && value.length > 0) return value.map((one: JsonValue) => text(one, at));
  throw fault(at, 'a list of texts', value);
}

export function flag(value: JsonValue | undefined, at: string): boolean {
  if (typeof value === 'boolean') return value;
  throw fault(at, 'true or false', value);
}

export function whole(value: JsonValue | undefined, at: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw fault(at, 'a whole number above 0', value);
}

export function positive(value: JsonValue, at: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw fault(at, 'a number above 0', value);
}

export function amount(value: JsonValue | undefined, at: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw fault(at, 'an amount of dollars', value);
}

export function choice<Choice extends string>(value: JsonValue | undefined, at: string, of: readonly Choice[]): Choice {
  const found = of.find((one) => one === value);
  if (found === undefined) throw fault(at, `one of ${of.join(', ')}`, value);
  return found;
}

export function choices<Choice extends string>(value: JsonValue | undefined, at: string, of: readonly Choice[]) {
  return texts(value, at).map((one) => choice(one, at, of));
}

/** What is thrown for a wrong fact: its place, what was expected, and what stands there. */
export function fault(at: string, expected: string, got: unknown): TypeError {
  const shown = got === undefined ? 'nothing' : JSON.stringify(got).slice(0, 100);
  return new TypeError(`${at}: expected ${expected}, got ${shown}`);
}
