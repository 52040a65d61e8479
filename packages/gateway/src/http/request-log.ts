import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Signals } from '../signals/signals.ts';

export interface RequestLogDeps {
  readonly log: Pick<Logger, 'info' | 'isLevelEnabled'>;
  readonly signals: Pick<Signals, 'on'>;
}

/**
 * One line for every request of the API that is over, at `info`: its route as the table has it, and never its body, its
 * query or its path, in which names and prompts may stand. Costs nothing where that level is not written.
 */
export function logRequests(app: FastifyInstance, { log, signals }: RequestLogDeps): void {
  if (!log.isLevelEnabled('info')) return;
  /** Of requests that are open: what each began, whose id a streamed answer does not tell us. */
  const begun = new Map<string, string | undefined>();
  const stop = signals.on(({ type, live }) => {
    // The first: what is asked for its sake, such as milder words, carries the same request id.
    if (type === 'started' && begun.has(live.requestId) && begun.get(live.requestId) === undefined)
      begun.set(live.requestId, live.id);
  });
  app.addHook('onClose', async () => void stop());
  app.addHook('onRequest', async ({ id }) => void begun.set(id, undefined));
  app.addHook('onResponse', async (request, reply) => {
    const told = reply.getHeader('x-onetake-generation');
    const generation = typeof told === 'string' ? told : begun.get(request.id);
    begun.delete(request.id);
    log.info(
      {
        request_id: request.id,
        key: request.caller || undefined,
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: reply.raw.statusCode,
        ms: Math.round(reply.elapsedTime),
        generation,
        // Its caller left before the answer was written.
        cut: reply.raw.writableFinished ? undefined : true,
      },
      'request',
    );
  });
}
