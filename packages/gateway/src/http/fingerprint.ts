import { createHash } from 'node:crypto';
import type { JsonValue } from '@onetake/core';

/**
 * What makes two requests the same: SHA-256, in hex, of the canonical request as JSON with sorted keys, and of the
 * digests of its files in their order.
 */
export function fingerprint(canonical: JsonValue, fileHashes: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted({ request: canonical, files: fileHashes })))
    .digest('hex');
}

function sorted(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((one) => sorted(one) ?? null);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one)]));
}
