import type { HealthBook, LimitReport } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import { normalised } from '../store/failure-fingerprint.ts';
import type { AppDeps } from './deps.ts';
import { limitsView } from './model-limits.ts';
import { RequestProblem } from './problem.ts';

export type TargetDeps = Pick<AppDeps, 'health' | 'pacer' | 'catalogue' | 'targetOperations' | 'io'>;

/** `provider/model`, whose model may have slashes of its own; the route ends in what is done to it. */
export interface TargetRequest {
  Params: { '*': string };
}

const MAX_NAME_CHARS = 300;
const ACTIONS = ['reset', 'drain', 'resume'] as const;

/** `GET /v1/targets`, and what an operator does to one: `POST /v1/targets/{provider/model}/reset`, `drain` or `resume`. */
export function targetRoutes({ health, pacer, catalogue, targetOperations, io }: TargetDeps) {
  function list({ isAdmin }: Pick<FastifyRequest, 'isAdmin'>) {
    const paced = new Map(pacer.report().map((one) => [`${one.target} ${one.credential}`, one]));
    const drained = targetOperations.drained();
    const seen = health.report(io.now());
    const unseen = drained.filter((target) => !seen.some((one) => one.target === target));
    const data = [
      ...seen.map((one) => ({
        ...targetView(one, isAdmin),
        drained: drained.includes(one.target),
        ...pacingFields(paced.get(`${one.target} ${one.credential}`)),
      })),
      ...unseen.map((target) => ({ id: target, drained: true })),
    ];
    return { object: 'list', data, providers: catalogue.connections.map(({ id }) => id) };
  }

  return {
    list,

    async act(request: FastifyRequest<TargetRequest>) {
      const [, target = '', action = ''] = /^(.+)\/([a-z]+)$/.exec(request.params['*']) ?? [];
      const known = ACTIONS.find((one) => one === action);
      if (known === undefined) throw unknownAction(request.params['*']);
      if (target.length > MAX_NAME_CHARS || !targetOperations.isKnown(target)) throw unknownTarget(target);
      await targetOperations[known](target);
      const own = list(request).data.filter(({ id }) => id === target);
      return { object: 'list', id: target, done: known, data: own };
    },
  };
}

/** A reason is what a provider said to whoever asked last: others are told it without what that request had in it. */
function targetView(one: ReturnType<HealthBook['report']>[number], isAdmin: boolean) {
  const { reason } = one;
  return {
    id: one.target,
    credential: one.credential,
    breaker: one.state,
    credential_breaker: one.credentialState,
    in_flight: one.inFlight,
    available_at: one.until ?? null,
    reason: reason === undefined || isAdmin ? (reason ?? null) : normalised(reason),
    last_success_at: one.lastSuccessAt ?? null,
    last_failure_at: one.lastFailureAt ?? null,
  };
}

/** What the target's limits are now, who says so, what is used of them, and how many wait for a turn. */
function pacingFields(report: LimitReport | undefined) {
  if (report === undefined) return {};
  const { limits, source, used, waiting, inFlight } = report;
  const isLimited = Object.keys(limits).length > 0;
  return { in_flight: inFlight, limits: limitsView(limits), limits_source: isLimited ? source : null, used, waiting };
}

function unknownTarget(target: string): RequestProblem {
  const message = `target "${target.slice(0, 100)}": no configured provider has this name before the slash; GET /v1/targets lists providers`;
  return new RequestProblem(404, 'not_found', message);
}

function unknownAction(path: string): RequestProblem {
  const message = `POST /v1/targets/${path.slice(0, 100)}: a target is provider/model, and what is done to it ${ACTIONS.join(', ')}`;
  return new RequestProblem(404, 'not_found', message);
}
