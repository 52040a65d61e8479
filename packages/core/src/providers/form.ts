import type { Part } from '../http.ts';
import { type Asset, IMAGE_TYPES } from '../images/asset.ts';
import type { JsonValue } from '../json.ts';

export type FilePart = Extract<Part, { readonly asset: Asset }>;
export type FormField = readonly [name: string, value: JsonValue | undefined];

/** The files of every form here; an API that takes several calls them `image[]`. */
const FILE_FIELDS: readonly string[] = ['image', 'mask'];

/**
 * A form of fields, then files, in their order. Of fields of one name the last that is given stands. A text named like
 * a file (`image`, `image[]`, `mask`, or one of `files`) is left out: it would stand beside the file or in its place.
 */
export function formParts(fields: readonly FormField[], files: readonly FilePart[]): readonly Part[] {
  const taken = new Set([...FILE_FIELDS, ...files.map(({ name }) => withoutIndex(name))]);
  const given = new Map<string, string>();
  for (const [name, value] of fields) {
    if (value !== undefined && !taken.has(withoutIndex(name))) given.set(name, fieldText(value));
  }
  return [...[...given].map(([name, value]) => ({ name, value })), ...files];
}

/** `image[]` and `image[0]` are both `image`. */
function withoutIndex(name: string): string {
  return name.replace(/\[.*$/s, '');
}

/** A form has only texts; whatever is none goes as its JSON. */
function fieldText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A picture as a file of a form; `stem` is its name before the extension. */
export function filePart(name: string, asset: Asset, stem = name): FilePart {
  return { name, filename: `${stem}.${IMAGE_TYPES[asset.type].extension}`, asset };
}
