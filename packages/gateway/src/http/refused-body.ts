import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Reads and drops the rest of a body that is too large, up to twice the limit, so that its sender can finish and see the
 * answer: a connection that is closed on it takes the answer with it. Resolves when the answer may be sent, which is at
 * once where the connection stays open.
 */
export async function dropRest({ raw }: FastifyRequest, reply: FastifyReply, limitBytes: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let dropped = 0;
  raw.on('data', (chunk: Buffer) => {
    dropped += chunk.length;
    if (dropped <= 2 * limitBytes) return;
    if (reply.sent) raw.destroy();
    resolve();
  });
  raw.once('end', resolve).once('close', resolve).resume();
  reply.removeHeader('connection');
  if (!reply.raw.shouldKeepAlive && !raw.readableEnded && !raw.destroyed) await promise;
}
