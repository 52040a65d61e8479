import type { IncomingMessage } from 'node:http';
import type { MultipartFile, MultipartValue } from '@fastify/multipart';
import { type Asset, type AssetStore, createIntake, type Intake } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import { acceptReference, REFERENCE_LIMITS, tooLarge } from '../assets/reference-image.ts';
import { bodyTooLarge, RequestProblem } from './problem.ts';

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
const MAX_HEADERS_PER_PART = 50;

interface Reading {
  readonly intake: Intake;
  readonly fields: Map<string, string>;
  readonly images: Asset[];
  mask: Asset | undefined;
  /** False once the request was refused: what the parser still holds is not taken in. */
  open: boolean;
}

/**
 * Reads the multipart form of an edit, each file straight into the store and verified as it passes; @fastify/multipart
 * must be registered. Throws a `RequestProblem` for whatever is wrong with it. The rest of a refused body is read and
 * dropped, up to its limit once more, so that the caller can finish sending and see the answer.
 */
export async function readUpload(request: FastifyRequest, options: UploadOptions): Promise<Upload> {
  const { assets, bodyLimitBytes } = options;
  const size = measure(request.raw, bodyLimitBytes);
  const intake = createIntake(assets, { maxBlobs: MAX_FILES, maxBlobBytes: REFERENCE_LIMITS.maxImageBytes });
  const reading: Reading = { intake, fields: new Map(), images: [], mask: undefined, open: true };
  try {
    checkBoundary(request.headers['content-type']);
    if (Number(request.headers['content-length'] ?? 0) > bodyLimitBytes) throw bodyTooLarge(bodyLimitBytes);
    await Promise.race([readParts(request, reading, bodyLimitBytes), size.exceeded]);
    return { fields: reading.fields, images: reading.images, mask: reading.mask };
  } catch (error) {
    await intake.discardAll();
    throw formProblem(error);
  } finally {
    reading.open = false;
    request.raw.unpipe();
    request.raw.resume();
  }
}

/** RFC 2046 allows a boundary 70 characters; the parser throws errors of its own beyond 256. */
function checkBoundary(contentType = ''): void {
  if (/;\s*boundary=(?:"[^"]{1,70}"|[^\s";]{1,70})\s*(?:;|$)/i.test(contentType)) return;
  const message =
    'content-type: its boundary is missing or longer than 70 characters; let a form library set the header';
  throw new RequestProblem(400, 'invalid_multipart', message, { param: 'content-type' });
}

/** Counts what arrives, in front of the parser: a form may be endless where no part of it is. */
function measure(raw: IncomingMessage, limitBytes: number): { readonly exceeded: Promise<never> } {
  let received = 0;
  const exceeded = new Promise<never>((_resolve, reject) => {
    raw.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > limitBytes) reject(bodyTooLarge(limitBytes));
      if (received > 2 * limitBytes) raw.destroy();
    });
  });
  exceeded.catch(() => {});
  return { exceeded };
}

async function readParts(request: FastifyRequest, reading: Reading, bodyLimitBytes: number): Promise<void> {
  const parts = request.parts({
    limits: {
      fieldSize: MAX_FIELD_BYTES,
      fields: MAX_FIELDS,
      files: MAX_FILES,
      parts: MAX_FIELDS + MAX_FILES,
      headerPairs: MAX_HEADERS_PER_PART,
      // Files are measured as they are read, each by its own limit.
      fileSize: bodyLimitBytes,
    },
  });
  for await (const part of parts) {
    if (!reading.open) return;
    if (!part.fieldname) throw unreadable('a part has no name');
    if (part.type === 'file') await readFile(part, reading);
    else readField(part, reading.fields);
  }
}

function readField({ fieldname, value, valueTruncated }: MultipartValue, fields: Map<string, string>): void {
  const name = fieldname.slice(0, MAX_FIELD_NAME_CHARS);
  const refuse = (rule: string) => new RequestProblem(400, 'invalid_value', `${name}: ${rule}`, { param: name });
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

const FORM_FAULTS: Readonly<Record<string, string>> = {
  FST_PARTS_LIMIT: `more than ${MAX_FIELDS + MAX_FILES} parts`,
  FST_FIELDS_LIMIT: `more than ${MAX_FIELDS} fields`,
  FST_FILES_LIMIT: `more than ${MAX_FILES} files`,
  FST_PROTO_VIOLATION: 'a field named like a property every object has',
  FST_MP_PREMATURE_CLOSE: 'it ends before its last boundary',
  ECONNRESET: 'its sender went away',
};

/** Whatever the parser stumbles over is wrong with the form; errors of the store stay what they are. */
function formProblem(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RequestProblem) return error;
  const code = 'code' in error ? String(error.code) : '';
  const why = FORM_FAULTS[code] ?? error.message;
  const isParsers = code in FORM_FAULTS || code.startsWith('FST_') || PARSERS_WORDS.test(error.message);
  return isParsers ? unreadable(why, error) : error;
}

const PARSERS_WORDS = /multipart|part header|terminated early/i;

function unreadable(why: string, cause?: unknown): RequestProblem {
  const message = `body: the form cannot be read: ${why}; let a form library build it`;
  return new RequestProblem(400, 'invalid_multipart', message, { cause });
}
