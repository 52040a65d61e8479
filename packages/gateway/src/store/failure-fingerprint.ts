import { createHash } from 'node:crypto';
import type { FailureKind } from '@onetake/core';

/** What makes two failures the same one. */
export interface FailureWords {
  readonly target?: string;
  readonly kind: FailureKind;
  readonly code?: string;
  readonly message?: string;
}

/** So many hex digits are never the same by chance among the failures that one gateway sees. */
const DIGITS = 16;

/** What differs each time one failure happens, in the order in which it is recognised: the larger forms first. */
const CHANGING: readonly (readonly [pattern: RegExp, word: string])[] = [
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, '<url>'],
  [/\b\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:z\b|[+-]\d\d:?\d\d\b)?/gi, '<time>'],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '<id>'],
  [/"[^"]*"|`[^`]*`|(?<![a-z0-9])'[^']*'(?![a-z0-9])|“[^”]*”|‘[^’]*’/gi, '<value>'],
  // Of eight or more characters with letters and digits among them: req_011CSHoEeqs5C35K, a picture's hash.
  [/(?<![a-z0-9_-])(?=[a-z_-]*\d)(?=[0-9_-]*[a-z])[a-z0-9_-]{8,}(?![a-z0-9_-])/gi, '<id>'],
  [/\d+(?:[.,:]\d+)*/gi, '<n>'],
  [/\s+/gi, ' '],
];

/**
 * The same for failures of one target, kind and code whose words differ only in numbers, ids, times, addresses and
 * quoted values; 16 hex digits.
 */
export function failureFingerprint({ target, kind, code, message }: FailureWords): string {
  const parts = [target ?? '', kind, code ?? '', normalised(message ?? '')];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, DIGITS);
}

/** As `masked`, in lower case, so that it is the same however it is spelled. */
export function normalised(message: string): string {
  return masked(message.toLowerCase());
}

/** A message with a word in the place of all that changes: fit to be told to others than whom it was for. */
export function masked(message: string): string {
  let words = message;
  for (const [pattern, word] of CHANGING) words = words.replace(pattern, word);
  return words.trim();
}
