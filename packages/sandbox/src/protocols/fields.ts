import { RefusedError } from '../wire/answer.ts';

type Values = Readonly<Record<string, unknown>>;

/** What is wrong with a field, as the `code` of an `invalid` refusal whose `param` names it. */
export type FieldFault = 'missing' | 'type' | 'range' | 'choice';

/** A refusal of a field's value; its status is 400 until the protocol's `refuse` says otherwise. */
export function invalidField(param: string, code: FieldFault, rule: string): RefusedError {
  return new RefusedError({ status: 400, reason: 'invalid', code, param, message: `Invalid '${param}': ${rule}.` });
}

function present(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** A text of at most `most` characters; undefined where absent. */
export function readText(values: Values, param: string, most = 32_000): string | undefined {
  const value = values[param];
  if (!present(value)) return undefined;
  if (typeof value !== 'string') throw invalidField(param, 'type', 'expected a string');
  if (value.length > most) throw invalidField(param, 'range', `expected at most ${most} characters`);
  return value;
}

/** A text that must be there and not be empty. */
export function needText(values: Values, param: string, most = 32_000): string {
  const text = readText(values, param, most);
  if (text === undefined) throw invalidField(param, 'missing', 'the field is required');
  if (text === '') throw invalidField(param, 'range', 'expected at least 1 character');
  return text;
}

/** A number from `least` to `most`, from a form also as text; undefined where absent. */
export function readNumber(values: Values, param: string, least: number, most: number): number | undefined {
  const value = values[param];
  if (!present(value)) return undefined;
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof number !== 'number' || Number.isNaN(number)) throw invalidField(param, 'type', 'expected a number');
  if (number < least || number > most) throw invalidField(param, 'range', `expected ${least} to ${most}`);
  return number;
}

/** A whole number from `least` to `most`; undefined where absent. */
export function readInteger(values: Values, param: string, least: number, most: number): number | undefined {
  const number = readNumber(values, param, least, most);
  if (number !== undefined && !Number.isInteger(number)) throw invalidField(param, 'type', 'expected a whole number');
  return number;
}

/** A boolean, from a form also as text; false where absent. */
export function readBoolean(values: Values, param: string): boolean {
  const value = values[param];
  if (!present(value) || value === false || value === 'false') return false;
  if (value === true || value === 'true') return true;
  throw invalidField(param, 'type', 'expected a boolean');
}

/** One of `choices`; undefined where absent. */
export function readChoice<T extends string>(values: Values, param: string, choices: readonly T[]): T | undefined {
  const text = readText(values, param);
  if (text === undefined) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw invalidField(param, 'choice', `expected one of ${choices.join(', ')}`);
  return found;
}

/** An http or https address; undefined where absent. */
export function readLink(values: Values, param: string, most = 2083): string | undefined {
  const text = readText(values, param, most);
  if (text === undefined || (URL.canParse(text) && /^https?:/iu.test(text))) return text;
  throw invalidField(param, 'type', 'expected an http or https URL');
}

/** An object, such as `parameters`; empty where absent. */
export function readObject(values: Values, param: string): Values {
  const value = values[param];
  if (!present(value)) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidField(param, 'type', 'expected an object');
  return { ...value };
}

/** A list of at most `most` items; empty where absent. */
export function readList(values: Values, param: string, most = 100): readonly unknown[] {
  const value = values[param];
  if (!present(value)) return [];
  if (!Array.isArray(value)) throw invalidField(param, 'type', 'expected a list');
  if (value.length > most) throw invalidField(param, 'range', `expected at most ${most} items`);
  return value;
}

/** Width and height of about `pixels` in the ratio `w:h`, in multiples of `step`; undefined for what is no ratio. */
export function sidesOf(ratio: string, pixels = 1024 ** 2, step = 16): { width: number; height: number } | undefined {
  const [, w = 0, h = 0] = (/^(\d{1,4}(?:\.\d{1,4})?)[:x](\d{1,4}(?:\.\d{1,4})?)$/u.exec(ratio) ?? []).map(Number);
  if (!(w > 0 && h > 0)) return undefined;
  const side = (length: number) => Math.max(step, Math.round(length / step) * step);
  return { width: side(Math.sqrt((pixels * w) / h)), height: side(Math.sqrt((pixels * h) / w)) };
}
