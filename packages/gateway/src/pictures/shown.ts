import { type Asset, createMemoryAssets } from '@onetake/core';
import { createConverter, MAX_THUMBNAIL_WIDTH, MIN_THUMBNAIL_WIDTH } from './convert.ts';
import type { Decoder } from './decoder.ts';

/** A stored picture as a chat model is shown it: a JPEG in memory, or undefined where it cannot be decoded. */
export type ShowPicture = (asset: Asset) => Promise<Buffer | undefined>;

const QUALITY = 80;

/** Never enlarges; the longer side has at most `sidePixels`, 16 to 2,048. An animation shows its first picture. */
export function createShowPicture(decoder: Decoder, sidePixels: number): ShowPicture {
  return async (asset) => {
    const target = createMemoryAssets();
    const { width, height } = asset;
    const fitting = Math.floor((sidePixels * width) / Math.max(width, height, 1));
    const bounded = Math.min(MAX_THUMBNAIL_WIDTH, Math.max(MIN_THUMBNAIL_WIDTH, fitting));
    const shown = await createConverter(decoder, target).resize(asset, bounded, { format: 'jpeg', quality: QUALITY });
    if (!shown.ok) return undefined;
    return Buffer.concat(await Array.fromAsync(target.read(shown.asset)));
  };
}
