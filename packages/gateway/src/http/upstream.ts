import type { FastifyRequest } from 'fastify';
import { curlText } from '../upstream/curl-text.ts';
import { upstreamView } from '../upstream/upstream.ts';
import type { AppDeps } from './deps.ts';
import { readOwnGeneration } from './own-generation.ts';
import { parametersOf } from './parameters.ts';
import { invalidValue, RequestProblem } from './problem.ts';

export interface UpstreamQuery {
  readonly Params: { readonly id: string };
  readonly Querystring: { readonly run?: unknown; readonly attempt?: unknown };
}

/** `GET /v1/generations/{id}/upstream[?attempt=N][&run=N]`: a request as its provider got it, for its owner or an admin. */
export function readUpstream(
  deps: Pick<AppDeps, 'config' | 'store' | 'catalogue' | 'news' | 'addresses' | 'assetsUrl'>,
) {
  const { config, store, catalogue, news, addresses } = deps;
  return async ({ params, query, caller, isAdmin }: FastifyRequest<UpstreamQuery>) => {
    const given = parametersOf({ query }, ['run', 'attempt']);
    const run = numberIn(given.run, 'run', 0);
    const attempt = numberIn(given.attempt, 'attempt', 1);
    const stored = await readOwnGeneration(store, params.id, { caller, isAdmin });
    const choice = { ...(run !== undefined && { run }), ...(attempt !== undefined && { attempt }) };
    const { connections } = catalogue;
    const shown = upstreamView(stored, choice, {
      ...{ config, connections, news, addresses, isAdmin },
      assetsUrl: deps.assetsUrl(),
    });
    if (shown.ok) return { ...shown.view, curl: curlText(shown.view) };
    const message = `generation "${stored.id}": ${shown.reason}`;
    throw shown.why === 'missing'
      ? new RequestProblem(404, 'not_found', message)
      : new RequestProblem(409, 'invalid_value', message);
  };
}

function numberIn(value: string | undefined, param: string, least: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,4}$/.test(value) && Number(value) >= least) return Number(value);
  throw invalidValue(param, `"${value.slice(0, 50)}" is not a whole number from ${least} to 9999`);
}
