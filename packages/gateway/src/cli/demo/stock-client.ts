import { setTimeout as sleep } from 'node:timers/promises';
import { isObject } from '@onetake/core';
import { type CallAnswer, call } from '../call.ts';
import { messageOf } from '../exit.ts';

/** A program that knows nothing of Onetake: only the address it calls differs. */
export interface StockClient {
  /** Said in the demo, so that nobody takes the one for the other. */
  readonly name: string;
  generate(request: StockRequest): Promise<StockResult>;
}

export interface StockRequest {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  readonly prompt: string;
  /** The client's own patience, per try. */
  readonly timeoutMs: number;
}

export type StockResult =
  | { readonly ok: true; readonly base64: string }
  | { readonly ok: false; readonly status?: number; readonly code?: string; readonly message: string };

const MAX_RETRIES = 2;

/** The official `openai` package where it is installed, else its documented retry loop. */
export async function createStockClient(): Promise<StockClient> {
  try {
    const { default: OpenAI } = await import('openai');
    return officialClient(OpenAI);
  } catch {
    return replayedClient();
  }
}

function officialClient(OpenAI: typeof import('openai').default): StockClient {
  return {
    name: 'the openai package as installed, with its own defaults and a client timeout',
    async generate({ baseUrl, model, prompt, timeoutMs }) {
      const client = new OpenAI({ baseURL: baseUrl, apiKey: 'demo', timeout: timeoutMs, logLevel: 'off' });
      try {
        const { data } = await client.images.generate({ model, prompt });
        const base64 = data?.[0]?.b64_json;
        return base64 === undefined ? { ok: false, message: 'an answer without a picture' } : { ok: true, base64 };
      } catch (error) {
        if (!(error instanceof OpenAI.APIError)) throw error;
        const { status, code, message } = error;
        return { ok: false, message, ...(status !== undefined && { status }), ...(code != null && { code }) };
      }
    },
  };
}

/**
 * What openai-node does by default: two more tries after a connection error, a timeout, 408, 409, 429 or 5xx, waiting
 * 0.5 s × 2ⁿ less up to a quarter, unless `x-should-retry` decides.
 * Source: "Retries" and "Timeouts" in the README of the openai package, 7.55.
 */
export function replayedClient(pause: (ms: number) => Promise<void> = sleep): StockClient {
  return {
    name: "a replay of the openai package's documented retries (the package is not installed here)",
    async generate(request) {
      for (let tries = 0; ; tries += 1) {
        const answer = await post(request, tries);
        const result = readResult(answer);
        if (result.ok || tries === MAX_RETRIES || !isRepeated(answer)) return result;
        await pause(500 * 2 ** tries * (1 - Math.random() / 4));
      }
    },
  };
}

function post({ baseUrl, model, prompt, timeoutMs }: StockRequest, tries: number): Promise<CallAnswer | Error> {
  const headers = {
    authorization: 'Bearer demo',
    'content-type': 'application/json',
    'x-stainless-retry-count': String(tries),
  };
  const body = Buffer.from(JSON.stringify({ model, prompt }));
  return call(`${baseUrl}/images/generations`, { method: 'POST', headers, body, timeoutMs }).catch((error: unknown) =>
    error instanceof Error ? error : new Error(messageOf(error)),
  );
}

function isRepeated(answer: CallAnswer | Error): boolean {
  if (answer instanceof Error) return true;
  const advised = answer.headers['x-should-retry'];
  if (advised === 'true' || advised === 'false') return advised === 'true';
  return [408, 409, 429].includes(answer.status) || answer.status >= 500;
}

function readResult(answer: CallAnswer | Error): StockResult {
  if (answer instanceof Error) {
    return { ok: false, message: answer.name === 'AbortError' ? 'Request timed out.' : 'Connection error.' };
  }
  const { status, body } = answer;
  const [first] = Array.isArray(body?.data) ? body.data : [];
  if (status === 200 && isObject(first) && typeof first.b64_json === 'string')
    return { ok: true, base64: first.b64_json };
  const error = isObject(body?.error) ? body.error : {};
  const message = typeof error.message === 'string' ? error.message : 'an answer without a picture';
  return { ok: false, status, message, ...(typeof error.code === 'string' && { code: error.code }) };
}
