import type { ServerResponse } from 'node:http';
import type { Asset } from '@onetake/core';
import { createBlockPool } from '../assets/block-pool.ts';

/** A piece of an answer: text as it is, or an asset whose bytes go out as base64. */
export type Segment = string | Asset;

/** Where pictures are read. A store may read into `buffer`, each chunk over the one before it. */
export interface PictureReader {
  read(asset: Asset, options?: { readonly buffer: Buffer }): AsyncIterable<Uint8Array>;
}

/** Multiples of three, so that the base64 of pieces joins without padding in between. */
const READ_BYTES = 192 * 1024;
/** The base64 of a piece is below the size from which V8 gives a string pages of its own. */
const PIECE_BYTES = 48 * 1024;
const MAX_RESTING_BLOCKS = 32;

/** A caller who takes nothing for so long has stopped reading; its answer is kept for its next request. */
const STALLED_MS = 60_000;

const blocks = createBlockPool(READ_BYTES, MAX_RESTING_BLOCKS);

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
  assets: PictureReader,
): Promise<boolean> {
  // Corked, what is written between two waits leaves as one system call.
  response.cork();
  try {
    for (const segment of segments) {
      if (response.destroyed) return false;
      if (typeof segment === 'string') response.write(segment, 'utf8');
      else if (!(await writePicture(response, segment, assets))) return false;
    }
  } finally {
    response.uncork();
  }
  return true;
}

async function writePicture(response: ServerResponse, asset: Asset, assets: PictureReader): Promise<boolean> {
  const buffer = blocks.take();
  try {
    for await (const chunk of assets.read(asset, { buffer })) {
      if (response.destroyed) return false;
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        response.write(bytes.toString('base64', at, at + PIECE_BYTES), 'latin1');
      }
      if (response.writableNeedDrain && !(await drained(response))) return false;
    }
  } finally {
    blocks.give(buffer);
  }
  return true;
}

/** Lets go what is corked and waits until the caller has taken it; false when the caller is gone. */
async function drained(response: ServerResponse): Promise<boolean> {
  response.uncork();
  try {
    if (response.destroyed) return false;
    // Letting go may have been enough, and then no event will say so.
    if (!response.writableNeedDrain) return true;
    return await new Promise((resolve) => {
      const stalled = setTimeout(() => response.destroy(), STALLED_MS);
      const end = (open: boolean) => {
        clearTimeout(stalled);
        response.off('drain', onDrain);
        response.off('close', onClose);
        resolve(open);
      };
      const onDrain = () => end(true);
      const onClose = () => end(false);
      response.once('drain', onDrain);
      response.once('close', onClose);
    });
  } finally {
    response.cork();
  }
}
