import {
  type Connection,
  isChatPlan,
  type JsonObject,
  type Plan,
  splitPlan,
  type UpstreamRequest,
  upstreamRequest,
} from '@onetake/core';
import { type Addresses, reachableAt } from '../addresses.ts';
import type { Config } from '../config.ts';
import { assetUrl } from '../http/answer.ts';
import type { StoredGeneration } from '../store/store.ts';
import type { JobNews } from '../tasks/job-news.ts';
import { bodyView } from './body.ts';
import { keyExpression } from './key-expression.ts';

export interface UpstreamParts {
  readonly config: Pick<Config, 'providers'>;
  readonly connections: readonly Connection[];
  readonly news: Pick<JobNews, 'urlFor'>;
  readonly addresses: () => Addresses;
  /** Links to pictures begin with this. */
  readonly assetsUrl: string;
  /** An administrator asks, who may know where keys are kept. */
  readonly isAdmin: boolean;
}

/** Which request: the last attempt of the first run unless said. */
export interface UpstreamChoice {
  /** Of the generation's runs, from 0. */
  readonly run?: number;
  /** From 1. */
  readonly attempt?: number;
}

export type UpstreamView =
  | { readonly ok: true; readonly view: JsonObject }
  /** `missing`: there was no such attempt. `untellable`: there was, and it cannot be built again. */
  | { readonly ok: false; readonly why: 'missing' | 'untellable'; readonly reason: string };

/** A request as its provider got it, with what a shell puts in the place of the key. */
export function upstreamView(stored: StoredGeneration, choice: UpstreamChoice, parts: UpstreamParts): UpstreamView {
  const { plan } = stored;
  if (isChatPlan(plan))
    return untellable('it is an answer of chat, and what is said there is not stored; send its request again');
  const { run = 0 } = choice;
  const events = stored.journals[run];
  if (events === undefined)
    return missing(`it has ${stored.journals.length} run(s), counted from 0, and no run ${run}`);
  const attempts = events.flatMap((event) => (event.type === 'attempt-started' ? [event.attempt] : []));
  const attempt = choice.attempt ?? attempts.at(-1);
  if (attempt === undefined) return missing(`nobody was asked in run ${run}: no attempt was made`);
  if (!attempts.includes(attempt))
    return missing(`run ${run} has ${attempts.length} attempt(s) and no attempt ${attempt}`);
  const built = builtAgain(stored, plan, { run, attempt }, parts);
  if (!built.ok) return untellable(`attempt ${attempt} of run ${run}: ${built.reason}`);
  return {
    ok: true,
    view: { ...requestView(built, parts), object: 'upstream_request', generation: stored.id, run, attempt },
  };
}

function untellable(reason: string): UpstreamView {
  return { ok: false, why: 'untellable', reason };
}

function missing(reason: string): UpstreamView {
  return { ok: false, why: 'missing', reason };
}

function builtAgain(
  { id, journals }: StoredGeneration,
  plan: Plan,
  { run, attempt }: Required<UpstreamChoice>,
  { connections, news, addresses }: UpstreamParts,
): UpstreamRequest {
  const [child, events] = [splitPlan(plan)[run], journals[run]];
  if (child === undefined || events === undefined) return { ok: false, reason: 'the run is not in its plan' };
  return upstreamRequest({
    runId: `${id}.${run}`,
    plan: child,
    events,
    attempt,
    connection: (provider) => connections.find((one) => one.id === provider),
    assetsUrl({ baseUrl }) {
      const base = reachableAt(baseUrl, addresses());
      return base && `${base}/v1/assets`;
    },
    webhookUrl: news.urlFor,
  });
}

function requestView(built: Extract<UpstreamRequest, { ok: true }>, parts: UpstreamParts): JsonObject {
  const { request, key, target, credential, standIns } = built;
  const provider = parts.config.providers.find(({ id }) => target.startsWith(`${id}/`));
  const expression = key && provider && keyExpression(key, credential, provider, parts.isAdmin);
  const shown = key && { [key.header]: `${key.prefix}${expression}` };
  return {
    target,
    credential,
    method: request.method,
    url: request.url,
    headers: { ...request.headers, ...contentType(request.body?.kind), ...shown },
    key: key && expression !== undefined ? { header: key.header, prefix: key.prefix, expression } : null,
    body: bodyView(request.body, (asset) => assetUrl(asset, parts.assetsUrl)),
    stand_ins: standIns,
  };
}

/** Who sends it adds the type; that of a form has the boundary in it. */
function contentType(kind: string | undefined): JsonObject {
  return kind === 'json' ? { 'content-type': 'application/json' } : {};
}
