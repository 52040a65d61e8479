import { isObject, type JsonValue } from '../json.ts';
import type { ImageSource } from '../providers/provider.ts';

/** Where a large base64 string of a provider's answer was put instead; see `scan.ts`. */
export interface BlobReference {
  readonly $blob: number;
}

/** Reads one image out of a provider's answer: a blob taken from it, short base64, a data URL, or a link. */
export function imageSource(value: JsonValue | undefined): ImageSource | undefined {
  if (isObject(value) && typeof value.$blob === 'number') return { kind: 'blob', blob: value.$blob };
  if (typeof value !== 'string') return undefined;
  if (/^https?:\/\//i.test(value)) return { kind: 'url', url: value };
  const comma = /^data:[^,]*;base64,/i.exec(value);
  return { kind: 'base64', base64: comma ? value.slice(comma[0].length) : value };
}
