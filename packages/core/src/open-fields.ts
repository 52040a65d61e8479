import type { JsonObject } from './json.ts';
export function openFields(extra: JsonObject, { free: _ }: { readonly free?: boolean } = {}): JsonObject {
  return extra;
}
