import {
  type Asset,
  embeddedPicture,
  type HttpBody,
  IMAGE_TYPES,
  isObject,
  type JsonObject,
  type JsonValue,
  type Part,
} from '@onetake/core';

/** Where a picture is read, built on the gateway's public address. */
export type UrlOf = (asset: Asset) => string;

/**
 * A body as JSON that can be read: `{kind: 'json', value, pictures}` or `{kind: 'form', parts}`, null where there is none.
 * In `value` a short text stands for each picture; `pictures` says at which path, in which form, and where it is read.
 */
export function bodyView(body: HttpBody | undefined, urlOf: UrlOf): JsonValue {
  if (body === undefined) return null;
  if (body.kind === 'multipart') return { kind: 'form', parts: body.parts.map((part) => partView(part, urlOf)) };
  if (body.kind === 'bytes') return { kind: 'text', value: Buffer.from(body.bytes).toString('utf8') };
  const pictures: JsonObject[] = [];
  const value = withoutPictures(body.value, [], (path, asset, as) => {
    pictures.push({ path, as, ...fileView(asset, urlOf) });
    return `<${asset.type} ${asset.width}x${asset.height} ${asset.bytes} B sha256:${asset.hash}>`;
  });
  return { kind: 'json', value, pictures };
}

function partView(part: Part, urlOf: UrlOf): JsonObject {
  if ('value' in part) return { name: part.name, value: part.value };
  return { name: part.name, filename: part.filename, ...fileView(part.asset, urlOf) };
}

function fileView(asset: Asset, urlOf: UrlOf): JsonObject {
  const { mime } = IMAGE_TYPES[asset.type];
  return { type: mime, bytes: asset.bytes, sha256: asset.hash, url: urlOf(asset) };
}

type Path = readonly (string | number)[];
type Shown = (path: Path, asset: Asset, as: 'base64' | 'data-url') => string;

function withoutPictures(value: JsonValue, path: Path, show: Shown): JsonValue {
  const picture = embeddedPicture(value);
  if (picture) return show(path, picture.asset, picture.as);
  if (Array.isArray(value)) return value.map((one: JsonValue, index) => withoutPictures(one, [...path, index], show));
  if (!isObject(value)) return value;
  const fields = Object.entries(value).filter((field): field is [string, JsonValue] => field[1] !== undefined);
  return Object.fromEntries(fields.map(([name, one]) => [name, withoutPictures(one, [...path, name], show)]));
}
