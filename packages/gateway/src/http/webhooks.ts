import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Store, WebhookFilter, WebhookRow } from '../store/store.ts';
import type { SecretOf } from '../webhooks/secrets.ts';
import { invalidValue, RequestProblem } from './problem.ts';

export interface WebhookRouteDeps {
  readonly store: Pick<Store, 'listWebhooks' | 'redeliver'>;
  readonly io: { now(): number };
  readonly secretOf: SecretOf;
}

const PAGE = { usual: 20, most: 1000 };
/** Per call of `redeliver`; what is beyond takes another one. */
const REDELIVER_AT_ONCE = 1000;
const MAX_ID_CHARS = 200;
const STATES = ['waiting', 'delivered', 'given-up'] as const;
const SELECTORS = ['id', 'generation', 'state'] as const;

/** The handlers around a caller's webhooks: what was delivered, once more, and the secret to check it with. */
export function webhookRoutes({ store, io, secretOf }: WebhookRouteDeps) {
  return {
    /** `?state=`, `?generation=`, `?id=` and `?limit=`; newest first. */
    async list(request: FastifyRequest) {
      const rows = await store.listWebhooks(listFilter(request));
      return { object: 'list', data: rows.map(deliveryView) };
    },

    /** `more` says that there are further ones, for another call. */
    async redeliver(request: FastifyRequest) {
      const filter = redeliverFilter(request);
      const redelivered = await store.redeliver(filter, io.now());
      if (redelivered === 0 && filter.state === undefined) throw noneOf(filter);
      return { redelivered, more: redelivered === REDELIVER_AT_ONCE };
    },

    /** For servers alone: a page that may call in its visitor's name is not told what proves the gateway's word. */
    async secret(request: FastifyRequest, reply: FastifyReply) {
      if (request.fromBrowser) {
        const why = 'a page in a browser may not read it; call from a server, or run onetake webhooks secret';
        throw new RequestProblem(403, 'forbidden_origin', `webhook secret: ${why}`);
      }
      reply.header('cache-control', 'no-store');
      return { object: 'webhook.secret', secret: await secretOf(request.caller) };
    },
  };
}

function deliveryView(row: WebhookRow): JsonObject {
  return {
    id: row.id,
    object: 'webhook.delivery',
    type: row.type,
    generation: row.generation,
    url: row.url,
    state: row.state,
    tries: row.tries,
    created_at: row.at,
    next_try_at: row.state === 'waiting' ? (row.retryAt ?? null) : null,
    settled_at: row.settledAt ?? null,
    status: row.status ?? null,
    reason: row.reason ?? null,
  };
}

function listFilter(request: FastifyRequest): WebhookFilter {
  const query = request.query as Readonly<Record<string, JsonValue | undefined>>;
  const limit = Number(query.limit ?? PAGE.usual);
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE.most) {
    throw invalidValue('limit', `${shown(query.limit)} is not a whole number from 1 to ${PAGE.most}`);
  }
  return { caller: request.caller, limit, ...selection(query) };
}

function redeliverFilter({ body, caller }: FastifyRequest): WebhookFilter {
  const example = 'send {"id": "…"}, {"generation": "gen_…"} or {"state": "given-up"}';
  if (!isObject(body)) throw new RequestProblem(400, 'invalid_body', `body: it is not a JSON object; ${example}`);
  const strange = Object.keys(body).find((name) => !SELECTORS.some((known) => known === name));
  if (strange !== undefined) {
    const param = strange.slice(0, 64);
    throw new RequestProblem(400, 'unknown_parameter', `${param}: there is no such field; ${example}`, { param });
  }
  const selected = selection(body);
  if (Object.keys(selected).length !== 1) {
    throw new RequestProblem(
      400,
      'invalid_body',
      `body: it names not exactly one of ${SELECTORS.join(', ')}; ${example}`,
    );
  }
  if (selected.state !== undefined && selected.state !== 'given-up') {
    throw invalidValue('state', `"${selected.state}" is not given-up; name others by id or generation`);
  }
  return { caller, limit: REDELIVER_AT_ONCE, ...selected };
}

function selection(
  given: Readonly<Record<string, JsonValue | undefined>>,
): Pick<WebhookFilter, 'id' | 'generation' | 'state'> {
  const [id, generation] = [idAt(given, 'id'), idAt(given, 'generation')];
  const state = STATES.find((one) => one === given.state);
  if (given.state !== undefined && state === undefined) {
    throw invalidValue('state', `${shown(given.state)} is not ${STATES.join(', ')}`);
  }
  return { ...(id !== undefined && { id }), ...(generation !== undefined && { generation }), ...(state && { state }) };
}

function idAt(given: Readonly<Record<string, JsonValue | undefined>>, param: 'id' | 'generation'): string | undefined {
  const value = given[param];
  if (value === undefined || (typeof value === 'string' && value !== '' && value.length <= MAX_ID_CHARS)) return value;
  throw invalidValue(param, `${shown(value)} is not an id; GET /v1/webhooks lists them`);
}

function noneOf({ id, generation }: WebhookFilter): RequestProblem {
  const [param, value] = id === undefined ? ['generation', generation] : ['id', id];
  return new RequestProblem(
    404,
    'not_found',
    `${param}: "${value}" has no webhook delivery; GET /v1/webhooks lists them`,
    {
      param,
    },
  );
}

function shown(value: JsonValue | undefined): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 50)) : `a value of type ${typeof value}`;
}
