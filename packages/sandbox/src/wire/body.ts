import type { IncomingMessage } from 'node:http';
import { RefusedError } from './answer.ts';

export const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** A body up to this size is read to its end, so that its sender hears the 413; beyond it the connection ends. */
const MAX_DISCARDED_BYTES = 4 * MAX_BODY_BYTES;

/** Reads the whole body; over 64 MiB a 413, and an error when the sender goes away before the end. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_DISCARDED_BYTES) throw new Error(`the body is larger than ${MAX_DISCARDED_BYTES} bytes`);
    if (size > MAX_BODY_BYTES) chunks.length = 0;
    else chunks.push(chunk);
  }
  if (size > MAX_BODY_BYTES) {
    const message = `The request body has ${size} bytes; the limit is ${MAX_BODY_BYTES} bytes (64 MiB). Send smaller or fewer files.`;
    throw new RefusedError({ status: 413, message, code: 'request_too_large' });
  }
  const body = Buffer.concat(chunks);
  LISTENERS.get(request)?.(body);
  return body;
}

const LISTENERS = new WeakMap<IncomingMessage, (body: Buffer) => void>();

/** Calls back with the body of this request when somebody has read it. */
export function onBodyRead(request: IncomingMessage, listener: (body: Buffer) => void): void {
  LISTENERS.set(request, listener);
}

export interface Fields {
  readonly values: Readonly<Record<string, unknown>>;
  /** Uploaded files in order; `image[]` counts as `image`. */
  readonly files: readonly { readonly field: string; readonly bytes: Buffer }[];
}

/** Reads a JSON object. */
export function jsonFields(body: Buffer): Fields {
  const values = parseJson(body.toString('utf8'));
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new RefusedError({
      status: 400,
      message: 'We could not parse the JSON body of your request: it is not a JSON object.',
    });
  }
  return { values: { ...values }, files: [] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = `We could not parse the JSON body of your request: ${error instanceof Error ? error.message : error}.`;
    throw new RefusedError({ status: 400, message });
  }
}

/** Reads a form; values that look like numbers or booleans become them where OpenAI's fields are such. */
export async function formFields(body: Buffer, contentType: string): Promise<Fields> {
  const form = await parseForm(body, contentType);
  const values: Record<string, unknown> = {};
  const files: { field: string; bytes: Buffer }[] = [];
  for (const [name, value] of form) {
    const field = name.replace(/\[\d*\]$/u, '');
    if (typeof value === 'string') values[field] = typed(field, value);
    else files.push({ field, bytes: Buffer.from(await value.arrayBuffer()) });
  }
  return { values, files };
}

async function parseForm(body: Buffer, contentType: string): Promise<FormData> {
  try {
    return await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
  } catch {
    const message =
      'We could not parse your multipart form data: check the content-type boundary and that the body is complete.';
    throw new RefusedError({ status: 400, message });
  }
}

const NUMBERS = new Set(['n', 'seed', 'output_compression', 'partial_images']);

function typed(field: string, value: string): unknown {
  if (NUMBERS.has(field) && /^-?\d+(\.\d+)?$/u.test(value)) return Number(value);
  if (field === 'stream' && /^(true|false)$/u.test(value)) return value === 'true';
  return value;
}
