import type { MultipartFile, MultipartValue } from '@fastify/multipart';
import { type Asset, type AssetStore, createIntake, type Intake } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import { acceptReference, REFERENCE_LIMITS, tooLarge } from '../assets/reference-image.ts';
import { readForm } from './form.ts';
import { invalidValue, RequestProblem } from './problem.ts';

export interface Upload {
  readonly fields: ReadonlyMap<string, string>;
  readonly images: readonly Asset[];
  readonly mask: Asset | undefined;
}

export interface UploadOptions {
  readonly assets: AssetStore;
  /** Of the whole body. */
  readonly bodyLimitBytes: number;
}

const MAX_FIELDS = 64;
const MAX_FIELD_NAME_CHARS = 100;
const MAX_FIELD_BYTES = 256 * 1024;
const MAX_FILES = REFERENCE_LIMITS.maxImages + 1;

interface Reading {
  readonly intake: Intake;
  readonly fields: Map<string, string>;
  readonly images: Asset[];
  mask: Asset | undefined;
}

const LIMITS = { fieldSize: MAX_FIELD_BYTES, fields: MAX_FIELDS, files: MAX_FILES };

/**
 * Reads the multipart form of an edit, each file straight into the store and verified as it passes. Throws as
 * `readForm` does.
 */
export async function readUpload(request: FastifyRequest, options: UploadOptions): Promise<Upload> {
  const { assets, bodyLimitBytes } = options;
  const intake = createIntake(assets, { maxBlobs: MAX_FILES, maxBlobBytes: REFERENCE_LIMITS.maxImageBytes });
  const reading: Reading = { intake, fields: new Map(), images: [], mask: undefined };
  try {
    await readForm(request, { bodyLimitBytes, limits: LIMITS }, (part) =>
      part.type === 'file' ? readFile(part, reading) : readField(part, reading.fields),
    );
    return { fields: reading.fields, images: reading.images, mask: reading.mask };
  } catch (error) {
    await intake.discardAll();
    throw error;
  }
}

function readField({ fieldname, value, valueTruncated }: MultipartValue, fields: Map<string, string>): void {
  const name = fieldname.slice(0, MAX_FIELD_NAME_CHARS);
  const refuse = (rule: string) => invalidValue(name, rule);
  if (name !== fieldname) throw refuse(`the name has more than ${MAX_FIELD_NAME_CHARS} characters; shorten it`);
  if (valueTruncated) throw refuse(`the value has more than ${MAX_FIELD_BYTES} bytes; shorten it`);
  if (fields.has(name)) throw refuse('the form has it twice; send it once');
  if (isImageField(name) || name === 'mask') {
    throw refuse('it is a text, not a file; give the part a filename, or send JSON with image_url');
  }
  fields.set(name, typeof value === 'string' ? value : JSON.stringify(value));
}

async function readFile(part: MultipartFile, reading: Reading): Promise<void> {
  const name = part.fieldname.slice(0, MAX_FIELD_NAME_CHARS);
  const { images, intake } = reading;
  if (isImageField(name)) {
    if (images.length === REFERENCE_LIMITS.maxImages) throw tooManyImages();
    images.push(await storeFile(part, `image[${images.length}]`, REFERENCE_LIMITS.maxImageBytes, intake));
  } else if (name === 'mask' && reading.mask === undefined) {
    reading.mask = await storeFile(part, 'mask', REFERENCE_LIMITS.maxMaskBytes, intake);
  } else {
    const rule =
      name === 'mask' ? 'the form has it twice; send one' : 'there is no such file field; send image, image[] or mask';
    throw new RequestProblem(400, 'unknown_parameter', `${name}: ${rule}`, { param: name });
  }
}

function isImageField(name: string): boolean {
  return name === 'image' || /^image\[\d{0,2}\]$/.test(name);
}

async function storeFile(part: MultipartFile, param: string, maxBytes: number, intake: Intake): Promise<Asset> {
  const blob = intake.openBlob();
  let received = 0;
  for await (const chunk of part.file as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received > maxBytes) throw tooLarge(param, maxBytes);
    await blob.write(chunk);
  }
  return acceptReference(await intake.settle(blob.end()), param);
}

function tooManyImages(): RequestProblem {
  const message = `image: there are more than the ${REFERENCE_LIMITS.maxImages} files an edit may have; leave some out`;
  return new RequestProblem(400, 'invalid_value', message, { param: 'image' });
}
