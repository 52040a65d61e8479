import type { Capabilities } from '../capabilities.ts';
import type { Failure, FailureKind } from '../failure.ts';
import { type Asset, IMAGE_TYPES, type ImageType } from '../images/asset.ts';

/** What a model takes of pictures that are sent along; what is absent nobody knows. */
export interface ReferenceLimits {
  readonly types?: readonly ImageType[];
  /** Of one picture. */
  readonly maxBytes?: number;
  /** Of all pictures and the mask together. */
  readonly maxTotalBytes?: number;
  readonly maxMaskBytes?: number;
  /** Width and height. */
  readonly minSide?: number;
  readonly maxSide?: number;
  readonly maxPixels?: number;
}

/** What OpenAI documents for edits (16 pictures of 50 MB, a mask of 4 MB): what no request here may pass. */
export const DEFAULT_REFERENCE_LIMITS: ReferenceLimits = {
  types: ['png', 'jpeg', 'webp'],
  maxBytes: 50_000_000,
  maxMaskBytes: 4_000_000,
};

export type ReferenceCode =
  | 'file_too_large'
  | 'unsupported_format'
  | 'too_many_images'
  | 'image_dimensions'
  | 'mask_without_image'
  | 'mask_size_mismatch'
  | 'mask_without_alpha';

export interface ReferenceFinding {
  readonly code: ReferenceCode;
  /** `image[2]` counts from 1 as people do; a single picture is `image`. */
  readonly field: string;
  /** What it is: `60.0 MB`, `image/gif`, `800x600`. */
  readonly value: string;
  /** Field, value, rule and the way out in one line. */
  readonly message: string;
  readonly wayOut: string;
}

export interface References {
  readonly images: readonly Asset[];
  readonly mask?: Asset;
}

export interface ReferenceModel {
  /** As the message names it. */
  readonly model: string;
  readonly capabilities?: Capabilities;
  readonly limits?: ReferenceLimits;
}

const MAX_FINDINGS = 20;

/** Holds pictures against what a model takes, by their bytes and not their names, before anything is sent or paid. */
export function checkReferences(
  { images, mask }: References,
  { model, capabilities, limits }: ReferenceModel,
): readonly ReferenceFinding[] {
  const known = { ...DEFAULT_REFERENCE_LIMITS, ...limits };
  // A limit of everybody is not told as one of the model.
  const whoSays = (key: keyof ReferenceLimits) => (limits?.[key] === undefined ? 'Onetake' : model);
  const named = images.map((asset, index) => ({ asset, field: images.length === 1 ? 'image' : `image[${index + 1}]` }));
  return [
    ...tooMany(images.length, model, capabilities),
    ...named.flatMap(({ asset, field }) => [
      ...wrongType(asset, field, whoSays('types'), known.types),
      ...tooLarge(asset, field, whoSays('maxBytes'), known.maxBytes),
      ...wrongSides(asset, field, model, known),
    ]),
    ...(mask ? maskFindings(mask, images[0], whoSays('maxMaskBytes'), known) : []),
    ...tooLargeTogether([...images, ...(mask ? [mask] : [])], model, known.maxTotalBytes),
  ].slice(0, MAX_FINDINGS);
}

type Told = Omit<ReferenceFinding, 'message'> & { readonly rule: string };

function finding({ rule, ...told }: Told): readonly ReferenceFinding[] {
  return [{ ...told, message: `${told.field}: ${rule}; ${told.wayOut}` }];
}

function tooMany(count: number, model: string, capabilities: Capabilities | undefined): readonly ReferenceFinding[] {
  const max = capabilities?.references?.max;
  if (max === undefined || count <= max) return [];
  const value = String(count);
  const rule = `there are ${count} pictures, and an edit of ${model} works from ${max} at most`;
  const wayOut = max > 1 ? `send ${max} or fewer` : 'send one, or put them side by side in one picture';
  return finding({ code: 'too_many_images', field: 'image', value, rule, wayOut });
}

function wrongType(
  { type, animated }: Asset,
  field: string,
  who: string,
  types: readonly ImageType[] = [],
): readonly ReferenceFinding[] {
  const value = IMAGE_TYPES[type].mime;
  const code = 'unsupported_format';
  if (types.length > 0 && !types.includes(type)) {
    const rule = `it is ${value} by its bytes, and ${who} reads ${mimesOf(types)}`;
    return finding({ code, field, value, rule, wayOut: `convert it to ${IMAGE_TYPES[types[0] ?? 'png'].mime}` });
  }
  if (!animated) return [];
  const rule = `it is an animated ${value}, of which nobody says which frame is used`;
  return finding({ code, field, value: `animated ${value}`, rule, wayOut: 'send the frame that is meant as a PNG' });
}

function mimesOf(types: readonly ImageType[]): string {
  return types.map((type) => IMAGE_TYPES[type].mime).join(', ');
}

function tooLarge(
  { bytes }: Asset,
  field: string,
  who: string,
  maxBytes = Number.POSITIVE_INFINITY,
): readonly ReferenceFinding[] {
  if (bytes <= maxBytes) return [];
  const value = megabytes(bytes);
  const rule = `it has ${value}, and ${who} takes ${megabytes(maxBytes)}`;
  return finding({ code: 'file_too_large', field, value, rule, wayOut: 'scale it down, or save it as a JPEG or WebP' });
}

function tooLargeTogether(
  assets: readonly Asset[],
  model: string,
  maxBytes = Number.POSITIVE_INFINITY,
): readonly ReferenceFinding[] {
  const bytes = assets.reduce((sum, asset) => sum + asset.bytes, 0);
  if (bytes <= maxBytes) return [];
  const value = megabytes(bytes);
  const rule = `all pictures together have ${value}, and ${model} takes ${megabytes(maxBytes)} in one request`;
  return finding({ code: 'file_too_large', field: 'image', value, rule, wayOut: 'scale them down, or send fewer' });
}

/** Bytes as providers count them, so that a file just above a limit does not read as equal to it. */
function megabytes(bytes: number): string {
  if (bytes < 10_000) return `${bytes} bytes`;
  return bytes % 1_000_000 === 0 ? `${bytes / 1_000_000} MB` : `${(Math.ceil(bytes / 10_000) / 100).toFixed(2)} MB`;
}

function wrongSides(
  { width, height }: Asset,
  field: string,
  model: string,
  limits: ReferenceLimits,
): readonly ReferenceFinding[] {
  const { minSide = 0, maxSide = Number.POSITIVE_INFINITY, maxPixels = Number.POSITIVE_INFINITY } = limits;
  const value = `${width}x${height}`;
  const told = (rule: string, wayOut: string) =>
    finding({
      code: 'image_dimensions',
      field,
      value,
      rule: `it measures ${value} pixels, and ${model} ${rule}`,
      wayOut,
    });
  if (Math.min(width, height) < minSide) return told(`needs ${minSide} on each side`, 'send a larger one');
  if (Math.max(width, height) > maxSide) return told(`takes ${maxSide} on a side at most`, 'scale it down');
  if (width * height > maxPixels) return told(`takes ${maxPixels} in all`, 'scale it down');
  return [];
}

function maskFindings(
  mask: Asset,
  first: Asset | undefined,
  who: string,
  limits: ReferenceLimits,
): readonly ReferenceFinding[] {
  const field = 'mask';
  const mime = IMAGE_TYPES[mask.type].mime;
  const rgba = 'make transparent what is to be changed, and save it as a PNG with transparency (RGBA)';
  const shape =
    mask.type !== 'png'
      ? finding({
          code: 'unsupported_format',
          field,
          value: mime,
          rule: `it is ${mime} by its bytes, and a mask is a PNG`,
          wayOut: rgba,
        })
      : mask.alpha
        ? []
        : finding({
            code: 'mask_without_alpha',
            field,
            value: 'no alpha channel',
            rule: 'the PNG has no alpha channel, which is what marks the area',
            wayOut: rgba,
          });
  return [...shape, ...tooLarge(mask, field, who, limits.maxMaskBytes), ...maskSize(mask, first)];
}

function maskSize(mask: Asset, first: Asset | undefined): readonly ReferenceFinding[] {
  const value = `${mask.width}x${mask.height}`;
  if (first === undefined) {
    const rule = 'there is no picture that it belongs to';
    return finding({
      code: 'mask_without_image',
      field: 'mask',
      value,
      rule,
      wayOut: 'send the picture as image, or leave the mask out',
    });
  }
  if (mask.width === first.width && mask.height === first.height) return [];
  const rule = `it measures ${value} pixels, and the first picture ${first.width}x${first.height}`;
  const wayOut = `scale the mask to ${first.width}x${first.height}`;
  return finding({ code: 'mask_size_mismatch', field: 'mask', value, rule, wayOut });
}

const KINDS: Readonly<Record<ReferenceCode, FailureKind>> = {
  file_too_large: 'too_large',
  unsupported_format: 'image_format',
  too_many_images: 'capability',
  image_dimensions: 'invalid',
  mask_without_image: 'invalid',
  mask_size_mismatch: 'invalid',
  mask_without_alpha: 'image_format',
};

/** The failure that findings mean: of the first, told with all; undefined without any. */
export function referenceFailure(findings: readonly ReferenceFinding[]): Failure | undefined {
  const [first] = findings;
  if (first === undefined) return undefined;
  const kind = KINDS[first.code];
  return {
    kind,
    certainty: 'not_sent',
    message: findings.map(({ message }) => message).join('; '),
    param: first.field.replace(/\[\d+\]$/, ''),
    ...(kind === 'invalid' && { code: 'invalid_image_file' }),
    classifiedBy: `rule ${first.code}`,
  };
}
