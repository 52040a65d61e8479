import { resolve } from 'node:path';
import { isObject, type JsonObject, type JsonValue, parseJson } from '@onetake/core';
import { isLoopback, parseAddress, urlHere } from '../config/environment.ts';
import type { Config } from '../config.ts';
import { readAdminKey } from '../keys/admin-key.ts';
import type { CostRow } from '../store/ledger.ts';
import type { DoctorIo, DoctorWorld, GatewayFacts, KeyFacts } from './world.ts';

type Headers = Readonly<Record<string, string>>;

/** Whom to ask, and with which keys. */
export interface GatewayAddress {
  /** Without a trailing slash. */
  readonly url: string;
  /** What a request carries; an administrator's where one is known. */
  readonly headers: Headers;
  /** Of those who call: webhooks are told to their own callers alone. */
  readonly callers: readonly Headers[];
}

const TIMEOUT_MS = 5_000;
const PROBE_MS = 1_000;
const WEEK_MS = 7 * 86_400_000;
const MAX_COUNTED = 1_000;
const MAX_CALLERS_ASKED = 20;
/** Keys with a budget whose use is asked for, one by one. */
const MAX_KEYS_ASKED = 50;
const MICROS = 1e6;

/** Where the gateway of this environment would be, and the keys that the commands of this machine show it. */
export async function usualGateway({
  env,
  cwd,
  config,
}: Pick<DoctorWorld, 'env' | 'cwd' | 'config'>): Promise<GatewayAddress | undefined> {
  const own = config.ok ? config.config : config.partial;
  const url = env.ONETAKE_URL ? parseAddress(env.ONETAKE_URL)?.replace(/\/v1$/, '') : own && addressOf(own);
  if (url === undefined) return undefined;
  // The keys of this machine's gateway are nobody else's business.
  const isHere = isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''));
  const dataDir = own?.dataDir ?? resolve(cwd, env.ONETAKE_DATA || 'onetake-data');
  const made = isHere ? await readAdminKey(dataDir).catch(() => undefined) : undefined;
  const first = isHere ? own?.callers[0]?.key : undefined;
  const key = env.ONETAKE_ADMIN_KEY || made || env.ONETAKE_API_KEY || first;
  return { url, headers: bearing(key), callers: isHere ? callersOf(own) : [bearing(env.ONETAKE_API_KEY)] };
}

function addressOf({ host, port }: Config): string | undefined {
  return port === 0 ? undefined : urlHere(host, port);
}

/** Those of the environment; without any, the one caller who needs no key. */
export function callersOf(config: Pick<Config, 'callers'> | undefined): readonly Headers[] {
  const keys = config?.callers.slice(0, MAX_CALLERS_ASKED).map(({ key }) => bearing(key)) ?? [];
  return keys.length === 0 ? [{}] : keys;
}

function bearing(key: string | undefined): Headers {
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** What a running gateway tells; undefined where none answers. Starts none. */
export async function readGatewayFacts(address: GatewayAddress, io: DoctorIo): Promise<GatewayFacts | undefined> {
  const { url, headers, callers } = address;
  const alive = await io.fetch({ url: `${url}/health/live`, timeoutMs: PROBE_MS });
  if (!alive.ok || alive.value.status !== 200 || objectIn(alive.value.text)?.status !== 'live') return undefined;
  const askAs = async (path: string, carried: Headers): Promise<JsonObject | undefined> => {
    const answer = await io.fetch({ url: `${url}${path}`, headers: carried, timeoutMs: TIMEOUT_MS });
    return answer.ok && answer.value.status === 200 ? objectIn(answer.value.text) : undefined;
  };
  const ask: AskGateway = (path) => askAs(path, headers);
  const [ready, shown, costs, unknown, keys, ...webhooks] = await Promise.all([
    ask('/health/ready'),
    ask('/v1/config'),
    ask('/v1/costs?by=model,key&since=7d'),
    ask(`/v1/generations?unknown=1&limit=${MAX_COUNTED}`),
    ask('/v1/keys'),
    ...callers.map((carried) => askAs(`/v1/webhooks?state=given-up&limit=${MAX_COUNTED}`, carried)),
  ]);
  const made = keys && (await keyFacts(rowsIn(keys), ask));
  const givenUp = webhooks.flatMap((one) => (one ? rowsIn(one) : []));
  const since = io.now() - WEEK_MS;
  return {
    ...{ url, headers, isReady: ready !== undefined },
    ...(typeof shown?.data === 'string' && { dataDir: shown.data }),
    ...(costs && { use: rowsIn(costs).map(costRow) }),
    ...(unknown && { unknown: rowsIn(unknown).length }),
    webhooksGivenUp: givenUp.filter((row) => numberIn(row.settled_at) > since).length,
    ...(made && { keys: made }),
    ...(keys === undefined && { isUnheard: true }),
  };
}

function costRow(row: JsonObject): CostRow {
  const micros = (value: JsonValue | undefined) => Math.round(numberIn(value) * MICROS);
  return {
    group: {
      ...(typeof row.model === 'string' && { model: row.model }),
      ...(typeof row.key === 'string' && { key: row.key }),
    },
    ...{ requests: numberIn(row.requests), attempts: numberIn(row.attempts), images: numberIn(row.images) },
    spentMicroUsd: micros(row.spent_usd),
    retriedMicroUsd: micros(row.retried_usd),
    fallbackMicroUsd: micros(row.fallback_usd),
    ...{ refused: numberIn(row.refused), refusedMicroUsd: micros(row.refused_usd) },
    ...{ cached: numberIn(row.cached), savedMicroUsd: micros(row.saved_usd) },
    ...{ unknown: numberIn(row.unknown), possibleMicroUsd: micros(row.possible_usd) },
    unpriced: numberIn(row.unpriced),
  };
}

type AskGateway = (path: string) => Promise<JsonObject | undefined>;

async function keyFacts(rows: readonly JsonObject[], ask: AskGateway): Promise<readonly KeyFacts[]> {
  let asked = 0;
  const facts: KeyFacts[] = [];
  for (const row of rows) {
    const { name, expires_at: expiresAt, status, budget, images } = row;
    if (typeof name !== 'string') continue;
    const isBounded = isObject(budget) || isObject(images);
    asked += isBounded ? 1 : 0;
    const whole = isBounded && asked <= MAX_KEYS_ASKED ? await ask(`/v1/keys/${encodeURIComponent(name)}`) : undefined;
    const windows = Array.isArray(whole?.windows) ? whole.windows.filter(isObject) : [];
    facts.push({
      name,
      isRevoked: status === 'revoked',
      ...(isObject(row.browser) && { isBrowser: true as const }),
      ...(typeof expiresAt === 'number' && { expiresAt }),
      ...budgetOf(budget, windows),
      ...imagesOf(images, windows),
    });
  }
  return facts;
}

function budgetOf(budget: JsonValue | undefined, windows: readonly JsonObject[]): Pick<KeyFacts, 'budget'> {
  const window = windows.find(({ unit }) => unit === 'usd');
  if (!isObject(budget) || window === undefined) return {};
  const used = numberIn(window.spent) + numberIn(window.held);
  const micros = { microUsd: numberIn(budget.usd) * MICROS, usedMicroUsd: used * MICROS };
  return { budget: { ...micros, per: String(budget.per) } };
}

function imagesOf(images: JsonValue | undefined, windows: readonly JsonObject[]): Pick<KeyFacts, 'images'> {
  const window = windows.find(({ unit }) => unit === 'images');
  if (!isObject(images) || window === undefined) return {};
  const used = numberIn(window.spent) + numberIn(window.held);
  return { images: { count: numberIn(images.count), per: String(images.per), used } };
}

function rowsIn({ data }: JsonObject): readonly JsonObject[] {
  return Array.isArray(data) ? data.filter(isObject) : [];
}

function numberIn(value: JsonValue | undefined): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function objectIn(text: string): JsonObject | undefined {
  const value = parseJson(text);
  return isObject(value) ? value : undefined;
}
