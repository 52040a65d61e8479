import type { Asset, Look, Unseen } from '@onetake/core';
import { createDecoder, type Decoder, type DecoderOptions } from './decoder.ts';
import { measure } from './measure.ts';

/** Measures stored pictures, to find those that are whole and yet wrong. */
export interface Looker {
  /** Never rejects, and answers within the decoder's time limit. Of an animation only the first picture is seen. */
  look(asset: Asset): Promise<Look | Unseen>;
}

/** The longer side of what is measured: 65,536 pixels at most, some 3 ms of the main thread. */
export const MEASURED_SIDE_PIXELS = 256;

/** A looker with a decoder of its own. */
export function createLooker(options: DecoderOptions): Looker {
  return lookThrough(createDecoder(options));
}

/** A looker that shares its decoder, and so its bounds, with conversions. */
export function lookThrough(decoder: Decoder): Looker {
  return {
    async look(asset) {
      const decoded = await decoder.decode(asset, async (image) => {
        const side = MEASURED_SIDE_PIXELS;
        const { width, height, autoOrient } = await image.metadata();
        const { data, info } = await image
          .autoOrient()
          .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
          .toColourspace('srgb')
          .ensureAlpha()
          .raw({ depth: 'uchar' })
          .toBuffer({ resolveWithObject: true });
        const measured = measure({ data, width: info.width, height: info.height });
        const shown = asset.type === 'gif' ? asset : (autoOrient ?? { width, height });
        return { width: shown.width ?? width, height: shown.height ?? height, ...measured };
      });
      if (decoded.ok) return decoded.result;
      return { problem: decoded.problem, detail: decoded.detail };
    },
  };
}
