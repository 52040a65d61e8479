import type { IncomingMessage } from 'node:http';
import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { bodyTooLarge, RequestProblem } from './problem.ts';

export interface FormOptions {
  /** Of the whole body. */
  readonly bodyLimitBytes: number;
  readonly limits: {
    readonly fields: number;
    readonly fieldSize: number;
    readonly files: number;
  };
}

const MAX_HEADERS_PER_PART = 50;

/**
 * Reads a multipart form part by part; @fastify/multipart must be registered. Throws a `RequestProblem` for whatever is
 * wrong with it. The rest of a refused body is read and dropped, up to its limit once more, so that the caller can
 * finish sending and see the answer.
 */
export async function readForm(
  request: FastifyRequest,
  options: FormOptions,
  onPart: (part: Multipart) => Promise<void> | void,
): Promise<void> {
  const { bodyLimitBytes } = options;
  const size = measure(request.raw, bodyLimitBytes);
  // What the parser still holds of a request that was refused is not taken in.
  const reading = { open: true };
  try {
    checkBoundary(request.headers['content-type']);
    if (Number(request.headers['content-length'] ?? 0) > bodyLimitBytes) throw bodyTooLarge(bodyLimitBytes);
    await Promise.race([readParts(request, options, reading, onPart), size.exceeded]);
  } catch (error) {
    throw formProblem(error, options);
  } finally {
    reading.open = false;
    request.raw.unpipe();
    request.raw.resume();
  }
}

async function readParts(
  request: FastifyRequest,
  { bodyLimitBytes, limits }: FormOptions,
  reading: { readonly open: boolean },
  onPart: (part: Multipart) => Promise<void> | void,
): Promise<void> {
  const parts = request.parts({
    limits: {
      ...limits,
      parts: limits.fields + limits.files,
      headerPairs: MAX_HEADERS_PER_PART,
      // Files are measured as they are read, each by its own limit.
      fileSize: bodyLimitBytes,
    },
  });
  for await (const part of parts) {
    if (!reading.open) return;
    if (!part.fieldname) throw unreadable('a part has no name');
    await onPart(part);
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

/** Whatever the parser stumbles over is wrong with the form; errors of the store stay what they are. */
function formProblem(error: unknown, { limits }: FormOptions): unknown {
  if (!(error instanceof Error) || error instanceof RequestProblem) return error;
  const faults: Readonly<Record<string, string>> = {
    FST_PARTS_LIMIT: `more than ${limits.fields + limits.files} parts`,
    FST_FIELDS_LIMIT: `more than ${limits.fields} fields`,
    FST_FILES_LIMIT: `more than ${limits.files} files`,
    FST_PROTO_VIOLATION: 'a field named like a property every object has',
    FST_MP_PREMATURE_CLOSE: 'it ends before its last boundary',
    ECONNRESET: 'its sender went away',
  };
  const code = 'code' in error ? String(error.code) : '';
  const why = faults[code] ?? error.message;
  const isParsers = code in faults || code.startsWith('FST_') || PARSERS_WORDS.test(error.message);
  return isParsers ? unreadable(why, error) : error;
}

const PARSERS_WORDS = /multipart|part header|terminated early/i;

function unreadable(why: string, cause?: unknown): RequestProblem {
  const message = `body: the form cannot be read: ${why}; let a form library build it`;
  return new RequestProblem(400, 'invalid_multipart', message, { cause });
}
