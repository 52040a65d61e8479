import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { oneLine } from './text.ts';

/** The rows of a list as the gateway answers it. */
export function rowsOf({ data }: JsonObject): readonly JsonObject[] {
  return Array.isArray(data) ? data.filter(isObject) : [];
}

/** Text of the gateway's on one line; `-` where there is none. */
export function textCell(value: JsonValue | undefined, maxCharacters = 80): string {
  return typeof value === 'string' && value !== '' ? oneLine(value, maxCharacters) : '-';
}

export function numberCell(value: JsonValue | undefined): string {
  return typeof value === 'number' ? String(value) : '-';
}

/** `2026-11-21 14:03:05` (UTC) of epoch ms. */
export function timeCell(value: JsonValue | undefined): string {
  return typeof value === 'number' ? new Date(value).toISOString().slice(0, 19).replace('T', ' ') : '-';
}
