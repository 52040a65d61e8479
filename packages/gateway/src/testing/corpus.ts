import type { Asset, ImageType } from '@onetake/core';

/** One file of the corpus, and what must be said of it. */
export interface Specimen {
  readonly name: string;
  readonly bytes: Buffer;
  /** What the verifier says: the type of a whole picture, or the problem. */
  readonly verdict: ImageType | 'empty' | 'not_an_image' | 'truncated' | 'damaged' | 'too_large';
  /** What looking says when the verifier let it pass: `seen`, or the problem. */
  readonly look?: 'seen' | 'not_looked_at' | 'undecodable' | 'too_large';
  /** Of whole pictures. */
  readonly is?: Partial<Asset>;
  /** Codes of suspicion, for a request that asks for nothing in particular; default none. */
  readonly suspect?: readonly string[];
}

const CHANNELS = 3;

/** Raw RGB of something like a photo: slopes, edges and a little noise, the same every time. */
export function photoPixels(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(width * height * CHANNELS);
  let noise = 1;
  for (let at = 0, place = 0; at < pixels.length; at += CHANNELS, place += 1) {
    const [x, y] = [place % width, Math.floor(place / width)];
    noise = (Math.imul(noise, 1_103_515_245) + 12_345) & 0x7fffffff;
    const edge = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2 ? 70 : 0;
    const grain = (noise >> 16) % 8;
    pixels[at] = 40 + edge + grain + Math.floor((100 * x) / width);
    pixels[at + 1] = 60 + grain + Math.floor((120 * y) / height);
    pixels[at + 2] = 180 - edge + grain;
  }
  return pixels;
}
