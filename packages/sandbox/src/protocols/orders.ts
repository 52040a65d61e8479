import { createHash, randomInt } from 'node:crypto';
import { type Draft, keptPrompt } from '../accept.ts';
import { RefusedError } from '../wire/answer.ts';
import type { ImageCall } from '../wire/call.ts';
import type { ProtocolCall } from './protocol.ts';

const MAX_SEED = 0xffff_ffff;
const MAX_SIDE = 4096;
const DEFAULT_SIDE = 1024;
const DEFAULT_COMPRESSION = 90;
const FETCH_TIMEOUT_MS = 10_000;
const MAX_FETCHED_BYTES = 64 * 1024 * 1024;

/** What a request orders: its model as the provider names it, its prompt, and what of a call is not the default. */
export interface PictureOrder extends Partial<Omit<ImageCall, 'reference' | 'stream' | 'partialImages'>> {
  readonly model: string;
  readonly prompt: string;
}

/** An order with every default filled in: one PNG of 1024x1024 with a random seed; an edit where it has references. */
export function callOf({ model: _model, ...order }: PictureOrder): ImageCall {
  const references = order.references ?? [];
  const [first] = references;
  return {
    operation: references.length > 0 ? 'edit' : 'generate',
    n: 1,
    quality: 'medium',
    format: 'png',
    compression: DEFAULT_COMPRESSION,
    background: 'opaque',
    seed: randomInt(MAX_SEED),
    delivery: 'url',
    ...order,
    width: side(order.width),
    height: side(order.height),
    references,
    ...{ stream: false, partialImages: 0 },
    ...(first && { reference: createHash('sha256').update(first).digest('hex') }),
  };
}

function side(pixels = DEFAULT_SIDE): number {
  return Math.min(MAX_SIDE, Math.max(1, Math.round(pixels)));
}

/** Starts the order's line on the bill, whose model is `<protocol>/<model>`. */
export function draftFor({ protocol, bill }: ProtocolCall, order: PictureOrder, { operation }: ImageCall): Draft {
  bill.model = order.model;
  bill.prompt = order.prompt;
  return { at: Date.now(), operation, model: `${protocol.name}/${order.model}`, prompt: keptPrompt(order.prompt) };
}

/**
 * The bytes of a reference that came as base64, as a `data:` URL or as a link. A link to this machine is downloaded,
 * as the provider would; for any other its text stands in. Throws an `invalid` refusal that names `param`.
 */
export async function referenceOf(value: unknown, param: string): Promise<Buffer> {
  if (typeof value !== 'string' || value === '') throw invalid(param, 'expected a picture as base64 or as a link');
  if (/^https?:/iu.test(value)) return fetchReference(value, param);
  const base64 = value.startsWith('data:') ? value.slice(value.indexOf(',') + 1) : value;
  const bytes = Buffer.from(base64, 'base64');
  if (!isPicture(bytes)) throw invalid(param, 'the data is no PNG, JPEG, WebP or GIF');
  return bytes;
}

/** Whether bytes begin as a PNG, JPEG, WebP or GIF does. */
export function isPicture(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 12);
  return (
    ['\x89PNG\r\n\x1a\n', '\xff\xd8\xff', 'GIF8'].some((head) => start.startsWith(head)) ||
    /^RIFF.{4}WEBP/su.test(start)
  );
}

async function fetchReference(link: string, param: string): Promise<Buffer> {
  const host = URL.canParse(link) ? new URL(link).hostname : '';
  if (host !== '127.0.0.1' && host !== 'localhost') return Buffer.from(link);
  try {
    const response = await fetch(link, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS), redirect: 'error' });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const length = Number(response.headers.get('content-length') ?? 0);
    if (length > MAX_FETCHED_BYTES) throw new Error(`it has ${length} bytes`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    throw invalid(param, `the link could not be downloaded: ${error instanceof Error ? error.message : error}`);
  }
}

function invalid(param: string, rule: string): RefusedError {
  return new RefusedError({
    status: 400,
    reason: 'invalid',
    code: 'invalid_image',
    param,
    message: `Invalid '${param}': ${rule}.`,
  });
}
