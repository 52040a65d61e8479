import type { Asset, AssetStore, Unseen } from '@onetake/core';
import sharp, { type Sharp } from 'sharp';

/** What became of decoding a picture. */
export type Decoded<Result> = { readonly ok: true; readonly result: Result } | ({ readonly ok: false } & Unseen);

/** The bytes as they are stored, and libvips about to decode the first picture among them; may be called twice. */
export type DecodeWork<Result> = (image: Sharp, bytes: Buffer) => Promise<Result>;

export interface DecodingLimits {
  readonly maxPixels: number;
  readonly timeoutMs: number;
}

/** The formats that the verifier knows, from memory alone: no other parser of libvips is ever given a byte. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((format) => `VipsForeignLoad${format}Buffer`);
const MAX_DETAIL_CHARS = 200;

/** Sets what holds for libvips in the whole process: one thread per picture, nothing kept in memory, no other format. */
export function confineLibvips(): void {
  sharp.cache(false);
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: LOADERS });
}

/**
 * Decodes bytes of the type that was verified; never rejects. JPEG is read strictly first: libjpeg only warns where data
 * ends early and paints the rest grey, which nobody wants. It warns as well of what does no harm, and then the picture is
 * decoded once more.
 */
export async function decodeBytes<Result>(
  bytes: Buffer,
  type: Asset['type'],
  work: DecodeWork<Result>,
  { maxPixels, timeoutMs }: DecodingLimits,
): Promise<Decoded<Result>> {
  const open = (failOn: 'error' | 'warning') =>
    sharp(bytes, { limitInputPixels: maxPixels, failOn, sequentialRead: true, pages: 1 }).timeout({
      seconds: Math.ceil(timeoutMs / 1000),
    });
  try {
    if (type !== 'jpeg') return { ok: true, result: await work(open('error'), bytes) };
    const strict = work(open('warning'), bytes);
    return { ok: true, result: await strict.catch((error) => tolerate(error, () => work(open('error'), bytes))) };
  } catch (error) {
    return { ok: false, ...readError(error, type) };
  }
}

function tolerate<Result>(error: unknown, again: () => Promise<Result>): Promise<Result> {
  const cause = lastLine(error);
  return /VipsJpeg/.test(cause) && !/premature end/i.test(cause) ? again() : Promise.reject(error);
}

function readError(error: unknown, type: Asset['type']): Unseen {
  const text = textOf(error);
  const detail = lastLine(error);
  if (/pixel limit/i.test(text)) return unseen('too_large', detail);
  if (/timeout|timed out/i.test(text)) return unseen('timeout', detail);
  // Sequences and some whole pictures of many bits are AVIF that this libvips was not built for.
  if (type === 'avif' && /unsupported (?:image format|feature)/i.test(text)) {
    return unseen('not_looked_at', `no decoder here reads it: ${detail}`);
  }
  return unseen('undecodable', `its pixels cannot be decoded: ${detail}`);
}

/** All bytes of a picture, which are as many as its asset says, or why they are not there; ends early once `isLate`. */
export async function gather(
  assets: Pick<AssetStore, 'read'>,
  asset: Asset,
  isLate: () => boolean,
): Promise<Buffer | Unseen> {
  const bytes = Buffer.allocUnsafeSlow(asset.bytes);
  let filled = 0;
  try {
    for await (const chunk of assets.read(asset)) {
      if (isLate()) break;
      if (filled + chunk.length > bytes.length) return unseen('missing', `it is longer than its ${bytes.length} bytes`);
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
  } catch (error) {
    return unseen('missing', lastLine(error));
  }
  if (filled < bytes.length) return unseen('missing', `${filled} of its ${bytes.length} bytes are stored`);
  return bytes;
}

export function unseen(problem: Unseen['problem'], detail: string): Unseen {
  return { problem, detail };
}

/** libvips gathers what each layer says; the cause comes last, at times followed by numbers alone. */
function lastLine(error: unknown): string {
  const lines = textOf(error).split('\n');
  return (lines.findLast((line) => /[a-z]{3}/i.test(line)) ?? '').trim().slice(0, MAX_DETAIL_CHARS);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
