import type { Asset } from '../images/asset.ts';
import type { ImageRequest } from '../request.ts';
import type { Look, Placeholder, Suspicion, SuspicionCode, Unseen } from '../suspects.ts';
import { off, type Pixels, parseRatio, parseResolution, parseSize, spellSize } from './pixels.ts';
import { KNOWN_PLACEHOLDERS } from './placeholders.ts';

/** What a request says of the picture itself. Sizes and formats are those the target was asked for, after adaptation. */
export type Wanted = Pick<ImageRequest, 'size' | 'aspectRatio' | 'resolution' | 'outputFormat' | 'background'>;

export interface Examined {
  readonly request: Wanted;
  readonly asset: Pick<Asset, 'type' | 'width' | 'height' | 'animated' | 'alpha'>;
  /** The provider's own mark, such as `nsfw`. */
  readonly flagged?: string | undefined;
  /** Without it only what needs no decoding is judged: type, size, shape and flag. */
  readonly look?: Look | Unseen | undefined;
  /** Default: those that ship. */
  readonly placeholders?: readonly Placeholder[];
}

/** One step of an 8-bit picture: a flat colour after JPEG and scaling stays below, the faintest gradient of 2 % is at 0.006. */
export const UNIFORM_DEVIATION = 0.004;
/** Five steps of 256. A night photo has a mean of 0.02 and more; what has less also needs a dark peak. */
export const BLACK_MEAN_LUMA = 0.02;
/** Twenty steps of 256: one lit window or star of a dark picture is brighter, also scaled down. */
export const BLACK_PEAK_LUMA = 0.08;
/** A drawing on nothing covers more than one part in 500 of its canvas, be it a signature. */
export const TRANSPARENT_SHARE = 0.002;
/** Where nobody asked for transparency a picture that is 98 % of it is a failed one. */
export const UNASKED_TRANSPARENT_SHARE = 0.02;
/** From here on the opacity draws a shape, and the colour under it may be one: a white icon is no uniform picture. */
export const SHAPED_ALPHA_DEVIATION = 0.02;
/** Per side. Models round to multiples of up to 64 pixels, which is one part in 16 of 1024. */
export const SIDE_TOLERANCE = 1 / 16;
/** Models round 21:9 and 4:3 by up to 4 %; the nearest two ratios in use, 5:4 and 4:3, are 6.5 % apart. */
export const RATIO_TOLERANCE = 0.06;
/** In the square root of the area. `4K` is 4096 × 4096 to one provider and 3840 × 2160 to another, 1.42 apart; the next step is 2. */
export const RESOLUTION_TOLERANCE = 0.6;
/** Of 64 bits. Other sizes and qualities of one picture differ in 0 to 3; other pictures in about 32. */
export const PLACEHOLDER_BITS = 4;
/** In mean luma and deviation: about one step of an 8-bit picture. */
export const PLACEHOLDER_TOLERANCE = 0.005;

const TOLERANT = 1e-9;

/** The reasons to doubt a picture that is whole, none for most; ordered from what is certain to what was measured. */
export function suspicions(examined: Examined): readonly Suspicion[] {
  const { flagged, look } = examined;
  const flag = flagged === undefined ? [] : [suspect('flagged', `the provider marked the picture "${flagged}"`)];
  return [...flag, ...judgeType(examined), ...judgeShape(examined), ...(look ? judgeLook(examined, look) : [])];
}

/** The format a request names, by any of its spellings; undefined where it names none that is known. */
export function typeAskedFor({ outputFormat }: Pick<Wanted, 'outputFormat'>): Asset['type'] | undefined {
  const wanted = outputFormat?.toLowerCase().replace(/^image\//, '') ?? '';
  return TYPES.get({ jpg: 'jpeg', 'svg+xml': 'svg' }[wanted] ?? wanted);
}

function judgeType({ request, asset }: Examined): readonly Suspicion[] {
  const type = typeAskedFor(request);
  if (type === undefined || type === asset.type) return [];
  return [suspect('wrong_type', `${type} was asked for and the bytes are ${asset.type}`)];
}

const TYPES: ReadonlyMap<string, Asset['type']> = new Map(
  (['png', 'jpeg', 'webp', 'gif', 'svg', 'avif'] as const).map((type) => [type, type]),
);

function judgeShape({ request, asset, look }: Examined): readonly Suspicion[] {
  // Decoding knows of rotation.
  const found = isSeen(look) ? look : asset;
  const size = request.size === undefined ? undefined : parseSize(request.size);
  const ratio = size ? size.width / size.height : request.aspectRatio && parseRatio(request.aspectRatio);
  const named = size ? spellSize(size) : request.aspectRatio;
  const suspects: Suspicion[] = [];
  // A drawing of lines has any size.
  const hasSize = asset.type !== 'svg';
  const fault = hasSize ? sizeFault(found, size, request) : undefined;
  if (fault !== undefined) suspects.push(suspect('wrong_size', fault));
  if (hasSize && size !== undefined && fault === undefined) return suspects;
  if (ratio && off(found.width / found.height, ratio) > Math.log(1 + RATIO_TOLERANCE) + TOLERANT) {
    const shape = `${spellSize(found)} is ${round(found.width / found.height)} wide to 1 high`;
    suspects.push(suspect('wrong_aspect', `${named} was asked for, which is ${round(ratio)} to 1, and ${shape}`));
  }
  return suspects;
}

function sizeFault(found: Pixels, size: Pixels | undefined, { resolution }: Wanted): string | undefined {
  if (size !== undefined) {
    const furthest = Math.max(off(found.width, size.width), off(found.height, size.height));
    if (furthest <= Math.log(1 + SIDE_TOLERANCE) + TOLERANT) return undefined;
    return `${spellSize(size)} was asked for and ${spellSize(found)} came`;
  }
  const side = resolution === undefined ? undefined : parseResolution(resolution);
  if (side === undefined) return undefined;
  const came = Math.sqrt(found.width * found.height);
  if (off(came, side) <= Math.log(1 + RESOLUTION_TOLERANCE) + TOLERANT) return undefined;
  const square = Math.round(came);
  return `${resolution} was asked for and ${spellSize(found)} came, as much as a square of ${square} pixels a side`;
}

function judgeLook({ request, asset, placeholders = KNOWN_PLACEHOLDERS }: Examined, look: Look | Unseen) {
  if (!isSeen(look)) return look.problem === 'undecodable' ? [suspect('undecodable', look.detail)] : [];
  // Only the first picture of an animation was measured, and many begin with an empty one.
  if (asset.animated) return [];
  const transparent = transparency(look, request);
  if (transparent !== undefined) return [suspect('transparent', transparent)];
  const known = placeholders.find((one) => isPlaceholder(look, one));
  const empty = emptiness(look);
  return [...(empty ? [empty] : []), ...(known ? [suspect('placeholder', `it looks like ${known.name}`)] : [])];
}

function transparency({ opaqueShare }: Look, { background }: Wanted): string | undefined {
  const mayBe = background === 'transparent' || background === 'auto';
  const least = mayBe ? TRANSPARENT_SHARE : UNASKED_TRANSPARENT_SHARE;
  if (opaqueShare >= least) return undefined;
  return `${percent(opaqueShare)} of the picture is opaque; less than ${percent(least)} counts as transparent`;
}

function emptiness(look: Look): Suspicion | undefined {
  const { meanLuma, peakLuma, alphaDeviation } = look;
  if (alphaDeviation >= SHAPED_ALPHA_DEVIATION) return undefined;
  if (meanLuma < BLACK_MEAN_LUMA && peakLuma < BLACK_PEAK_LUMA) {
    const found = `its mean luma is ${round(meanLuma)} and its brightest place ${round(peakLuma)} of 1`;
    return suspect('black', `${found}; below ${BLACK_MEAN_LUMA} and ${BLACK_PEAK_LUMA} counts as black`);
  }
  const deviation = Math.max(look.deviation, look.colourDeviation);
  if (deviation >= UNIFORM_DEVIATION) return undefined;
  const found = `its colours deviate by ${round(deviation)} of 1`;
  return suspect('uniform', `${found}; below ${UNIFORM_DEVIATION} counts as one colour`);
}

function isPlaceholder(look: Look, { hash, meanLuma, deviation }: Placeholder): boolean {
  if (Math.abs(look.meanLuma - meanLuma) > PLACEHOLDER_TOLERANCE) return false;
  if (Math.abs(look.deviation - deviation) > PLACEHOLDER_TOLERANCE) return false;
  return differingBits(look.hash, hash) <= PLACEHOLDER_BITS;
}

/** Of two hashes of 16 hex digits; 64 where one is none. */
function differingBits(a: string, b: string): number {
  const isHash = /^[0-9a-f]{16}$/i;
  if (!isHash.test(a) || !isHash.test(b)) return 64;
  let left = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let bits = 0;
  for (; left !== 0n; left &= left - 1n) bits += 1;
  return bits;
}

export interface Scored {
  readonly request: Wanted;
  readonly asset: Pick<Asset, 'width' | 'height'>;
  readonly look?: Look | Unseen | undefined;
  /** What `suspicions` says of the same picture. */
  readonly suspicions: readonly Suspicion[];
}

/** Of what a picture is ranked by; together 1. */
export const SCORE_WEIGHTS = { sharpness: 0.4, contrast: 0.3, agreement: 0.3 } as const;
/** What stands for sharpness and contrast of a picture that was not measured: neither better nor worse than most. */
const UNKNOWN = 0.5;

/**
 * Ranks candidates, 0 to 1: sharpness, contrast and agreement with the size asked for. Suspects are below 0.5, all others
 * at or above it. It knows nothing of the prompt: noise is sharp, and fog is not.
 */
export function score({ request, asset, look, suspicions: found }: Scored): number {
  const seen = isSeen(look) ? look : undefined;
  const sharpness = seen?.sharpness ?? UNKNOWN;
  const contrast = seen?.contrast ?? UNKNOWN;
  const merit =
    SCORE_WEIGHTS.sharpness * clamp(sharpness) +
    SCORE_WEIGHTS.contrast * clamp(contrast) +
    SCORE_WEIGHTS.agreement * agreement(seen ?? asset, request);
  return found.length === 0 ? 0.5 + merit / 2 : Math.min(BELOW_HALF, merit / 2);
}

const BELOW_HALF = 0.499;
/** The shape shows more than a few pixels more or less, as where a size is chosen. */
const RATIO_WEIGHT = 4;

/** 1 for exactly what was asked for, or where nothing was; less the further off. */
function agreement(found: Pixels, { size, aspectRatio }: Wanted): number {
  const wanted = size === undefined ? undefined : parseSize(size);
  const ratio = wanted ? wanted.width / wanted.height : aspectRatio && parseRatio(aspectRatio);
  if (!ratio) return 1;
  const area = wanted ? off(found.width * found.height, wanted.width * wanted.height) : 0;
  return Math.exp(-RATIO_WEIGHT * off(found.width / found.height, ratio) - area);
}

function isSeen(look: Look | Unseen | undefined): look is Look {
  return look !== undefined && !('problem' in look);
}

function suspect(code: SuspicionCode, detail: string): Suspicion {
  return { code, detail };
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function percent(share: number): string {
  return `${round(share * 100)} %`;
}
