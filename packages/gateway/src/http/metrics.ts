import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HttpAnswered } from '../metrics/metrics.ts';
import { ADMIN } from './admin.ts';
import type { AppDeps } from './deps.ts';

export interface MetricsDeps extends Pick<AppDeps, 'metrics' | 'stored'> {
  readonly config: Pick<AppDeps['config'], 'metrics'>;
  readonly health: Pick<AppDeps['health'], 'report'>;
  readonly targetOperations: Pick<AppDeps['targetOperations'], 'drained'>;
  readonly pacer: Pick<AppDeps['pacer'], 'report'>;
  readonly worker: { readonly running: Pick<AppDeps['worker']['running'], 'all'> };
  readonly io: Pick<AppDeps['io'], 'now'>;
}

/** A path that no route has; what callers make up must not become a label. */
const NO_ROUTE = 'none';

/** `GET /metrics`, and the hook that counts what is answered. It must be added before any route. */
export function addMetrics(app: FastifyInstance, deps: MetricsDeps): void {
  const { config, metrics, health, targetOperations, pacer, worker, stored, io } = deps;
  metrics.lookAt(() => ({
    ...{ targets: health.report(io.now()), drained: targetOperations.drained(), limits: pacer.report() },
    ...{ lives: worker.running.all(), stored },
  }));
  app.addHook('onResponse', async (request, reply) => {
    metrics.answered({
      method: request.method,
      route: request.routeOptions.url ?? NO_ROUTE,
      status: reply.raw.statusCode,
      ...answeredBy(reply),
    });
  });
  const access = config.metrics.open ? { config: { open: true } } : ADMIN;
  app.get('/metrics', access, async (_request: FastifyRequest, reply: FastifyReply) => {
    const text = await metrics.read();
    return reply.header('content-type', metrics.contentType).header('cache-control', 'no-store').send(text);
  });
}

/** The answer says it in its headers, whichever route it came by. */
function answeredBy(reply: FastifyReply): Pick<HttpAnswered, 'by'> {
  if (reply.getHeader('x-onetake-cache') === 'hit') return { by: 'cache' };
  if (reply.hasHeader('x-onetake-attached')) return { by: 'attached' };
  return reply.hasHeader('idempotent-replayed') ? { by: 'idempotency' } : {};
}
