import type { LimitReport } from '@onetake/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppDeps } from './deps.ts';
import { generationRowView, generationView } from './generations.ts';
import { listFilter, pageOf } from './listing.ts';
import { limitsView } from './model-limits.ts';
import { readOwnGeneration } from './own-generation.ts';
import { listRefusals } from './refusals.ts';

/** The handlers for those who run the gateway: what happened, and how the targets are. */
export function operationRoutes(deps: AppDeps) {
  const { store, io, health, worker, catalogue } = deps;

  return {
    listRefusals: listRefusals(store),

    async listGenerations(request: FastifyRequest) {
      const filter = listFilter(request);
      return pageOf(await store.list(filter), filter, generationRowView);
    },

    async readGeneration(request: FastifyRequest<{ Params: { id: string } }>) {
      const stored = await readOwnGeneration(store, request.params.id, request.caller);
      return generationView(stored, deps.assetsUrl(), deps.thumbnailUrl);
    },

    targets() {
      const paced = new Map(deps.pacer.report().map((one) => [`${one.target} ${one.credential}`, one]));
      const data = health.report(io.now()).map((one) => ({
        id: one.target,
        credential: one.credential,
        breaker: one.state,
        credential_breaker: one.credentialState,
        in_flight: one.inFlight,
        available_at: one.until ?? null,
        reason: one.reason ?? null,
        last_success_at: one.lastSuccessAt ?? null,
        last_failure_at: one.lastFailureAt ?? null,
        ...pacingFields(paced.get(`${one.target} ${one.credential}`)),
      }));
      return { object: 'list', data, providers: catalogue.connections.map(({ id }) => id) };
    },

    async ready(_request: FastifyRequest, reply: FastifyReply) {
      try {
        await store.list({ limit: 1 });
        return {
          status: 'ready',
          running: worker.running.size(),
          ...(deps.sandboxUrl() !== undefined && { sandbox: deps.sandboxUrl() }),
        };
      } catch (error) {
        deps.log.error({ err: error }, 'the store cannot be read');
        return reply.code(503).send({ status: 'not_ready', reason: 'the store does not answer; the log says why' });
      }
    },

    welcome() {
      return {
        name: 'onetake',
        endpoints: ENDPOINTS,
      };
    },
  };
}

const ENDPOINTS = [
  'POST /v1/chat/completions',
  'POST /v1/responses',
  'POST /v1/embeddings',
  'POST /v1/images/generations',
  'POST /v1/images/edits',
  'POST /v1/images/variations',
  'POST /v1/images/upscales',
  'GET /v1/candidates',
  'GET /v1/candidates/{id}',
  'POST /v1/candidates/{id}/pick',
  'GET /v1/models',
  'POST /v1/tasks',
  'GET /v1/tasks',
  'GET /v1/tasks/{id}',
  'DELETE /v1/tasks/{id}',
  'GET /v1/tasks/{id}/events',
  'POST /v1/files',
  'GET /v1/files',
  'GET /v1/files/{id}',
  'GET /v1/files/{id}/content',
  'DELETE /v1/files/{id}',
  'POST /v1/batches',
  'GET /v1/batches',
  'GET /v1/batches/{id}',
  'POST /v1/batches/{id}/cancel',
  'GET /v1/webhooks',
  'POST /v1/webhooks/redeliver',
  'GET /v1/webhooks/secret',
  'GET /v1/generations',
  'GET /v1/generations/{id}',
  'POST /v1/generations/{id}/regenerate',
  'GET /v1/refusals',
  'GET /v1/cache',
  'DELETE /v1/cache',
  'GET /v1/assets/{sha256}.{ext}',
  'GET /v1/targets',
  'GET /health/live',
  'GET /health/ready',
];

/** What the target's limits are now, who says so, what is used of them, and how many wait for a turn. */
function pacingFields(report: LimitReport | undefined) {
  if (report === undefined) return {};
  const { limits, source, used, waiting, inFlight } = report;
  const isLimited = Object.keys(limits).length > 0;
  return { in_flight: inFlight, limits: limitsView(limits), limits_source: isLimited ? source : null, used, waiting };
}
