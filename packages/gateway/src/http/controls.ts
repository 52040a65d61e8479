import type { IncomingHttpHeaders } from 'node:http';
import { type JsonObject, type JsonValue, nearMatches, type PolicySettings } from '@onetake/core';
import type { AskedWebhook } from '../webhooks/request.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import { PAGE_HEADER } from './page-session.ts';
import { RequestProblem } from './problem.ts';

/** What a request asks of Onetake itself, beside the picture. */
export interface Controls {
  readonly settings: PolicySettings;
  /** May be answered with an earlier identical request's result that never arrived. Default true. */
  readonly attach: boolean;
  /** Default `keep`, and `cancel` for chat. */
  readonly onDisconnect: 'keep' | 'cancel';
  /** A picture that is marked as none of its own may be shown where nothing can be made; absent leaves it to the route. */
  readonly degrade?: boolean;
  /** May be answered from the cache, and be kept there; absent leaves it to the route. */
  readonly cache?: 'on' | 'off';
  /** `batch` waits behind what somebody waits for. Default `interactive`. */
  readonly priority: 'interactive' | 'batch';
  /** Where the task's events go, for `readWebhook`. */
  readonly webhook: AskedWebhook;
  readonly idempotencyKey?: string;
  /** The client says that this is its own second try: what the first one made never arrived. */
  readonly retriedByClient: boolean;
}

interface Draft {
  settings: PolicySettings;
  attach: boolean;
  onDisconnect: Controls['onDisconnect'];
  degrade?: boolean;
  cache?: 'on' | 'off';
  priority: Controls['priority'];
  webhook: AskedWebhook;
}

interface Control {
  readonly rule: string;
  /** What the value changes; undefined when it breaks the rule. */
  readonly read: (value: string, draft: Draft, given: Given) => Partial<Draft> | undefined;
  /** Values a page of another origin may send; it can only ask for less. */
  readonly fromBrowser?: readonly string[];
}

const MAX_TIMEOUT_MS = 86_400_000;
const MAX_PAID_ATTEMPTS = 10;

/** By the name after `x-onetake-`; the body's `onetake` object has the same names in snake_case. */
const CONTROLS: Readonly<Record<string, Control>> = {
  'timeout-ms': {
    rule: `a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}`,
    read: (value, { settings }) => {
      const totalTimeoutMs = wholeNumber(value, MAX_TIMEOUT_MS);
      return totalTimeoutMs === undefined ? undefined : { settings: { ...settings, totalTimeoutMs } };
    },
    fromBrowser: ['*'],
  },
  'max-paid-attempts': {
    rule: `a whole number from 1 to ${MAX_PAID_ATTEMPTS}`,
    read: (value, { settings }) => {
      const maxPaidAttempts = wholeNumber(value, MAX_PAID_ATTEMPTS);
      return maxPaidAttempts === undefined ? undefined : { settings: { ...settings, maxPaidAttempts } };
    },
    fromBrowser: ['1'],
  },
  payment: {
    rule: 'strict, standard or available',
    read: (value, { settings }) =>
      value === 'strict' || value === 'standard' || value === 'available'
        ? { settings: { ...settings, payment: value } }
        : undefined,
    fromBrowser: ['strict'],
  },
  fallback: {
    rule: 'on or off',
    read: (value, { settings }) =>
      isSwitch(value) ? { settings: { ...settings, fallback: value === 'on' } } : undefined,
    fromBrowser: ['off'],
  },
  strict: {
    rule: 'on or off',
    read: (value, { settings }) =>
      isSwitch(value) ? { settings: { ...settings, strict: value === 'on' } } : undefined,
    fromBrowser: ['on'],
  },
  suspect: {
    rule: 'accept, retry_new_seed or fail',
    read: (value, { settings }) =>
      value === 'accept' || value === 'retry_new_seed' || value === 'fail'
        ? { settings: { ...settings, suspect: value } }
        : undefined,
    fromBrowser: ['accept', 'fail'],
  },
  aliases: {
    rule: 'on or off',
    read: (value, { settings }) =>
      isSwitch(value) ? { settings: { ...settings, aliases: value === 'on' } } : undefined,
    fromBrowser: ['off'],
  },
  attach: { rule: 'on or off', read: (value) => (isSwitch(value) ? { attach: value === 'on' } : undefined) },
  'on-disconnect': {
    rule: 'keep or cancel',
    read: (value) => (value === 'keep' || value === 'cancel' ? { onDisconnect: value } : undefined),
    fromBrowser: ['*'],
  },
  cache: {
    rule: 'on or off',
    read: (value) => (value === 'on' || value === 'off' ? { cache: value } : undefined),
    fromBrowser: ['off'],
  },
  degrade: {
    rule: 'on or off',
    read: (value) => (isSwitch(value) ? { degrade: value === 'on' } : undefined),
    fromBrowser: ['*'],
  },
  priority: {
    rule: 'interactive or batch',
    read: (value) => (value === 'interactive' || value === 'batch' ? { priority: value } : undefined),
    fromBrowser: ['*'],
  },
  'webhook-url': {
    rule: 'a URL, or off',
    read: (_, { webhook }, { json, param }) => ({ webhook: { ...webhook, url: { value: json, param } } }),
  },
  'webhook-events': {
    rule: 'a list of event types',
    read: (_, { webhook }, { json, param }) => ({ webhook: { ...webhook, events: { value: json, param } } }),
  },
};

const PREFIX = 'x-onetake-';

/**
 * Reads the `x-onetake-*` headers, the body's `onetake` object, `Idempotency-Key` and `x-stainless-retry-count`; a
 * header wins over the body. A name nobody knows is an error, because a typo in it could cost money.
 */
export function readControls(
  headers: IncomingHttpHeaders,
  body: JsonValue | undefined,
  options: ControlOptions,
): Controls {
  const { onDisconnect = 'keep' } = options;
  let draft: Draft = { settings: {}, attach: true, onDisconnect, priority: 'interactive', webhook: {} };
  for (const given of [...fromBody(body), ...fromHeaders(headers)]) {
    const control = Object.hasOwn(CONTROLS, given.name) ? CONTROLS[given.name] : undefined;
    if (control === undefined) throw unknownControl(given);
    const change = control.read(given.value, draft, given);
    if (change === undefined) throw badValue(given, control.rule);
    if (options.lacks?.(given.name, given.value)) throw onlyForPictures(given);
    if (options.fromBrowser && !isOpenToBrowsers(control, given.value)) throw notFromBrowser(given);
    draft = { ...draft, ...change };
  }
  const idempotencyKey = readIdempotencyKey(headers['idempotency-key']);
  return {
    ...draft,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    retriedByClient: Number(headers['x-stainless-retry-count'] ?? 0) > 0,
  };
}

export interface ControlOptions {
  readonly fromBrowser: boolean;
  /** Where the request does not say. Default `keep`. */
  readonly onDisconnect?: Controls['onDisconnect'];
  /** Whether this cannot be had for what is asked. */
  readonly lacks?: (name: string, value: string) => boolean;
}

interface Given {
  readonly name: string;
  readonly value: string;
  /** The value as it stood in the body. */
  readonly json: JsonValue;
  /** The header or field as the caller wrote it. */
  readonly param: string;
  /** How its known siblings are written. */
  readonly spell: (name: string) => string;
}

function fromHeaders(headers: IncomingHttpHeaders): readonly Given[] {
  const spell = (name: string) => PREFIX + name;
  return (
    Object.entries(headers)
      // Our page says with every call that it is the one who calls.
      .filter(([header]) => header.startsWith(PREFIX) && header !== PAGE_HEADER)
      .map(([param, text]) => ({ param, value: String(text).trim() }))
      .map(({ param, value }) => ({ name: param.slice(PREFIX.length), value, json: value, param, spell }))
  );
}

function fromBody(body: JsonValue | undefined): readonly Given[] {
  if (body === undefined || body === null) return [];
  if (typeof body !== 'object' || Array.isArray(body)) {
    throw new RequestProblem(
      400,
      'invalid_type',
      'onetake: it is not an object; send {"onetake": {"payment": "strict"}}',
      { param: 'onetake' },
    );
  }
  const spell = (name: string) => `onetake.${name.replaceAll('-', '_')}`;
  return Object.entries(body as JsonObject).map(([key, value]) => {
    // A header's name must not pass for a field's: `timeout-ms` is none.
    const name = key.includes('-') ? key.slice(0, 64).replaceAll('-', '_') : key.replaceAll('_', '-');
    return { name, value: controlText(value), json: value ?? null, param: `onetake.${key.slice(0, 64)}`, spell };
  });
}

function controlText(value: JsonValue | undefined): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  return value === null ? 'null' : typeof value;
}

function wholeNumber(value: string, max: number): number | undefined {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  return number >= 1 && number <= max ? number : undefined;
}

function isSwitch(value: string): boolean {
  return value === 'on' || value === 'off';
}

function isOpenToBrowsers({ fromBrowser = [] }: Control, value: string): boolean {
  return fromBrowser.includes('*') || fromBrowser.includes(value);
}

function badValue({ param, value }: Given, rule: string): RequestProblem {
  const message = `${param}: "${value.slice(0, 100)}" is not ${rule}; change it or leave it out`;
  return new RequestProblem(400, 'invalid_value', message, { param });
}

function unknownControl({ name, param, spell }: Given): RequestProblem {
  const known = Object.keys(CONTROLS);
  const near = nearMatches(name.replaceAll('_', '-'), known).map(spell);
  const wayOut = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${known.map(spell).join(', ')}`;
  return new RequestProblem(400, 'unknown_parameter', `${param}: there is no such control; ${wayOut}`, { param });
}

function onlyForPictures({ param, value }: Given): RequestProblem {
  const message = `${param}: "${value.slice(0, 100)}" is for pictures and cannot be had for chat; leave it out`;
  return new RequestProblem(400, 'unsupported_parameter', message, { param });
}

function notFromBrowser({ param, value }: Given): RequestProblem {
  const message = `${param}: a page in a browser may not set it to "${value.slice(0, 100)}"; set it on the route, or call from a server`;
  return new RequestProblem(403, 'forbidden_control', message, { param });
}
