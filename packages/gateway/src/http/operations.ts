import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppDeps } from './deps.ts';
import { findGenerations, requestIdIn } from './find-generations.ts';
import { generationView, listedRowView } from './generations.ts';
import { foundPage, rowCursorText, searchFilter, viewFor } from './listing.ts';
import { readOwnGeneration } from './own-generation.ts';
import { listRefusals } from './refusals.ts';

/** The handlers for those who run the gateway: what happened, and how the targets are. */
export function operationRoutes(deps: AppDeps) {
  const { store, worker } = deps;

  return {
    listRefusals: listRefusals(store),

    async listGenerations(request: FastifyRequest) {
      const requestId = requestIdIn(request);
      if (requestId !== undefined) return findGenerations(store, requestId, request, deps.thumbnailUrl);
      const found = await store.search(searchFilter(request));
      return foundPage(found, viewFor(request, listedRowView(deps.thumbnailUrl)), rowCursorText);
    },

    async readGeneration(request: FastifyRequest<{ Params: { id: string } }>) {
      const stored = await readOwnGeneration(store, request.params.id, request);
      return generationView(stored, deps.assetsUrl(), deps.thumbnailUrl);
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
  'GET /v1/generations/{id}/upstream',
  'GET /v1/gallery',
  'POST /v1/gallery/marks',
  'POST /v1/estimates',
  'POST /v1/generations/{id}/regenerate',
  'POST /v1/generations/{id}/settle',
  'GET /v1/costs',
  'GET /v1/failures',
  'GET /v1/refusals',
  'GET /v1/cache',
  'DELETE /v1/cache',
  'GET /v1/assets/{sha256}.{ext}',
  'GET /v1/keys',
  'POST /v1/keys',
  'GET /v1/keys/{name}',
  'DELETE /v1/keys/{name}',
  'GET /v1/session',
  'POST /v1/session',
  'DELETE /v1/session',
  'GET /v1/sandbox/faults',
  'GET /v1/sandbox/ledger',
  'DELETE /v1/sandbox/ledger',
  'GET /v1/explain?text=',
  'GET /v1/doctor',
  'GET /v1/config',
  'GET /v1/alerts',
  'POST /v1/alerts/test',
  'POST /v1/alerts/silence',
  'GET /v1/now',
  'GET /v1/now/events',
  'GET /metrics',
  'GET /v1/targets',
  'POST /v1/targets/{target}/reset',
  'POST /v1/targets/{target}/drain',
  'POST /v1/targets/{target}/resume',
  'GET /health/live',
  'GET /health/ready',
];
