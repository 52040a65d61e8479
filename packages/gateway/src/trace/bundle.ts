import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import type { Config, Environment } from '../config.ts';
import { normalised } from '../store/failure-fingerprint.ts';
import { traceText } from './trace.ts';
import { withoutPrompts } from './without-prompts.ts';

/** What a report is made of; `null` is what could not be had, and `notes` say why. */
export interface BundleParts {
  readonly versions: JsonObject;
  /** Epoch ms. */
  readonly at: number;
  readonly generation: JsonObject;
  readonly config: JsonValue;
  readonly targets: JsonValue;
  readonly failures: readonly JsonObject[];
  readonly explained: JsonValue;
  readonly notes: readonly string[];
}

export interface BundleOptions {
  /** Prompts are in it. */
  readonly withPrompt: boolean;
  /** Values of this environment that look like secrets are taken out wherever they stand. */
  readonly env: Environment;
}

/** A report for support. No key, no address that opens a picture, and without `withPrompt` no prompt is in it. */
export function bundle({ failures, ...parts }: BundleParts, { withPrompt, env }: BundleOptions): JsonObject {
  const whole: JsonObject = {
    object: 'onetake_report',
    ...parts,
    // What others asked for stands in quotes.
    targets: withoutQuotes(parts.targets),
    failures: failures.map((one) => ({ ...one, message: normalised(String(one.message ?? '')) })),
  };
  const told = withoutHome(
    withoutSecrets(closed(withPrompt ? whole : withoutPrompts(whole)), secretsIn(env)),
    env.HOME,
  );
  // Printed from what is left, so that it says no more.
  return { ...told, trace: isObject(told.generation) ? traceText(told.generation).split('\n') : [] };
}

function withoutQuotes(targets: JsonValue): JsonValue {
  if (!Array.isArray(targets)) return targets;
  return targets.map((one: JsonValue) =>
    isObject(one) && typeof one.reason === 'string' ? { ...one, reason: normalised(one.reason) } : one,
  );
}

/** Whose machine it is stands in every path below a home. */
function withoutHome(value: JsonObject, home: string | undefined): JsonObject {
  if (home === undefined || home.length < 2) return value;
  return mapped(value, (text) => text.replaceAll(home, '~'));
}

const PICTURE_HASH = /\b([0-9a-f]{12})[0-9a-f]{52}\b/g;

/** A picture is read by whoever knows its hash; the address of a webhook, or of a provider, may hold a secret. */
function closed(value: JsonObject): JsonObject {
  return mapped(value, (text, key, inside) => {
    if (key === 'sha256' && inside.has('characters')) return text;
    const isAddress = key === 'base_url' && /^https?:/i.test(text);
    const open = isAddress || (inside.has('webhook') && key === 'url') ? hostOf(text) : text;
    return open.replaceAll(PICTURE_HASH, '$1…').replace(/^(https?:[^?#]*)[?#].*$/is, '$1?…');
  });
}

function hostOf(text: string): string {
  return URL.parse(text)?.host ?? 'an address';
}

const SECRET_NAMES = /KEY|TOKEN|SECRET|PASSWORD|AUTH|DATABASE_URL/i;
const MIN_SECRET_CHARACTERS = 8;

/** The longest first, so that one which begins like another leaves no rest of it. */
function secretsIn(env: Environment): readonly string[] {
  const named = Object.entries(env).flatMap(([name, value]) => (value && SECRET_NAMES.test(name) ? [value] : []));
  const parts = named.flatMap((value) => [value, ...value.split(/[,:@/\s]+/)]);
  const long = parts.filter(({ length }) => length >= MIN_SECRET_CHARACTERS);
  return [...new Set(long)].toSorted((a, b) => b.length - a.length);
}

function withoutSecrets(value: JsonObject, secrets: readonly string[]): JsonObject {
  return mapped(value, (text) => secrets.reduce((left, secret) => left.replaceAll(secret, '[redacted]'), text));
}

type Change = (text: string, key: string, inside: ReadonlySet<string>) => string;

/** `inside` names the fields around a text and, of its own object, those beside it. */
function mapped(value: JsonObject, change: Change): JsonObject {
  const go = (one: JsonValue, key: string, inside: ReadonlySet<string>): JsonValue => {
    if (typeof one === 'string') return change(one, key, inside);
    if (Array.isArray(one)) return one.map((item: JsonValue) => go(item, key, inside));
    if (!isObject(one)) return one;
    const around = new Set([...inside, key, ...Object.keys(one).filter((name) => name === 'characters')]);
    return Object.fromEntries(Object.entries(one).map(([name, item]) => [name, go(item ?? null, name, around)]));
  };
  const whole = go(value, '', new Set());
  return isObject(whole) ? whole : {};
}

/** Kinds and hosts of providers, routes and limits, for where a gateway does not tell its own configuration. */
export function configSummary(config: Config): JsonObject {
  return JSON.parse(
    JSON.stringify({
      providers: config.providers.map(({ id, kind, baseUrl, played, keySource, pool }) => ({
        id,
        kind,
        host: played ? 'the sandbox' : hostOf(baseUrl),
        key: keySource === undefined ? 'none' : 'set',
        keys: pool && Object.keys(pool).length,
      })),
      routes: config.routes,
      limits: config.limits,
      default_model: config.defaultModel,
      sandbox: config.sandbox,
      database: config.databaseUrl === undefined ? 'sqlite' : 'postgres',
      queue: config.queue,
      retention: config.retention,
    }),
  );
}
