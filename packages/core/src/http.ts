import type { Asset } from './images/asset.ts';
import { isObject, type JsonObject, type JsonValue } from './json.ts';

/** A request as plain data: an adapter builds it, `authorize` adds the key, the transport sends it. Header names are lower case. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  /** It makes and bills nothing, as an upload does: where its answer is lost, nothing was spent. */
  readonly free?: true;
}

export type HttpBody =
  /** Pictures stand in it as `embedded` writes them. */
  | { readonly kind: 'json'; readonly value: JsonValue }
  /** Passed on as it came; JSON, unless the request's `content-type` says otherwise. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'multipart'; readonly parts: readonly Part[] };

/** A form field, or a file whose bytes are read from the asset store while the body is sent. */
export type Part =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly filename: string; readonly asset: Asset };

/**
 * A provider's whole answer as an adapter sees it.
 *
 * `body` is the parsed JSON in which every large base64 string stands as a `BlobReference`; it is undefined when the
 * answer was not JSON. `text` then holds its first 64 KiB.
 */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonValue | undefined;
  readonly text: string;
}

/** One Server-Sent Event of a provider's stream, its data parsed like a body. */
export interface SseEvent {
  readonly event: string | undefined;
  readonly data: JsonValue | undefined;
}

/** A picture inside a JSON body: in its place a string of base64 or a data URL is sent, read from the store meanwhile. */
export function embedded(asset: Asset, as: EmbeddedPicture['as']): JsonObject {
  const value = { $asset: { ...asset }, as };
  EMBEDDED.set(value, { asset, as });
  return value;
}

export interface EmbeddedPicture {
  readonly asset: Asset;
  readonly as: 'base64' | 'data-url';
}

const EMBEDDED = new WeakMap<object, EmbeddedPicture>();

/** The picture this stands for, if `embedded` made it. What a caller wrote to look like one is sent as it is written. */
export function embeddedPicture(value: JsonValue | undefined): EmbeddedPicture | undefined {
  return isObject(value) ? EMBEDDED.get(value) : undefined;
}
