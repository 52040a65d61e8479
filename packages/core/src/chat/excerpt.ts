import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { MAX_EXCERPT_CHARS } from './chat.ts';
import type { ChatEndpoint } from './endpoints.ts';

/** Looked at of a text; more than that many characters of white space in front of the words is not worth a search. */
const MAX_LOOKED_AT_CHARS = 16 * MAX_EXCERPT_CHARS;

/**
 * The beginning of what was said last: by a user, else by anybody; of embeddings the first text. On one line, of whole
 * characters, without control characters (a database refuses some of them); empty where there are no words.
 */
export function excerptOf(endpoint: ChatEndpoint, { messages, input }: JsonObject): string {
  if (endpoint === 'embeddings') return cut(firstText(input) ?? lastSaid(messages) ?? '');
  const spoken = endpoint === 'responses' ? input : messages;
  return cut((typeof spoken === 'string' ? spoken : lastSaid(spoken)) ?? '');
}

function firstText(input: JsonValue | undefined): string | undefined {
  if (typeof input === 'string') return input;
  const first = Array.isArray(input) ? input.find((one) => wordsOf(one) !== '') : undefined;
  return first === undefined ? undefined : wordsOf(first);
}

function lastSaid(messages: JsonValue | undefined): string | undefined {
  if (!Array.isArray(messages)) return undefined;
  const said = (message: JsonValue) => isObject(message) && wordsOf(message) !== '';
  const last =
    messages.findLast((message) => isObject(message) && message.role === 'user' && said(message)) ??
    messages.findLast(said);
  return last && wordsOf(last);
}

/** The words of a message, an item, or a part. */
function wordsOf(value: JsonValue): string {
  if (typeof value === 'string') return value.trim() === '' ? '' : value;
  if (!isObject(value)) return '';
  const { content, text, output } = value;
  for (const said of [content, text, output]) {
    if (typeof said === 'string') return said;
    if (Array.isArray(said)) return joined(said);
  }
  return '';
}

/** The texts of content parts, no more of them than an excerpt can hold. */
function joined(parts: readonly JsonValue[]): string {
  let words = '';
  for (const part of parts) {
    const text = typeof part === 'string' ? part : isObject(part) && typeof part.text === 'string' ? part.text : '';
    if (text !== '') words += `${text.slice(0, MAX_LOOKED_AT_CHARS)} `;
    if (words.length > MAX_LOOKED_AT_CHARS) break;
  }
  return words;
}

function cut(text: string): string {
  const line = text
    .slice(0, MAX_LOOKED_AT_CHARS)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const end = isHalf(line.charCodeAt(MAX_EXCERPT_CHARS - 1)) ? MAX_EXCERPT_CHARS - 1 : MAX_EXCERPT_CHARS;
  return line
    .slice(0, line.length > MAX_EXCERPT_CHARS ? end : undefined)
    .toWellFormed()
    .trimEnd();
}

/** The first half of a character that takes two. */
function isHalf(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
