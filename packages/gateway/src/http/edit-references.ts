import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { REFERENCE_LIMITS } from '../assets/reference-image.ts';
import { RequestProblem } from './problem.ts';

/** A picture that an edit sent as JSON refers to. */
export interface Reference {
  readonly url: string;
  /** The field's path. */
  readonly param: string;
}

export interface EditReferences {
  readonly images: readonly Reference[];
  readonly mask: Reference | undefined;
  /** The body without them. */
  readonly rest: JsonObject;
}

/** Takes `images: [{image_url}]`, `image: url` (or several) and `mask: {image_url}` out of the body of an edit. */
export function takeReferences(body: JsonObject): EditReferences {
  const { images, image, mask, ...rest } = body;
  const { maxImages } = REFERENCE_LIMITS;
  const listed = [...listOf(images, 'images'), ...listOf(image, 'image')];
  if (listed.length === 0)
    throw noImage('send "images": [{"image_url": "https://…"}], or upload files as multipart/form-data');
  if (listed.length > maxImages) {
    const message = `images: ${listed.length} are more than the ${maxImages} an edit may have; leave some out`;
    throw new RequestProblem(400, 'invalid_value', message, { param: 'images' });
  }
  const [maskReference] = listOf(mask, 'mask');
  return { images: listed, mask: maskReference, rest };
}

export function noImage(wayOut: string): RequestProblem {
  return new RequestProblem(400, 'missing_required_parameter', `image: it is missing; ${wayOut}`, { param: 'image' });
}

function listOf(value: JsonValue | undefined, field: string): readonly Reference[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || field === 'mask') return [referenceAt(value, field)];
  return value.map((one: JsonValue, index) => referenceAt(one, `${field}[${index}]`));
}

function referenceAt(value: JsonValue, path: string): Reference {
  if (typeof value === 'string') return { url: value, param: path };
  const param = `${path}.image_url`;
  const url = isObject(value) ? value.image_url : undefined;
  // Chat's spelling of the same thing.
  const inner = isObject(url) ? url.url : url;
  if (typeof inner === 'string') return { url: inner, param };
  const message = `${param}: it is not a text; send an https, http or data URL (files kept at a provider cannot be named here)`;
  throw new RequestProblem(400, 'invalid_type', message, { param });
}
