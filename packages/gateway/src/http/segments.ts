import type { ServerResponse } from 'node:http';
import type { Asset, AssetStore } from '@onetake/core';

/** A piece of an answer: text as it is, or an asset whose bytes go out as base64. */
export type Segment = string | Asset;

/** Exact length in bytes, so that an answer can say it before a picture is read. */
export function segmentsLength(segments: readonly Segment[]): number {
  return segments.reduce(
    (sum, one) => sum + (typeof one === 'string' ? Buffer.byteLength(one) : base64Length(one.bytes)),
    0,
  );
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/**
 * Writes the segments in order, reading pictures piece by piece, never faster than the caller takes them. Resolves
 * false when the caller went away. Does not end the response.
 */
export async function writeSegments(
  response: ServerResponse,
  segments: readonly Segment[],
  assets: AssetStore,
): Promise<boolean> {
  let text = '';
  for (const segment of segments) {
    if (typeof segment === 'string') {
      text += segment;
      continue;
    }
    if (text !== '' && !(await push(response, text, 'utf8'))) return false;
    text = '';
    // The store's chunks are multiples of three bytes, so their base64 joins without padding in between.
    for await (const chunk of assets.read(segment)) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      if (!(await push(response, bytes.toString('base64'), 'latin1'))) return false;
    }
  }
  return text === '' || push(response, text, 'utf8');
}

async function push(response: ServerResponse, text: string, encoding: BufferEncoding): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(text, encoding)) return true;
  return new Promise((resolve) => {
    const end = (open: boolean) => {
      response.off('drain', drained);
      response.off('close', closed);
      resolve(open);
    };
    const drained = () => end(true);
    const closed = () => end(false);
    response.once('drain', drained);
    response.once('close', closed);
  });
}
