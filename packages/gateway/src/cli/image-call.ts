import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { type CallAnswer, call } from './call.ts';
import { CliError, codeOf, EXIT, interrupted, messageOf } from './exit.ts';
import type { Reached } from './reach.ts';

/** What `onetake generate` may ask for. */
export interface ImageOrder {
  readonly prompt: string;
  readonly model?: string;
  readonly size?: string;
  readonly quality?: string;
  readonly n?: number;
  readonly seed?: number;
  readonly format?: 'png' | 'jpeg' | 'webp';
  /** Paths of the references of an edit. */
  readonly images?: readonly string[];
  readonly timeoutMs?: number;
  readonly payment?: string;
}

/** What the gateway said of a finished generation; `null` and absent prices are unknown. */
export interface Delivered {
  readonly images: readonly { readonly base64: string; readonly revisedPrompt?: string; readonly seed?: number }[];
  readonly missing: readonly string[];
  readonly generation: string;
  readonly provider: string;
  readonly model: string;
  readonly attempts: number;
  readonly paidAttempts: number;
  readonly priceUsd?: number;
  readonly priceBasis?: string;
  /** Attempts that may have been billed without a picture to show for it. */
  readonly possibleCharges: number;
}

export interface Refused {
  readonly message: string;
  readonly code: string;
  readonly billed?: string;
  readonly advice?: string;
  readonly generation?: string;
  readonly body: JsonObject;
}

const DEFAULT_TIMEOUT_MS = 3_600_000;
/** The gateway's own clocks end the wait; this only ends a connection that died in silence. */
const SLACK_MS = 30_000;
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
};

/**
 * Orders pictures once. Without an Idempotency-Key, so that the same command after one that was broken off is given
 * the picture which that one paid for. Throws when no answer of the gateway came.
 */
export async function orderImages(gateway: Reached, order: ImageOrder, signal: AbortSignal): Promise<ImageAnswer> {
  const path = order.images ? '/v1/images/edits' : '/v1/images/generations';
  return postImages(gateway, path, { ...(await encode(order)), ...patienceOf(order) }, signal);
}

export type ImageAnswer = { ok: true; delivered: Delivered } | { ok: false; refused: Refused };

/** What is sent, and how long and at what price its answer is waited for. */
export interface ImagePost extends Pick<ImageOrder, 'timeoutMs' | 'payment'> {
  readonly contentType: string;
  readonly body: Uint8Array;
}

function patienceOf({ timeoutMs, payment }: ImageOrder) {
  return { ...(timeoutMs !== undefined && { timeoutMs }), ...(payment !== undefined && { payment }) };
}

/** Asks any of the endpoints that answer with pictures, once. Throws when no answer of the gateway came. */
export async function postImages(
  gateway: Reached,
  path: string,
  { contentType, body, ...order }: ImagePost,
  signal: AbortSignal,
): Promise<ImageAnswer> {
  const headers = {
    ...gateway.headers,
    'content-type': contentType,
    ...(order.timeoutMs !== undefined && { 'x-onetake-timeout-ms': String(order.timeoutMs) }),
    ...(order.payment !== undefined && { 'x-onetake-payment': order.payment }),
  };
  const timeoutMs = (order.timeoutMs ?? DEFAULT_TIMEOUT_MS) + SLACK_MS;
  const answer = await call(`${gateway.url}${path}`, { method: 'POST', headers, body, timeoutMs, signal }).catch(
    (error: unknown) => {
      if (signal.aborted) throw interrupted('; what was sent may be billed: see onetake generations');
      throw new CliError(`the gateway at ${gateway.url} broke off: ${messageOf(error)}; see onetake generations`);
    },
  );
  return answer.status === 200 && answer.body && !degradedOf(answer)
    ? { ok: true, delivered: readDelivered(answer, answer.body) }
    : { ok: false, refused: readRefused(asFailure(answer)) };
}

/** A picture that only stands in is none that a file was wanted of: the failure it stands for counts. */
function asFailure(answer: CallAnswer): CallAnswer {
  const { failure } = degradedOf(answer) ?? {};
  if (!isObject(failure)) return answer;
  const { message, type, code, ...told } = failure;
  const { generation } = isObject(answer.body?.onetake) ? answer.body.onetake : {};
  const onetake = { ...told, ...optional('generation', generation) };
  const body = { error: { ...optional('message', message), type: type ?? null, code: code ?? null }, onetake };
  return { ...answer, status: number(failure.status) ?? answer.status, body: body as JsonObject };
}

function degradedOf({ body }: CallAnswer): JsonObject | undefined {
  const said = isObject(body?.onetake) ? body.onetake : {};
  return isObject(said.degraded) ? said.degraded : undefined;
}

function fieldsOf(order: ImageOrder): Record<string, string | number> {
  const { prompt, model, size, quality, n, seed, format } = order;
  const fields = { prompt, model, size, quality, n, seed, output_format: format, response_format: 'b64_json' };
  const given = Object.entries(fields).filter((field): field is [string, string | number] => field[1] !== undefined);
  return Object.fromEntries(given);
}

async function encode(order: ImageOrder): Promise<{ contentType: string; body: Uint8Array }> {
  const fields = fieldsOf(order);
  if (order.images === undefined) {
    return { contentType: 'application/json', body: Buffer.from(JSON.stringify(fields)) };
  }
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
  const field = order.images.length > 1 ? 'image[]' : 'image';
  for (const path of order.images) form.append(field, await readReference(path), basename(path));
  const encoded = new Response(form);
  const contentType = encoded.headers.get('content-type') ?? 'multipart/form-data';
  return { contentType, body: await encoded.bytes() };
}

async function readReference(path: string): Promise<Blob> {
  const type = MEDIA_TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream';
  try {
    return new Blob([await readFile(path)], { type });
  } catch (error) {
    throw new CliError(`--image ${path}: cannot be read (${codeOf(error) ?? messageOf(error)})`, EXIT.usage);
  }
}

function readDelivered({ headers }: CallAnswer, body: JsonObject): Delivered {
  const said = isObject(body.onetake) ? body.onetake : {};
  const details = listOf(said.images);
  const header = (name: string) => String(headers[`x-onetake-${name}`] ?? '');
  const priceUsd = number(said.price_usd);
  return {
    images: listOf(body.data).map((item, index) => ({
      base64: text(item.b64_json) ?? '',
      ...optional('revisedPrompt', text(item.revised_prompt)),
      ...optional('seed', number(details[index]?.seed) ?? number(item.seed)),
    })),
    missing: listOf(said.missing).map((one) => text(one.message) ?? 'no reason given'),
    generation: text(said.generation) ?? header('generation'),
    provider: text(said.provider) ?? header('provider'),
    model: text(said.model) ?? decodeURI(header('model')),
    attempts: number(said.attempts) ?? Number(header('attempts')),
    paidAttempts: number(said.paid_attempts) ?? Number(header('paid-attempts')),
    possibleCharges: number(said.possible_charges) ?? 0,
    ...optional('priceUsd', priceUsd),
    ...optional('priceBasis', text(said.price_basis)),
  };
}

/** An answer that is not 200, or not the gateway's at all. */
export function readRefused({ status, headers, body }: CallAnswer): Refused {
  const error = isObject(body?.error) ? body.error : {};
  const said = isObject(body?.onetake) ? body.onetake : {};
  const generation = text(said.generation) ?? text(headers['x-onetake-generation']);
  return {
    message: text(error.message) ?? `the answer was HTTP ${status} and not the gateway's`,
    code: text(error.code) ?? `http_${status}`,
    ...optional('billed', text(said.billed)),
    ...optional('advice', text(said.advice)),
    ...optional('generation', generation),
    body: body ?? {},
  };
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
}
