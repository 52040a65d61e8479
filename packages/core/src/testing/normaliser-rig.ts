import assert from 'node:assert/strict';
import { completeFailure, failureOf } from '../classify.ts';
import { createClient } from '../client.ts';
import { OnetakeError } from '../errors.ts';
import type { Failure } from '../failure.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import type { ImageType } from '../images/asset.ts';
import type { Event } from '../journal.ts';
import type { JsonValue } from '../json.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { CallContext, Handle, ImageCalls, Progress, Provider } from '../providers/provider.ts';
import { type Behaviour, createScriptedIo } from './scripted-io.ts';

export const NOW = Date.UTC(2026, 10, 21, 12);
const BASE_URL = 'https://provider.example/v1';

type GenerateParams = Parameters<ReturnType<typeof createClient>['images']['generate']>[0];

export function providerOf(id: string): Provider & { readonly image: ImageCalls } {
  const provider = PROVIDERS.find((one) => one.id === id);
  assert.ok(provider?.image, `no adapter "${id}"`);
  return { ...provider, image: provider.image };
}

export interface Told extends Partial<Omit<HttpResponse, 'body'>> {
  readonly model?: string;
  /** Of a look at this job; absent, of the submit. */
  readonly handle?: Handle;
  readonly n?: number;
}

/** What an adapter makes of an answer, shortened to what a rule speaks of. */
export interface Reading {
  /** Of a failure its kind, else `done`, `waiting` or `next`. */
  readonly kind: string;
  readonly certainty?: Failure['certainty'];
  readonly throttle?: Failure['throttle'];
  readonly stage?: Failure['stage'];
  readonly message?: string;
  /** Pictures that came, and the kinds of those that are missing. */
  readonly images?: number;
  readonly missing?: readonly string[];
  readonly handle?: Handle;
}

/**
 * Reads a body as the adapter `id` does, with everything around it that a run adds. An adapter that only chats reads
 * failures alone: what is none is `done`.
 */
export function readAs(id: string, body: JsonValue | undefined, told: Told = {}): Reading {
  const { status = 200, headers = {}, text = '', handle, n = 1 } = told;
  const provider = PROVIDERS.find((one) => one.id === id);
  assert.ok(provider, `no adapter "${id}"`);
  const { submit, poll } = provider.image ?? {};
  const response: HttpResponse = { status, headers, body, text };
  const model = told.model ?? provider.models[0]?.id ?? 'model';
  const context: CallContext = { runId: 'run', attempt: 1, model, baseUrl: BASE_URL };
  const verdict = handle && poll?.verdict?.(response, handle);
  const failure = verdict ? completeFailure(verdict, response, NOW) : failureOf(provider, response, NOW);
  if (failure) return failed(failure);
  if (submit === undefined) return { kind: 'done' };
  const request = { operation: 'generate', prompt: 'a lighthouse', n } as const;
  const progress = handle && poll ? poll.parse(response, handle, context) : submit.parse(response, request, context);
  return readingOf(progress, response);
}

function readingOf(progress: Progress, response: HttpResponse): Reading {
  switch (progress.kind) {
    case 'failed':
      return failed(completeFailure(progress.failure, response, NOW));
    case 'done': {
      const missing = (progress.missing ?? []).map(({ kind }) => kind);
      return { kind: 'done', images: progress.images.length, missing };
    }
    case 'waiting':
      return { kind: 'waiting', handle: progress.handle };
    default:
      return { kind: progress.kind };
  }
}

function failed({ kind, certainty, throttle, stage, message }: Failure): Reading {
  return { kind, certainty, message, ...(throttle && { throttle }), ...(stage && { stage }) };
}

export function answer(
  body: JsonValue | string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Behaviour {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { kind: 'answer', afterMs: 10, status, headers, body: text };
}

/** How a whole request of the library ended, in virtual time. */
export interface Asked {
  readonly failure?: Failure;
  readonly types: readonly ImageType[];
  readonly missing: readonly string[];
  readonly sent: readonly { readonly method: string; readonly url: string; readonly at: number }[];
  /** What went with them, as JSON. */
  readonly bodies: readonly string[];
  /** What is journaled. */
  readonly events: readonly Event[];
}

/** One request through the adapter `kind` to a peer that plays `answers` in order, and is silent afterwards. */
export async function ask(
  kind: string,
  answers: readonly Behaviour[],
  params: Partial<GenerateParams> = {},
): Promise<Asked> {
  const io = createScriptedIo((_request: HttpRequest, index) => answers[index] ?? { kind: 'hang' }, NOW);
  const events: Event[] = [];
  const providers = { x: { kind, apiKey: 'key-of-x', baseUrl: BASE_URL } };
  const client = createClient({ providers, io, onEvent: (event) => events.push(event) });
  const sent = () => io.sent.map(({ request, at }) => ({ method: request.method, url: request.url, at: at - NOW }));
  const bodies = () => io.sent.map(({ request }) => JSON.stringify(request.body ?? null));
  const model = `x/${params.model ?? providerOf(kind).models[0]?.id ?? 'model'}`;
  try {
    const result = await io.drive(client.images.generate({ prompt: 'a lighthouse', ...params, model }));
    const missing = result.missing.map(({ failure }) => failure.kind);
    return { types: result.images.map(({ asset }) => asset.type), missing, sent: sent(), bodies: bodies(), events };
  } catch (error) {
    if (error instanceof OnetakeError)
      return { failure: error.failure, types: [], missing: [], sent: sent(), bodies: bodies(), events };
    throw error;
  }
}
