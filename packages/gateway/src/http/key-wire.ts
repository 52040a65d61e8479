import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import type { ManagedKey, Period } from '../keys/key.ts';
import type { NewKey } from '../keys/keys.ts';
import { microUsdOf, usdOf } from '../money/usd.ts';
import { invalidValue, RequestProblem } from './problem.ts';

const PERIODS: readonly Period[] = ['hour', 'day', 'week', 'month', 'total'];
const FIELDS = [
  ...['name', 'budget', 'images', 'rpm', 'models', 'expires_in_ms', 'allow_unknown_price', 'admin', 'browser'],
];
const MAX_USD = 1_000_000;
const MAX_IMAGES = 1_000_000_000;
const MAX_RPM = 60_000;
const MAX_PATTERNS = 100;
const MAX_PATTERN_CHARS = 200;
const MAX_ORIGINS = 20;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MAX_EXPIRES_MS = 10 * 365 * 24 * HOUR_MS;
const BROWSER_MS = { usual: HOUR_MS, most: 24 * HOUR_MS };

/**
 * Reads the body of `POST /v1/keys`: `{"name": "app", "budget": {"usd": 5, "per": "day"}, "images": {"count": 100,
 * "per": "day"}, "rpm": 60, "models": ["image-*"], "expires_in_ms": 86400000, "allow_unknown_price": true, "admin":
 * true, "browser": {"origins": ["https://app.example"]}}`, of which `name` is needed. Throws a 400 with the field's path.
 */
export function readNewKey(body: unknown, now: number): NewKey {
  if (!isObject(body)) throw new RequestProblem(400, 'invalid_body', `body: it is not a JSON object; ${EXAMPLE}`);
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  const strange = Object.keys(given).find((field) => !FIELDS.includes(field));
  if (strange !== undefined) {
    const param = strange.slice(0, 64);
    const message = `${param}: there is no such field; there are ${FIELDS.join(', ')}`;
    throw new RequestProblem(400, 'unknown_parameter', message, { param });
  }
  const browser = readBrowser(given.browser);
  if (browser && given.admin === true)
    throw invalidValue('admin', 'a key for pages in browsers administers nothing; leave out one of admin and browser');
  const expiresInMs = readExpiry(given.expires_in_ms, browser !== undefined);
  const budget = readBudget(given.budget);
  return {
    name: readName(given.name),
    ...(expiresInMs !== undefined && { expiresAt: now + expiresInMs }),
    ...(budget && { budget }),
    ...(given.images !== undefined && { images: readImages(given.images) }),
    ...(given.rpm !== undefined && { rpm: wholeNumber('rpm', given.rpm, MAX_RPM) }),
    ...(given.models !== undefined && { models: readModels(given.models) }),
    ...(isSet('allow_unknown_price', given.allow_unknown_price) && { allowUnknownPrice: true as const }),
    ...(isSet('admin', given.admin) && { admin: true as const }),
    ...(browser && { browser }),
  };
}

const EXAMPLE = 'send {"name": "app"}, and the limits it is held to';

function readName(value: JsonValue | undefined): string {
  // A URL takes its way through dots alone, so nobody could show or revoke such a key.
  if (typeof value === 'string' && /^(?!\.\.?$)[A-Za-z0-9._-]{1,64}$/.test(value)) return value;
  if (value !== undefined)
    throw invalidValue(
      'name',
      'it is not 1 to 64 letters, digits, dots, dashes or underscores, or it is "." or ".."; change it',
    );
  throw new RequestProblem(400, 'missing_required_parameter', `name: it is missing; ${EXAMPLE}`, { param: 'name' });
}

function readBudget(value: JsonValue | undefined): ManagedKey['budget'] {
  if (value === undefined) return undefined;
  const { usd, per } = objectAt('budget', value, ['usd', 'per'], '{"usd": 5, "per": "day"}');
  const microUsd = typeof usd === 'number' && usd >= 0 && usd <= MAX_USD ? microUsdOf(usd) : Number.NaN;
  if (microUsd / 1e6 === usd) return { microUsd, per: periodAt('budget.per', per) };
  throw invalidValue('budget.usd', `it is not an amount of US dollars from 0 to ${MAX_USD} with at most 6 decimals`);
}

function readImages(value: JsonValue): NonNullable<ManagedKey['images']> {
  const { count, per } = objectAt('images', value, ['count', 'per'], '{"count": 100, "per": "day"}');
  return { count: wholeNumber('images.count', count, MAX_IMAGES, 0), per: periodAt('images.per', per) };
}

function periodAt(param: string, value: JsonValue | undefined): Period {
  const period = PERIODS.find((one) => one === value);
  if (period !== undefined) return period;
  throw invalidValue(param, `it is none of ${PERIODS.join(', ')}`);
}

function readModels(value: JsonValue): readonly string[] {
  const isPattern = (one: JsonValue): one is string =>
    typeof one === 'string' && one.length > 0 && one.length <= MAX_PATTERN_CHARS && /^[\x21-\x7e]+$/.test(one);
  if (Array.isArray(value) && value.length > 0 && value.length <= MAX_PATTERNS && value.every(isPattern)) return value;
  const rule = `1 to ${MAX_PATTERNS} names of models of up to ${MAX_PATTERN_CHARS} characters, in which * stands for any`;
  throw invalidValue('models', `it is no list of ${rule}; send ["image-*"], or leave it out for all`);
}

function readBrowser(value: JsonValue | undefined): ManagedKey['browser'] {
  if (value === undefined) return undefined;
  const { origins } = objectAt('browser', value, ['origins'], '{"origins": ["https://app.example"]}');
  if (Array.isArray(origins) && origins.length > 0 && origins.length <= MAX_ORIGINS && origins.every(isOrigin))
    return { origins };
  throw invalidValue(
    'browser.origins',
    `it is no list of 1 to ${MAX_ORIGINS} origins as browsers send them: https://app.example, without a path or a slash at its end`,
  );
}

function isOrigin(value: JsonValue): value is string {
  if (typeof value !== 'string') return false;
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === value;
}

/** What a page shows to everybody who opens it is not to be of use for long. */
function readExpiry(value: JsonValue | undefined, isForBrowsers: boolean): number | undefined {
  if (value === undefined) return isForBrowsers ? BROWSER_MS.usual : undefined;
  const most = isForBrowsers ? BROWSER_MS.most : MAX_EXPIRES_MS;
  if (typeof value === 'number' && Number.isInteger(value) && value >= MINUTE_MS && value <= most) return value;
  const whose = isForBrowsers ? 'of a browser key it is' : 'it is';
  throw invalidValue('expires_in_ms', `${whose} a whole number of ms from ${MINUTE_MS} to ${most}, and this is none`);
}

function isSet(param: string, value: JsonValue | undefined): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw invalidValue(param, 'it is neither true nor false');
}

function wholeNumber(param: string, value: JsonValue | undefined, most: number, least = 1): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalidValue(param, `it is not a whole number from ${least} to ${most}`);
}

function objectAt(param: string, value: JsonValue, fields: readonly string[], example: string): JsonObject {
  if (isObject(value) && Object.keys(value).every((field) => fields.includes(field))) return value;
  throw invalidValue(param, `it is not ${example}`);
}

/** A key as it is shown: without itself, of which nobody has more than the digest. */
export function keyView(key: ManagedKey, now: number): JsonObject {
  const { budget, images } = key;
  return {
    object: 'key',
    name: key.name,
    hint: key.hint,
    status: statusOf(key, now),
    created_at: key.createdAt,
    expires_at: key.expiresAt ?? null,
    revoked_at: key.revokedAt ?? null,
    budget: budget ? { usd: usdOf(budget.microUsd), per: budget.per } : null,
    images: images ? { count: images.count, per: images.per } : null,
    rpm: key.rpm ?? null,
    models: key.models ?? null,
    allow_unknown_price: key.allowUnknownPrice ?? false,
    admin: key.admin ?? false,
    browser: key.browser ? { origins: key.browser.origins } : null,
  };
}

function statusOf({ revokedAt, expiresAt }: ManagedKey, now: number): 'usable' | 'revoked' | 'expired' {
  if (revokedAt !== undefined) return 'revoked';
  return expiresAt !== undefined && now >= expiresAt ? 'expired' : 'usable';
}
