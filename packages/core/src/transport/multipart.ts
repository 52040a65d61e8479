import { createHash } from 'node:crypto';
import type { Part } from '../http.ts';
import { IMAGE_TYPES } from '../images/asset.ts';
import type { SendOptions } from '../io.ts';
import { messageOf } from '../message-of.ts';
import { BodyReadError } from './fault.ts';

/** A multipart/form-data body (RFC 7578) whose length is known before any file is read. */
export interface Multipart {
  readonly contentType: string;
  readonly contentLength: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Files are streamed by `readAsset`, byte for byte as they come; a failing one ends the body with a BodyReadError. */
export function multipart(parts: readonly Part[], readAsset: SendOptions['readAsset']): Multipart {
  const boundary = boundaryOf(parts);
  const heads = parts.map((part) => Buffer.from(`--${boundary}\r\n${partHeaders(part)}\r\n\r\n`));
  const tail = Buffer.from(`--${boundary}--\r\n`);
  const lineEnd = Buffer.from('\r\n');

  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const [index, part] of parts.entries()) {
      yield heads[index] ?? lineEnd;
      yield* 'asset' in part ? file(part, readAsset) : [Buffer.from(part.value)];
      yield lineEnd;
    }
    yield tail;
  }

  const sizes = parts.map((part) => ('asset' in part ? part.asset.bytes : Buffer.byteLength(part.value)));
  const contentLength = [...heads.map((head) => head.length + lineEnd.length), ...sizes, tail.length].reduce(
    (sum, bytes) => sum + bytes,
    0,
  );
  return { contentType: `multipart/form-data; boundary=${boundary}`, contentLength, chunks: chunks() };
}

/** A digest of all that the body holds: the same parts give the same bytes, and no part can hold its own digest. */
function boundaryOf(parts: readonly Part[]): string {
  const contents = parts.map((part) =>
    'asset' in part ? [part.name, part.filename, part.asset.hash] : [part.name, part.value],
  );
  return `onetake-${createHash('sha256').update(JSON.stringify(contents)).digest('hex').slice(0, 40)}`;
}

function partHeaders(part: Part): string {
  const disposition = `content-disposition: form-data; name="${quoted(part.name)}"`;
  if (!('asset' in part)) return disposition;
  const { mime } = IMAGE_TYPES[part.asset.type];
  return `${disposition}; filename="${quoted(part.filename)}"\r\ncontent-type: ${mime}`;
}

/** The escapes of the HTML standard's multipart/form-data encoding algorithm. */
function quoted(text: string): string {
  return text.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
}

async function* file(part: Extract<Part, { asset: unknown }>, readAsset: SendOptions['readAsset']) {
  try {
    yield* readAsset(part.asset);
  } catch (cause) {
    throw new BodyReadError(`The file of part "${part.name}" could not be read: ${messageOf(cause)}`, { cause });
  }
}
