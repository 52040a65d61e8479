import { isObject, type JsonObject, type JsonValue, parseJson } from '@onetake/core';

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const HIDDEN = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'err']);

/** A line of JSON for people: time, level, what happened, `name=value`; under it the stack of an error. Ends with a line feed. */
export function prettyLine(line: string): string {
  const entry = parseJson(line);
  if (!isObject(entry)) return line;
  const { level, time, msg, err } = entry;
  const at = typeof time === 'number' ? new Date(time).toISOString().slice(11, 23) : '';
  const fields = Object.entries(entry).filter(([name]) => !HIDDEN.has(name));
  const words = [
    at,
    (LEVELS[Number(level)] ?? String(level)).padEnd(5),
    printable(typeof msg === 'string' ? msg : ''),
    ...fields.map(([name, value]) => `${printable(name)}=${shown(value)}`),
  ];
  return `${words.filter((word) => word !== '').join(' ')}\n${isObject(err) ? errorLines(err, '  ') : ''}`;
}

const MAX_DEPTH = 5;

/** A stack begins with the name and the message. */
function errorLines(error: JsonObject, indent: string, depth = 0): string {
  const { type, message, stack, cause, code } = error;
  const text = typeof stack === 'string' ? stack : `${String(type ?? 'Error')}: ${String(message ?? '')}`;
  const lines = text.split('\n').map((one) => `${indent}${printable(one.trim())}\n`);
  const known = code === undefined || code === null ? '' : `${indent}code=${shown(code)}\n`;
  const deeper = isObject(cause) && depth < MAX_DEPTH ? errorLines(cause, `${indent}  `, depth + 1) : '';
  return `${lines.join('')}${known}${deeper}`;
}

function shown(value: JsonValue | undefined): string {
  if (typeof value !== 'string') return printable(JSON.stringify(value) ?? '');
  return /^[^\s"=]+$/.test(value) ? printable(value) : printable(JSON.stringify(value));
}

/** What a terminal would obey is no text: controls, line separators, and what turns the direction of writing. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, ' ');
}
