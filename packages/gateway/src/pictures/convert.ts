import { type Asset, type AssetStore, createIntake, type ImageType, type Settled, type Unseen } from '@onetake/core';
import type { Sharp } from 'sharp';
import type { Decoder } from './decoder.ts';
import { type ProvenanceMark, provenanceMarks } from './provenance.ts';

/** What pictures can be written as. */
export type TargetFormat = Extract<ImageType, 'png' | 'jpeg' | 'webp' | 'avif'>;

export interface ConvertOptions {
  /** 1 to 100; PNG, which loses nothing, has none. Default 90, AVIF 65. */
  readonly quality?: number;
  /** A picture whose marks of origin the new one could not carry is `marked` instead. Default false. */
  readonly keepMarks?: boolean;
}

export interface ThumbnailOptions extends ConvertOptions {
  /** Default `webp`, which is small and keeps transparency. */
  readonly format?: TargetFormat;
}

/** A new picture, stored and verified like one from a provider; the one it was made from stays as it is. */
export interface Converted {
  readonly ok: true;
  readonly asset: Asset;
  /** Marks of the original that the new picture does not carry; whoever hands it over says so. */
  readonly lost: readonly ProvenanceMark[];
  /** Transparency was laid over white, because the format has none. */
  readonly flattened: boolean;
}

export interface NotConverted {
  readonly ok: false;
  readonly problem: Unseen['problem'] | 'animated' | 'marked' | 'unusable';
  readonly detail: string;
}

/**
 * Writes pictures anew. ICC profile, EXIF and XMP are kept; a C2PA manifest cannot be, since its signature is over the
 * original bytes, and whether a SynthID watermark in the pixels survives nobody can promise: the original has both.
 */
export interface Converter {
  /** The same asset where it has the format already. More than `MAX_WRITTEN_PIXELS` are `too_large`; animations are `animated`: a single picture would lose the others. */
  convert(asset: Asset, format: TargetFormat, options?: ConvertOptions): Promise<Converted | NotConverted>;
  /** At most `width` pixels wide (16 to 2,048, whole; otherwise a RangeError), never enlarged nor higher than 4,096; an animation's first picture. */
  resize(asset: Asset, width: number, options?: ThumbnailOptions): Promise<Converted | NotConverted>;
}

export const MIN_THUMBNAIL_WIDTH = 16;
export const MAX_THUMBNAIL_WIDTH = 2_048;
/** A strip of any width would be as high as it is long. */
const MAX_THUMBNAIL_HEIGHT = 4_096;
const THUMBNAIL_QUALITY = 80;
const QUALITY: Readonly<Record<TargetFormat, number>> = { png: 100, jpeg: 90, webp: 90, avif: 65 };
/** What is written within about 2 s and 150 MB: compressing costs more than decoding, AVIF's most of all. */
export const MAX_WRITTEN_PIXELS: Readonly<Record<TargetFormat, number>> = {
  png: 2 ** 24,
  jpeg: 2 ** 25,
  webp: 2 ** 24,
  avif: 2 ** 22,
};
/** Of 0 to 9: a million pixels take 0.2 s instead of the 1 s and more of the default, for files a tenth larger. */
const AVIF_EFFORT = 2;

export function createConverter(decoder: Decoder, assets: AssetStore): Converter {
  async function write(
    asset: Asset,
    prepare: (image: Sharp) => Sharp,
    as: Encoding,
  ): Promise<Converted | NotConverted> {
    const flattened = asset.alpha && as.format === 'jpeg';
    const decoded = await decoder.decode(asset, async (image, bytes) => {
      const lost = provenanceMarks(bytes);
      if (as.keepMarks && lost.length > 0) return { lost };
      const { space } = await image.metadata();
      const upright = keepColours(prepare(image.autoOrient()), space).keepExif().keepXmp();
      const written = await encode(flattened ? upright.flatten({ background: 'white' }) : upright, as).toBuffer();
      return { written, lost };
    });
    if (!decoded.ok) return { ok: false, problem: decoded.problem, detail: decoded.detail };
    const { written, lost } = decoded.result;
    if (written === undefined) return { ok: false, problem: 'marked', detail: `it would lose its ${lost.join()} mark` };
    const settled = await takeIn(assets, written);
    if (!settled.ok)
      return { ok: false, problem: 'unusable', detail: `what was written does not open: ${settled.detail}` };
    return { ok: true, asset: settled.asset, lost, flattened };
  }

  return {
    async convert(asset, format, { quality = QUALITY[format], keepMarks = false } = {}) {
      checkQuality(quality);
      if (asset.type === format) return { ok: true, asset, lost: [], flattened: false };
      if (asset.animated) {
        return { ok: false, problem: 'animated', detail: `as ${format} an animation would lose all but one picture` };
      }
      const tooLarge = asset.width * asset.height > MAX_WRITTEN_PIXELS[format];
      if (tooLarge) return { ok: false, problem: 'too_large', detail: tooManyPixels(asset, format) };
      return write(asset, (image) => image, { format, quality, keepMarks });
    },
    async resize(asset, width, { format = 'webp', quality = THUMBNAIL_QUALITY, keepMarks = false } = {}) {
      checkQuality(quality);
      checkWidth(width);
      const box = { width, height: Math.min(MAX_THUMBNAIL_HEIGHT, Math.floor(MAX_WRITTEN_PIXELS[format] / width)) };
      const shrink = (image: Sharp) => image.resize({ ...box, fit: 'inside', withoutEnlargement: true });
      return write(asset, shrink, { format, quality, keepMarks });
    },
  };
}

/**
 * Converts for those who asked for a format: transparency goes where theirs has none, but a picture whose C2PA manifest a
 * new file could not carry stays as it is.
 */
export function convertKeeping(converter: Converter) {
  return async (asset: Asset, type: ImageType): Promise<Asset | undefined> => {
    const format = TARGET_FORMATS.find((one) => one === type);
    const converted = format && (await converter.convert(asset, format, { keepMarks: true }));
    return converted?.ok ? converted.asset : undefined;
  };
}

const TARGET_FORMATS: readonly TargetFormat[] = ['png', 'jpeg', 'webp', 'avif'];

interface Encoding {
  readonly format: TargetFormat;
  readonly quality: number;
  readonly keepMarks: boolean;
}

/** Inks of print are turned into sRGB, which is all that PNG, WebP and most viewers have; anything else keeps its profile. */
function keepColours(image: Sharp, space: string | undefined): Sharp {
  return space === 'cmyk' ? image.toColourspace('srgb').withIccProfile('srgb') : image.keepIccProfile();
}

function encode(image: Sharp, { format, quality }: Encoding): Sharp {
  switch (format) {
    case 'png':
      return image.png();
    case 'jpeg':
      return image.jpeg({ quality });
    case 'webp':
      return image.webp({ quality });
    case 'avif':
      return image.avif({ quality, effort: AVIF_EFFORT });
  }
}

function tooManyPixels({ width, height }: Asset, format: TargetFormat): string {
  const most = MAX_WRITTEN_PIXELS[format];
  return `${width} × ${height} are more than the ${most} pixels that are written as ${format}; choose another format`;
}

async function takeIn(assets: AssetStore, bytes: Buffer): Promise<Settled> {
  const intake = createIntake(assets, { maxBlobs: 1 });
  const blob = intake.openBlob();
  await blob.write(bytes);
  return intake.settle(blob.end());
}

function checkQuality(quality: number): void {
  if (Number.isInteger(quality) && quality >= 1 && quality <= 100) return;
  throw new RangeError(`quality is ${quality}; it must be a whole number from 1 to 100`);
}

function checkWidth(width: number): void {
  if (Number.isInteger(width) && width >= MIN_THUMBNAIL_WIDTH && width <= MAX_THUMBNAIL_WIDTH) return;
  throw new RangeError(
    `width is ${width}; it must be a whole number from ${MIN_THUMBNAIL_WIDTH} to ${MAX_THUMBNAIL_WIDTH}`,
  );
}
