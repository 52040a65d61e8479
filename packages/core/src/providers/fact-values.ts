import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import type { Price } from '../price.ts';
import { type Limits, parseRate, type Rate } from '../rate.ts';

/** `{per_image_usd}`, or `{per_million_tokens_usd: {text_input, image_input, output}}`, where `input` says both inputs at once. */
export function price(value: JsonValue | undefined, at: string): Price {
  const given = objectAt(value, at);
  if (given.per_image_usd !== undefined) return { perImageUsd: amount(given.per_image_usd, `${at}.per_image_usd`) };
  const where = `${at}.per_million_tokens_usd`;
  const tokens = objectAt(given.per_million_tokens_usd, where);
  const each = (key: string) => amount(tokens[key], `${where}.${key}`);
  const input = tokens.input === undefined ? undefined : each('input');
  return {
    perMillionTokensUsd: {
      textInput: input ?? each('text_input'),
      ...(tokens.cached_input !== undefined && { cachedInput: each('cached_input') }),
      imageInput: input ?? each('image_input'),
      output: each('output'),
    },
  };
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
