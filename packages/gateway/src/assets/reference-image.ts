import { type Asset, IMAGE_TYPES, type Settled } from '@onetake/core';
import { RequestProblem } from '../http/problem.ts';

/** OpenAI's limits for what an edit refers to. */
export const REFERENCE_LIMITS = { maxImages: 16, maxImageBytes: 50_000_000, maxMaskBytes: 4_000_000 } as const;

const ACCEPTED: readonly Asset['type'][] = ['png', 'jpeg', 'webp'];

/** The picture if providers can work from it; throws a 400 that says what is wrong with its bytes. */
export function acceptReference(settled: Settled, param: string): Asset {
  const formats = ACCEPTED.map((type) => IMAGE_TYPES[type].mime).join(', ');
  if (settled.ok) {
    if (ACCEPTED.includes(settled.asset.type)) return settled.asset;
    const { mime } = IMAGE_TYPES[settled.asset.type];
    throw new RequestProblem(400, 'unsupported_format', `${param}: ${mime} is not one of ${formats}; convert it`, {
      param,
    });
  }
  if (settled.problem === 'not_an_image') {
    const message = `${param}: ${settled.detail}; send one of ${formats}`;
    throw new RequestProblem(400, 'unsupported_format', message, { param });
  }
  const message = `${param}: the picture does not open (${settled.detail}); send the whole file`;
  throw new RequestProblem(400, 'invalid_image_file', message, { param });
}

/** A mask marks by its transparent pixels what of the first image is to change. */
export function checkMask(mask: Asset, image: Asset): void {
  const refuse = (message: string) =>
    new RequestProblem(400, 'invalid_image_file', `mask: ${message}`, { param: 'mask' });
  if (mask.type !== 'png') throw refuse(`it is ${IMAGE_TYPES[mask.type].mime}; save it as a PNG with transparency`);
  if (!mask.alpha)
    throw refuse('the PNG has no alpha channel; make transparent what is to be changed, and save it as RGBA');
  if (mask.width === image.width && mask.height === image.height) return;
  const sizes = `it measures ${mask.width}x${mask.height} pixels and the first image ${image.width}x${image.height}`;
  throw refuse(`${sizes}; scale the mask to the image`);
}

export function tooLarge(param: string, maxBytes: number): RequestProblem {
  const limit = `the ${maxBytes / 1_000_000} MB that OpenAI and this gateway accept`;
  return new RequestProblem(413, 'file_too_large', `${param}: the file is larger than ${limit}; scale it down`, {
    param,
  });
}
