import { createHash } from 'node:crypto';
import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { type CallAnswer, call, exchange } from '../call.ts';
import { messageOf } from '../exit.ts';
import { readRefused } from '../image-call.ts';
import type { Reached } from '../reach.ts';
import { oneLine } from '../text.ts';
import type { Charge, Intended } from './events.ts';

/** A task as the gateway tells it. */
export interface TaskView {
  readonly id: string;
  readonly status: 'pending' | 'processing' | 'completed' | 'failed' | 'canceled';
  readonly pictures: readonly TaskPicture[];
  /** Pictures that were asked for and not made. */
  readonly missing: number;
  readonly charge: Charge;
  readonly billed: 'no' | 'maybe' | 'yes';
  readonly generation?: string;
  /** `provider/model`. */
  readonly model?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly kind?: string };
}

export interface TaskPicture {
  readonly url: string;
  readonly sha256: string;
  readonly type: string;
}

/** What came of one exchange with the gateway. */
export type Answered<Value> =
  | { readonly kind: 'told'; readonly value: Value }
  /** It says that it will not: nothing was spent. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string }
  | { readonly kind: 'gone' }
  /** Not now: nothing was taken. */
  | { readonly kind: 'wait'; readonly ms: number; readonly message: string }
  /** No answer of the gateway; it may have taken what was sent. */
  | { readonly kind: 'unreachable'; readonly message: string }
  /** No line can work: the key is wrong, or there are no tasks at that address. */
  | { readonly kind: 'useless'; readonly message: string };

/** The calls a batch makes; each is one exchange. An aborted one is `unreachable`. */
export interface TaskCalls {
  submit(body: JsonObject, intended: Intended, signal: AbortSignal): Promise<Answered<TaskView>>;
  /** Waits at the gateway until the task ends, at most so many seconds. */
  read(task: string, waitSeconds: number, signal: AbortSignal): Promise<Answered<TaskView>>;
  /** The bytes of a picture, as long as they are those the gateway told of. */
  picture(picture: TaskPicture, signal: AbortSignal): Promise<Answered<Buffer>>;
}

const SUBMIT_TIMEOUT_MS = 30_000;
const READ_SLACK_MS = 15_000;
const PICTURE_TIMEOUT_MS = 300_000;
const USUAL_WAIT_MS = 2_000;
const MAX_WAIT_MS = 3_600_000;
const ASSETS = '/v1/assets/';

export function taskCalls(gateway: Reached): TaskCalls {
  const { url, headers } = gateway;
  return {
    async submit(body, intended, signal) {
      const request = {
        method: 'POST' as const,
        headers: {
          ...headers,
          'content-type': 'application/json',
          'idempotency-key': intended.key,
          'x-onetake-priority': 'batch',
          ...(intended.max_paid_attempts !== undefined && {
            'x-onetake-max-paid-attempts': String(intended.max_paid_attempts),
          }),
        },
        body: Buffer.from(JSON.stringify(body)),
        timeoutMs: SUBMIT_TIMEOUT_MS,
        signal,
      };
      const answer = await answered(() => call(`${url}/v1/tasks`, request), taskOf);
      const noTasks = answer.kind === 'refused' && answer.status === 404 && answer.code === 'not_found';
      return noTasks ? { kind: 'useless', message: `it has no tasks (${answer.message}); update it` } : answer;
    },
    async read(task, waitSeconds, signal) {
      const wait = waitSeconds > 0 ? `?wait=${waitSeconds}` : '';
      const request = { headers, timeoutMs: waitSeconds * 1000 + READ_SLACK_MS, signal };
      const answer = await answered(() => call(`${url}/v1/tasks/${encodeURIComponent(task)}${wait}`, request), taskOf);
      return answer.kind === 'refused' && answer.status === 404 ? { kind: 'gone' } : answer;
    },
    async picture({ url: link, sha256 }, signal) {
      // Links are built on the address the gateway has for the world, which need not work from here.
      const path = link.indexOf(ASSETS);
      const address = path < 0 ? link : `${url}${link.slice(path)}`;
      const options = { timeoutMs: PICTURE_TIMEOUT_MS, signal };
      const { status, bytes } = await exchange(address, options).catch(() => ({ status: 0, bytes: Buffer.alloc(0) }));
      if (status === 404 || status === 410) return { kind: 'gone' };
      if (status !== 200) return { kind: 'unreachable', message: `a picture could not be fetched (HTTP ${status})` };
      const found = createHash('sha256').update(bytes).digest('hex');
      if (found === sha256) return { kind: 'told', value: bytes };
      const message = `the picture arrived damaged: its SHA-256 is ${found}, not ${sha256}`;
      return { kind: 'refused', status, code: 'picture_damaged', message };
    },
  };
}

/** One exchange, and what `read` makes of its body: undefined where it is not the gateway's. */
export async function answered<Value>(
  ask: () => Promise<CallAnswer>,
  read: (body: JsonObject) => Value | undefined,
): Promise<Answered<Value>> {
  let answer: CallAnswer;
  try {
    answer = await ask();
  } catch (error) {
    return { kind: 'unreachable', message: messageOf(error) };
  }
  const { status, body } = answer;
  if (status >= 200 && status < 300) {
    const value = body && read(body);
    return value ? { kind: 'told', value } : { kind: 'unreachable', message: 'the answer was not the gateway’s' };
  }
  return failed(answer);
}

function failed(answer: CallAnswer): Answered<never> {
  const { status, headers, body } = answer;
  const refused = readRefused(answer);
  const message = oneLine(refused.message);
  if (!isObject(body?.error) || status < 400) return { kind: 'unreachable', message };
  // A used-up quota is a 429 that no waiting helps.
  const isTemporary = headers['x-should-retry'] !== 'false' || headers['retry-after'] !== undefined;
  if ((status === 429 && isTemporary) || status === 503) return { kind: 'wait', ms: waitMsOf(headers), message };
  if (status === 401 || status === 403) return { kind: 'useless', message };
  if (status >= 500) return { kind: 'unreachable', message };
  return { kind: 'refused', status, code: refused.code, message };
}

function waitMsOf(headers: CallAnswer['headers']): number {
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN);
  const ms = Number.isFinite(exact) ? exact : Number(headers['retry-after'] ?? Number.NaN) * 1000;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, MAX_WAIT_MS) : USUAL_WAIT_MS;
}

const STATUSES: ReadonlySet<unknown> = new Set<TaskView['status']>([
  'pending',
  'processing',
  'completed',
  'failed',
  'canceled',
]);

function taskOf(body: JsonObject): TaskView | undefined {
  if (typeof body.id !== 'string' || body.id === '' || !STATUSES.has(body.status)) return undefined;
  const said = isObject(body.onetake) ? body.onetake : {};
  const error = isObject(body.error) ? body.error : undefined;
  const details = listOf(said.images);
  const billed = said.billed === 'no' || said.billed === 'maybe' || said.billed === 'yes' ? said.billed : undefined;
  const status = body.status as TaskView['status'];
  return {
    id: body.id,
    status,
    pictures: listOf(body.data).flatMap((item, index) => pictureOf(item, details[index])),
    missing: listOf(said.missing).length,
    charge: chargeOf(said, billed),
    billed: billed ?? (status === 'completed' ? 'yes' : 'maybe'),
    ...(typeof said.generation === 'string' && { generation: said.generation }),
    ...(typeof said.provider === 'string' && { model: `${said.provider}/${String(said.model)}` }),
    ...(error && { error: errorOf(error, said) }),
  };
}

function pictureOf(item: JsonObject, detail: JsonObject | undefined): readonly TaskPicture[] {
  if (typeof item.url !== 'string' || typeof detail?.sha256 !== 'string') return [];
  return [{ url: item.url, sha256: detail.sha256, type: String(detail.type) }];
}

/** Charges nobody told of are unknown, but for those of which it is said that there are none. */
function chargeOf(said: JsonObject, billed: TaskView['billed'] | undefined): Charge {
  if (billed === 'no') return { price_usd: 0, possible_usd: 0 };
  const possible = typeof said.possible_usd === 'number' ? said.possible_usd : null;
  const none = said.possible_usd === undefined && billed !== 'maybe';
  const price = typeof said.price_usd === 'number' ? said.price_usd : null;
  // With nothing but possible charges there is no price, and what may be owed is all of it.
  const nothingCertain = price === null && billed === 'maybe' && possible !== null;
  return { price_usd: nothingCertain ? 0 : price, possible_usd: none ? 0 : possible };
}

function errorOf(error: JsonObject, said: JsonObject): NonNullable<TaskView['error']> {
  return {
    code: typeof error.code === 'string' ? error.code : 'failed',
    message: typeof error.message === 'string' ? error.message : 'no reason was given',
    ...(typeof said.kind === 'string' && { kind: said.kind }),
  };
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
