import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { call } from '../call.ts';
import { CliError, EXIT, interrupted, messageOf } from '../exit.ts';
import { readRefused } from '../image-call.ts';
import type { Reached } from '../reach.ts';
import { oneLine } from '../text.ts';
import type { LineProblem } from './line.ts';

/** At most `count` in any `windowMs`. */
export interface Rate {
  readonly count: number;
  readonly windowMs: number;
}

export interface KnownLimits {
  readonly images: readonly Rate[];
  readonly requests: readonly Rate[];
  /** Requests in flight. */
  readonly concurrency?: number;
}

/** What the gateway says of a model; what it does not say is unknown. */
export interface ModelFacts {
  readonly price:
    | { readonly kind: 'per-image'; readonly lowUsd: number; readonly highUsd: number }
    | { readonly kind: 'per-megapixel'; readonly lowUsd: number; readonly highUsd: number; readonly autoSize?: string }
    | { readonly kind: 'tokens' }
    | { readonly kind: 'unknown' };
  readonly limits: KnownLimits;
}

export type Models = ReadonlyMap<string, ModelFacts | LineProblem>;

const TIMEOUT_MS = 30_000;
const MAX_MODELS = 100;

/** Asks the gateway about models; those it does not know have a problem. Costs nothing. */
export async function askModels(gateway: Reached, names: ReadonlySet<string>, signal: AbortSignal): Promise<Models> {
  if (names.size > MAX_MODELS)
    throw new CliError(`the lines name ${names.size} models, more than ${MAX_MODELS}; split the batch`, EXIT.usage);
  const models = new Map<string, ModelFacts | LineProblem>();
  let targets: readonly JsonObject[] | undefined;
  for (const name of names) {
    const entry = await ask(gateway, `/v1/models/${encodeURI(name)}`, signal);
    if (entry.status === 404) {
      const { code, message } = readRefused(entry);
      models.set(name, { code, message: oneLine(message) });
      continue;
    }
    const said = isObject(entry.body?.onetake) ? entry.body.onetake : {};
    targets ??= said.limits === undefined ? listOf((await ask(gateway, '/v1/targets', signal)).body?.data) : undefined;
    models.set(name, factsOf(said, targets ?? []));
  }
  return models;
}

async function ask(gateway: Reached, path: string, signal: AbortSignal) {
  const request = { headers: gateway.headers, timeoutMs: TIMEOUT_MS, signal };
  const answer = await call(`${gateway.url}${path}`, request).catch((error: unknown) => {
    if (signal.aborted) throw interrupted();
    throw new CliError(`the gateway at ${gateway.url} broke off: ${messageOf(error)}`);
  });
  if (answer.status === 200 || answer.status === 404) return answer;
  throw new CliError(`the gateway at ${gateway.url}: ${oneLine(readRefused(answer).message)}`);
}

function factsOf(said: JsonObject, rows: readonly JsonObject[]): ModelFacts {
  const [first] = Array.isArray(said.targets) ? said.targets : [];
  const limits = isObject(said.limits)
    ? [said.limits]
    : rows.filter((row) => row.id === first).map((row) => row.limits);
  return { price: priceOf(said.price), limits: limitsOf(limits.filter(isObject)) };
}

function priceOf(price: JsonValue | undefined): ModelFacts['price'] {
  if (!isObject(price)) return { kind: 'unknown' };
  const perImage = rangeOf(price.per_image_usd, price.lowest_usd);
  if (perImage) return { kind: 'per-image', ...perImage };
  const perMegapixel = rangeOf(price.per_megapixel_usd, price.lowest_usd);
  const size = typeof price.auto_size === 'string' && { autoSize: price.auto_size };
  if (perMegapixel) return { kind: 'per-megapixel', ...perMegapixel, ...size };
  return { kind: isObject(price.per_million_tokens_usd) ? 'tokens' : 'unknown' };
}

interface Range {
  readonly lowUsd: number;
  readonly highUsd: number;
}

function rangeOf(high: JsonValue | undefined, low: JsonValue | undefined): Range | undefined {
  if (typeof high !== 'number' || high < 0) return undefined;
  return { highUsd: high, lowUsd: typeof low === 'number' ? low : high };
}

const PIXELS_PER_MEGAPIXEL = 1_048_576;

/** What one picture of a line costs; undefined where that is only known once it is made. */
export function picturePrice(price: ModelFacts['price'], body: JsonObject): Range | undefined {
  if (price.kind === 'per-image') return price;
  if (price.kind !== 'per-megapixel') return undefined;
  const isAuto = body.size === undefined || body.size === 'auto';
  const isEdit = body.image !== undefined || body.images !== undefined;
  const size = isAuto && !isEdit ? price.autoSize : body.size;
  const [, width, height] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(String(size)) ?? [];
  if (width === undefined) return undefined;
  const megapixels = Math.ceil((Number(width) * Number(height)) / PIXELS_PER_MEGAPIXEL);
  return { lowUsd: price.lowUsd * megapixels, highUsd: price.highUsd * megapixels };
}

/** Several keys of one target add up, as far as their windows are the same. */
function limitsOf(all: readonly JsonObject[]): KnownLimits {
  const concurrency = all.reduce((sum, one) => sum + (typeof one.concurrency === 'number' ? one.concurrency : 0), 0);
  return {
    images: ratesOf(all.flatMap((one) => listOf(one.images))),
    requests: ratesOf(all.flatMap((one) => listOf(one.requests))),
    ...(concurrency > 0 && { concurrency }),
  };
}

function ratesOf(rates: readonly JsonObject[]): readonly Rate[] {
  const counts = new Map<number, number>();
  for (const { count, window_ms: windowMs } of rates) {
    if (typeof count === 'number' && count > 0 && typeof windowMs === 'number' && windowMs > 0)
      counts.set(windowMs, (counts.get(windowMs) ?? 0) + count);
  }
  return [...counts].map(([windowMs, count]) => ({ count, windowMs }));
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
