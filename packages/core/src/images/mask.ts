import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createDeflate, createInflate } from 'node:zlib';
import type { MaskPolarity } from '../capabilities.ts';
import type { Failure } from '../failure.ts';
import type { Asset, AssetStore } from './asset.ts';
import { createIntake, type Intake } from './intake.ts';
import { alphaReader, type Layout, MaskError, readLayout, rowBytesOf, unfilter } from './mask-rows.ts';

/** Enough for any mask a provider takes; beyond it only the time to convert it would grow. */
const MAX_MASK_PIXELS = 64 * 1024 * 1024;
const MAX_MASK_BYTES = 32 * 1024 * 1024;
/** What is worked on between two turns of the event loop: under a millisecond. */
const BLOCK_BYTES = 64 * 1024;
const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/**
 * Tells a mask in another model's terms. OpenAI's marks what is to be edited by transparency; the new one, stored
 * beside it, is a grey PNG (8 bits) of the same size in which that is white, or black, and the rest the opposite;
 * half-transparent is half-way. The same mask always gives the same bytes. What cannot be told so is a failure, before
 * anything is sent.
 */
export async function repaintMask(
  mask: Asset,
  mark: Exclude<MaskPolarity, 'alpha'>,
  assets: AssetStore,
): Promise<{ readonly asset: Asset } | { readonly failure: Failure }> {
  const intake = createIntake(assets);
  try {
    checkBounds(mask);
    const png = await readWhole(mask, assets);
    const layout = readLayout(png);
    const blob = intake.openBlob();
    await pipeline(
      Readable.from(layout.data),
      createInflate({ chunkSize: BLOCK_BYTES }),
      (inflated: AsyncIterable<Buffer>) => greyBlocks(inflated, layout, mark),
      createDeflate({ chunkSize: BLOCK_BYTES }),
      (deflated: AsyncIterable<Buffer>) => writePng(deflated, layout, blob),
    );
    const settled = await intake.settle(blob.end());
    return settled.ok ? { asset: settled.asset } : { failure: unreadable(settled.detail) };
  } catch (error) {
    if (error instanceof MaskError || isInflateError(error)) return { failure: unreadable(error.message) };
    throw error;
  } finally {
    await intake.discardAll();
  }
}

function checkBounds({ type, bytes, width, height }: Asset): void {
  if (type !== 'png') throw new MaskError(`it is ${type}; save it as a PNG with transparency`);
  if (width * height > MAX_MASK_PIXELS)
    throw new MaskError(`it measures ${width}x${height}, more than ${MAX_MASK_PIXELS} pixels; scale it down`);
  if (bytes > MAX_MASK_BYTES) throw new MaskError(`it has ${bytes} bytes, more than ${MAX_MASK_BYTES}; compress it`);
}

async function readWhole(mask: Asset, assets: AssetStore): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of assets.read(mask)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Scanlines of the new picture, many at a time in blocks of one size: what compresses them must not see how they came. */
async function* greyBlocks(
  inflated: AsyncIterable<Buffer>,
  layout: Layout,
  mark: Exclude<MaskPolarity, 'alpha'>,
): AsyncGenerator<Buffer> {
  const { width, height } = layout;
  const rowsPerBlock = Math.max(1, Math.floor(BLOCK_BYTES / (width + 1)));
  const paint = painter(layout, mark);
  let block = Buffer.alloc(rowsPerBlock * (width + 1));
  let rows = 0;
  for await (const scanline of scanlines(inflated, layout)) {
    // The first byte stays 0: no filter.
    paint(scanline, block.subarray((rows % rowsPerBlock) * (width + 1) + 1));
    rows += 1;
    if (rows % rowsPerBlock > 0) continue;
    yield block;
    block = Buffer.alloc(block.length);
  }
  if (rows < height) throw new MaskError('its data ends early; save it again');
  yield block.subarray(0, (rows % rowsPerBlock) * (width + 1));
}

/** Each unfiltered row, valid until the next. A little that follows the last row is passed over, as every decoder does. */
async function* scanlines(inflated: AsyncIterable<Buffer>, layout: Layout): AsyncGenerator<Buffer> {
  const length = rowBytesOf(layout) + 1;
  let row = Buffer.alloc(length);
  let above = Buffer.alloc(length);
  let filled = 0;
  let rows = 0;
  let beyond = 0;
  for await (const chunk of inflated) {
    if (rows === layout.height) beyond += chunk.length;
    if (beyond > BLOCK_BYTES) throw new MaskError('its data goes on after its last row; save it again');
    for (let at = 0; at < chunk.length && rows < layout.height; ) {
      const copied = chunk.copy(row, filled, at);
      at += copied;
      filled += copied;
      if (filled < length) break;
      unfilter(row, above, layout);
      yield row.subarray(1);
      [row, above, filled] = [above, row, 0];
      rows += 1;
    }
  }
}

function painter(layout: Layout, mark: Exclude<MaskPolarity, 'alpha'>): (row: Buffer, into: Buffer) => void {
  const alphaAt = alphaReader(layout);
  const flip = mark === 'white' ? 255 : 0;
  return (row, into) => {
    // White is what was transparent: 255 − alpha, which for a byte is its complement.
    for (let x = 0; x < layout.width; x += 1) into[x] = alphaAt(row, x) ^ flip;
  };
}

async function writePng(
  deflated: AsyncIterable<Buffer>,
  { width, height }: Layout,
  blob: ReturnType<Intake['openBlob']>,
): Promise<void> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  await blob.write(Buffer.concat([SIGNATURE, chunkOf('IHDR', header)]));
  for await (const data of deflated) await blob.write(chunkOf('IDAT', data));
  await blob.write(chunkOf('IEND', Buffer.alloc(0)));
}

function chunkOf(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

function isInflateError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

function unreadable(why: string): Failure {
  return {
    kind: 'image_format',
    certainty: 'not_sent',
    message: `mask: it cannot be told to this model in its terms: ${why}`,
    param: 'mask',
    code: 'invalid_image_file',
    classifiedBy: 'mask',
  };
}
