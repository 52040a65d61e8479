import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import type { CacheStats } from '../store/cache.ts';
import type { RequestCache } from '../tasks/cache.ts';
import { RequestProblem } from './problem.ts';

export interface CacheRouteDeps {
  readonly cache: Pick<RequestCache, 'stats' | 'clear'>;
  readonly config: Pick<Config, 'cache'>;
}

const MAX_MODEL_CHARS = 200;

/** The handlers around a caller's own cached pictures. */
export function cacheRoutes({ cache, config }: CacheRouteDeps) {
  return {
    /** `?model=provider/model` tells of one model alone. */
    async stats(request: FastifyRequest) {
      const { target } = selection(request, ['model']);
      const stats = await cache.stats({ caller: request.caller, ...(target !== undefined && { target }) });
      return statsView(stats, config.cache);
    },

    /** `?model=` and `?key=` choose; without either all of the caller's go. `more` says that another call is needed. */
    async clear(request: FastifyRequest) {
      if (request.fromBrowser) {
        const why = 'a page in a browser may not clear it, since what is gone is paid for again; call from a server';
        throw new RequestProblem(403, 'forbidden_origin', `cache: ${why}`);
      }
      const cleared = await cache.clear({ caller: request.caller, ...selection(request, ['model', 'key']) });
      return { object: 'cache.cleared', ...cleared };
    },
  };
}

function statsView({ savedUsd, oldestAt, targets, ...sums }: CacheStats, limits: Config['cache']): JsonObject {
  return {
    object: 'cache',
    ...sums,
    saved_usd: savedUsd,
    oldest_at: oldestAt ?? null,
    limits: { bytes: limits.bytes, days: limits.days },
    models: targets.map(({ target, savedUsd: saved, ...own }) => ({ model: target, ...own, saved_usd: saved })),
  };
}

function selection({ query }: FastifyRequest, names: readonly ('model' | 'key')[]) {
  const given: Readonly<Record<string, JsonValue | undefined>> = isObject(query) ? query : {};
  const strange = Object.keys(given).find((name) => !names.some((known) => known === name));
  if (strange !== undefined) {
    const param = strange.slice(0, 64);
    const message = `${param}: there is no such parameter here; there is ${names.join(' and ')}`;
    throw new RequestProblem(400, 'unknown_parameter', message, { param });
  }
  const { model, key } = given;
  if (model !== undefined && !isModel(model)) throw invalid('model', model, 'not provider/model, as in GET /v1/models');
  if (key !== undefined && !isKey(key)) throw invalid('key', key, 'not a key of 64 hexadecimal digits');
  return { ...(model !== undefined && { target: model }), ...(key !== undefined && { key }) };
}

function isModel(value: JsonValue): value is string {
  return typeof value === 'string' && value.length <= MAX_MODEL_CHARS && /^[^/]+\/./.test(value);
}

function isKey(value: JsonValue): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function invalid(param: string, value: JsonValue, why: string): RequestProblem {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 50)) : `a value of type ${typeof value}`;
  return new RequestProblem(400, 'invalid_value', `${param}: ${shown} is ${why}; change it or leave it out`, { param });
}
