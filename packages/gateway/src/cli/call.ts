import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isObject, type JsonObject } from '@onetake/core';

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** From the first byte sent to the last one received. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface CallAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Undefined when the body is not a JSON object. */
  readonly body: JsonObject | undefined;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
}

const MAX_ANSWER_BYTES = 1024 ** 3;

/** An exchange whose answer is JSON. Rejects when there is no whole answer. */
export async function call(url: string, options: CallOptions): Promise<CallAnswer> {
  const { status, headers, bytes } = await exchange(url, options);
  return { status, headers, body: objectIn(bytes) };
}

/**
 * One HTTP exchange on a connection of its own. Not `fetch`, which gives up on an answer's headers after five minutes:
 * a picture may take longer. Rejects when there is no whole answer.
 */
export async function exchange(url: string, options: CallOptions): Promise<RawAnswer> {
  const { method = 'GET', headers = {}, body, timeoutMs } = options;
  const signals = [AbortSignal.timeout(timeoutMs), ...(options.signal ? [options.signal] : [])];
  const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, {
    method,
    headers: { ...headers, connection: 'close', ...(body && { 'content-length': body.length }) },
    agent: false,
    signal: AbortSignal.any(signals),
  });
  // The rejection below tells of it; this keeps a late abort from being an unhandled event.
  request.on('error', () => {});
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, bytes: await read(response) };
}

async function read(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is larger than the ${MAX_ANSWER_BYTES} bytes allowed`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Undefined when the bytes are not a JSON object. */
export function objectIn(bytes: Buffer): JsonObject | undefined {
  try {
    const value = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
