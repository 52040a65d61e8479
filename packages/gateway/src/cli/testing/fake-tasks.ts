import { createHash } from 'node:crypto';
import type { JsonObject } from '@onetake/core';
import { TINY_PNG_BASE64 } from '@onetake/core/testing';
import type { Received, Reply } from './fake-gateway.ts';

const PNG = Buffer.from(TINY_PNG_BASE64, 'base64');
const SHA256 = createHash('sha256').update(PNG).digest('hex');
const PRICE_USD = 0.04;

/** How a task ends; `pending` and `processing` never do. */
export type FakeEnd = 'completed' | 'refused' | 'failed' | 'unknown' | 'pending' | 'processing';

export interface FakeTasks {
  /** For `fakeGateway`. */
  readonly reply: (request: Received) => Reply;
  /** What was asked for, by key. */
  readonly byKey: ReadonlyMap<string, JsonObject>;
  /** How often each key was sent. */
  readonly sent: ReadonlyMap<string, number>;
  /** Ends what has not ended. */
  settle(): void;
}

export interface FakeTasksOptions {
  /** How the task of this request ends. Default: by a word in its prompt, `completed` without one. */
  readonly endOf?: (body: JsonObject) => FakeEnd;
  /** Answers instead of the gateway where it returns something. */
  readonly instead?: (request: Received) => Reply | undefined;
  /** Under `onetake` of every model but `unknown-model`. Default: `$0.04` a picture. */
  readonly model?: JsonObject;
}

/** A gateway that has tasks and models: the same key is the same task. */
export function fakeTasks(options: FakeTasksOptions = {}): FakeTasks {
  const byKey = new Map<string, JsonObject>();
  const sent = new Map<string, number>();
  const ids = new Map<string, string>();
  const end = options.endOf ?? endByPrompt;
  let settled = false;

  function submit({ headers, body }: Received): Reply {
    const key = String(headers['idempotency-key']);
    const asked = JSON.parse(body) as JsonObject;
    sent.set(key, (sent.get(key) ?? 0) + 1);
    if (!byKey.has(key)) byKey.set(key, asked);
    ids.set(`gen_${key}`, key);
    return { status: 202, body: { id: `gen_${key}`, object: 'image.generation.task', status: 'pending' } };
  }

  function read(id: string, host: string): Reply {
    const body = byKey.get(ids.get(id) ?? '');
    if (body === undefined) return problem(404, 'not_found', `task "${id}": there is none of this id`);
    const ended = end(body);
    const isOpen = ended === 'pending' || ended === 'processing';
    return { body: taskBody(id, body, isOpen && settled ? 'completed' : ended, host) };
  }

  function reply(request: Received): Reply {
    const instead = options.instead?.(request);
    if (instead) return instead;
    const { method, url, headers } = request;
    const path = url.split('?', 1)[0] ?? '';
    if (method === 'POST' && path === '/v1/tasks') return submit(request);
    if (path.startsWith('/v1/tasks/')) return read(path.slice('/v1/tasks/'.length), String(headers.host));
    if (path.startsWith('/v1/assets/')) return { bytes: PNG };
    if (path === '/v1/targets') return { body: { object: 'list', data: [] } };
    const model = path.slice('/v1/models/'.length);
    if (model === 'unknown-model') return problem(404, 'model_not_found', 'model: did you mean "good"?');
    return { body: { id: model, onetake: options.model ?? { price: { per_image_usd: PRICE_USD } } } };
  }
  function settle(): void {
    settled = true;
  }
  return { reply, byKey, sent, settle };
}

function endByPrompt({ prompt }: JsonObject): FakeEnd {
  const word = /\b(refused|failed|unknown|pending|processing)\b/.exec(String(prompt))?.[1];
  return (word as FakeEnd | undefined) ?? 'completed';
}

function taskBody(id: string, body: JsonObject, end: FakeEnd, host: string): JsonObject {
  const n = typeof body.n === 'number' ? body.n : 1;
  const base = { id, object: 'image.generation.task', created: 1 };
  const onetake = { generation: id, provider: 'lab', model: 'good' };
  switch (end) {
    case 'pending':
    case 'processing':
      return { ...base, status: end, onetake };
    case 'completed': {
      const picture = { sha256: SHA256, bytes: PNG.length, width: 1, height: 1, type: 'png' };
      const images = Array.from({ length: n }, () => picture);
      const data = images.map(() => ({ url: `http://${host}/v1/assets/${SHA256}.png` }));
      return { ...base, status: 'completed', data, onetake: { ...onetake, price_usd: PRICE_USD * n, images } };
    }
    case 'refused':
      return failedBody(base, { ...onetake, billed: 'no', kind: 'policy', price_usd: 0 }, 'content_policy_violation');
    case 'failed': {
      const said = { ...onetake, billed: 'maybe', kind: 'server', price_usd: null, possible_usd: PRICE_USD };
      return failedBody(base, said, 'generation_failed');
    }
    case 'unknown': {
      const said = { ...onetake, billed: 'maybe', kind: 'network', price_usd: null, possible_usd: PRICE_USD };
      return failedBody(base, said, 'outcome_unknown');
    }
  }
}

function failedBody(base: JsonObject, onetake: JsonObject, code: string): JsonObject {
  return { ...base, status: 'failed', error: { message: `it ended as ${code}`, type: 'server_error', code }, onetake };
}

/** An error in the gateway's envelope. */
export function problem(status: number, code: string, message: string, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: { error: { message, type: 'invalid_request_error', code, param: null } } };
}
