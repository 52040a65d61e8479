import { extname } from 'node:path';
import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { CliError, EXIT } from '../exit.ts';
import { readCsv } from './csv.ts';
import type { InputLine } from './line.ts';

export type InputFormat = 'jsonl' | 'csv' | 'lines';

export interface ReadInput {
  readonly format: InputFormat;
  readonly lines: readonly InputLine[];
}

export const INPUT_LIMITS = { lines: 100_000, bytes: 128 * 1024 ** 2 } as const;

const FORMATS: Readonly<Record<string, InputFormat>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.txt': 'lines',
};
const MAX_UNREAD_CHARACTERS = 1_000;
/** What `failed.jsonl` adds to a line, so that it can be corrected and used as an input itself. */
const FAILURE_FIELDS = ['line', 'code', 'kind', 'message', 'billed', 'generation'];

/**
 * Reads prompts: JSONL (objects with `prompt` and any field of a request, or texts), CSV with a header row, or one
 * prompt per line; by the extension of `name`, else by the first line. Blank lines are passed over. A line that cannot
 * be read is among the lines, with its problem; what is wrong with the file as a whole throws.
 */
export function readInput(bytes: Uint8Array, name: string): ReadInput {
  if (bytes.length > INPUT_LIMITS.bytes) throw wrong(name, `larger than ${INPUT_LIMITS.bytes} bytes; split it`);
  const text = decode(bytes, name);
  const format = FORMATS[extname(name).toLowerCase()] ?? formatOf(text, name);
  const lines = format === 'csv' ? readCsv(text, name) : readLines(text, format);
  if (lines.length > INPUT_LIMITS.lines)
    throw wrong(name, `${lines.length} lines are more than the ${INPUT_LIMITS.lines} of a batch; split it`);
  if (lines.length === 0) throw wrong(name, 'there is no line in it');
  return { format, lines };
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw wrong(name, 'it is not UTF-8; convert it');
  }
}

function formatOf(text: string, name: string): InputFormat {
  const first = /\S.*/.exec(text)?.[0].trim() ?? '';
  if (first.startsWith('[')) throw wrong(name, 'it begins like one JSON array; write one object per line (JSONL)');
  if (/^[{"]/.test(first) && parseJson(first) !== undefined) return 'jsonl';
  const cells = first.toLowerCase().split(',');
  return cells.length > 1 && cells.some((cell) => /^\s*"?prompt"?\s*$/.test(cell)) ? 'csv' : 'lines';
}

function readLines(text: string, format: 'jsonl' | 'lines'): readonly InputLine[] {
  const lines: InputLine[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const trimmed = raw.trim();
    if (trimmed === '') continue;
    lines.push({ line: index + 1, ...(format === 'lines' ? { input: { prompt: trimmed } } : readJson(trimmed)) });
  }
  return lines;
}

function readJson(text: string): Omit<InputLine, 'line'> {
  const value = parseJson(text);
  if (typeof value === 'string') return { input: { prompt: value } };
  if (isObject(value)) return { input: withoutFailure(value) };
  const found = value === undefined ? 'it is not JSON' : `it is ${Array.isArray(value) ? 'an array' : typeof value}`;
  const message = `${found}; write one object such as {"prompt": "a red fox"}, or a text in quotes`;
  return { input: { unread: text.slice(0, MAX_UNREAD_CHARACTERS) }, problem: { code: 'invalid_line', message } };
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function withoutFailure(value: JsonObject): JsonObject {
  if (typeof value.line !== 'number' || typeof value.code !== 'string') return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !FAILURE_FIELDS.includes(name)));
}

function wrong(name: string, what: string): CliError {
  return new CliError(`${name}: ${what}`, EXIT.usage);
}
