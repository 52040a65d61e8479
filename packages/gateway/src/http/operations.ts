import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ListFilter } from '../store/store.ts';
import type { AppDeps } from './deps.ts';
import { generationRowView, generationView } from './generations.ts';
import { RequestProblem } from './problem.ts';

const PAGE = { usual: 20, most: 1000 };

/** The handlers for those who run the gateway: what happened, and how the targets are. */
export function operationRoutes(deps: AppDeps) {
  const { store, io, health, worker, catalogue } = deps;

  return {
    async listGenerations(request: FastifyRequest) {
      const filter = listFilter(request);
      const rows = await store.list(filter);
      const last = rows.at(-1);
      const cursor = rows.length === filter.limit && last ? `${last.createdAt}:${last.id}` : null;
      return { object: 'list', data: rows.map(generationRowView), next: cursor };
    },

    async readGeneration(request: FastifyRequest<{ Params: { id: string } }>) {
      const stored = await store.read(request.params.id.slice(0, 100));
      // Another caller's id is as unknown as one that never was.
      if (stored === undefined || stored.caller !== request.caller) {
        throw new RequestProblem(
          404,
          'not_found',
          `generation "${request.params.id.slice(0, 100)}": there is none of this id`,
        );
      }
      return generationView(stored, deps.assetsUrl());
    },

    targets() {
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
      }));
      return { object: 'list', data, providers: catalogue.connections.map(({ id }) => id) };
    },

    async ready(_request: FastifyRequest, reply: FastifyReply) {
      try {
        await store.list({ limit: 1 });
        return {
          status: 'ready',
          running: worker.size(),
          ...(deps.sandboxUrl() !== undefined && { sandbox: deps.sandboxUrl() }),
        };
      } catch (error) {
        return reply
          .code(503)
          .send({ status: 'not_ready', reason: error instanceof Error ? error.message : String(error) });
      }
    },

    welcome() {
      return {
        name: 'onetake',
        endpoints: [
          'POST /v1/images/generations',
          'POST /v1/images/edits',
          'GET /v1/models',
          'GET /v1/generations',
          'GET /v1/generations/{id}',
          'GET /v1/assets/{sha256}.{ext}',
          'GET /v1/targets',
          'GET /health/live',
          'GET /health/ready',
        ],
      };
    },
  };
}

/** `?unknown=1` lists outcomes nobody knows; `?limit=` and `?after=` page, newest first. */
function listFilter(request: FastifyRequest): ListFilter {
  const query = request.query as Readonly<Record<string, string | string[] | undefined>>;
  const text = (name: string) => (typeof query[name] === 'string' ? query[name] : undefined);
  const limit = Number(text('limit') ?? PAGE.usual);
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE.most) {
    throw new RequestProblem(
      400,
      'invalid_value',
      `limit: "${text('limit')}" is not a whole number from 1 to ${PAGE.most}`,
      { param: 'limit' },
    );
  }
  const before = cursorOf(text('after'));
  const unknown = text('unknown');
  const status = statusOf(text('status'));
  return {
    caller: request.caller,
    limit,
    ...(before && { before }),
    ...(status && { status }),
    ...(unknown !== undefined && unknown !== '0' && { unknown: true as const }),
  };
}

function cursorOf(text: string | undefined): ListFilter['before'] {
  if (text === undefined) return undefined;
  const [, createdAt, id] = /^(\d{1,15}):(gen_[0-9a-f]{24})$/.exec(text) ?? [];
  if (createdAt === undefined || id === undefined) {
    throw new RequestProblem(400, 'invalid_value', 'after: it is not the "next" of an earlier page', {
      param: 'after',
    });
  }
  return { createdAt: Number(createdAt), id };
}

function statusOf(text: string | undefined): ListFilter['status'] {
  if (text === undefined) return undefined;
  if (text === 'processing' || text === 'completed' || text === 'failed') return text;
  throw new RequestProblem(
    400,
    'invalid_value',
    `status: "${text.slice(0, 50)}" is not processing, completed or failed`,
    { param: 'status' },
  );
}
