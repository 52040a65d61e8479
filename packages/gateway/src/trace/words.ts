import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { oneLine } from '../cli/text.ts';

/** A field of an answer as one line of text; undefined where there is none. */
export function textAt(value: JsonValue | undefined, name: string, maxCharacters = 300): string | undefined {
  const found = isObject(value) ? value[name] : undefined;
  return typeof found === 'string' && found !== '' ? oneLine(found, maxCharacters) : undefined;
}

export function numberAt(value: JsonValue | undefined, name: string): number | undefined {
  const found = isObject(value) ? value[name] : undefined;
  return typeof found === 'number' ? found : undefined;
}

export function objectAt(value: JsonValue | undefined, name: string): JsonObject | undefined {
  const found = isObject(value) ? value[name] : undefined;
  return isObject(found) ? found : undefined;
}

export function listAt(value: JsonValue | undefined, name: string): readonly JsonObject[] {
  const found = isObject(value) ? value[name] : undefined;
  return Array.isArray(found) ? found.filter(isObject) : [];
}

/** `1 234 ms`: the digits of long times are grouped. */
export function msText(ms: number): string {
  return `${String(Math.round(ms)).replaceAll(/\B(?=(\d{3})+$)/g, ' ')} ms`;
}

/** What was said, without what is not there. */
export function joined(parts: readonly (string | undefined)[], separator = ', '): string {
  return parts.filter((part) => part !== undefined && part !== '').join(separator);
}
