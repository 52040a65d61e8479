import type { JsonObject } from '@onetake/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createFeed, type Feed } from '../now/feed.ts';
import { createSnapshot } from '../now/snapshot.ts';
import { ADMIN } from './admin.ts';
import type { AppDeps } from './deps.ts';
import { EVENT_STREAM_HEADERS, KEEP_ALIVE_COMMENT, listenForSilence } from './event-stream.ts';
import { failureItem } from './failures.ts';
import type { OpenAnswers } from './open-answers.ts';
import { RequestProblem } from './problem.ts';
import { type TargetDeps, targetRoutes } from './targets.ts';

export interface NowDeps extends TargetDeps, Pick<AppDeps, 'recent' | 'stored' | 'etaMs' | 'alertRows' | 'identify'> {
  readonly worker: { readonly running: Pick<AppDeps['worker']['running'], 'all'> };
  readonly log: Pick<AppDeps['log'], 'error'>;
  readonly openAnswers: OpenAnswers;
}

/** How soon a browser comes back after a cut. */
const RECONNECT_MS = 1_000;
const COME_BACK_SECONDS = 5;

/** How things stand: `GET /v1/now`, and as server-sent events `GET /v1/now/events`. */
export function addNowRoutes(app: FastifyInstance, deps: NowDeps): void {
  const { worker, pacer, io, log, recent, stored, etaMs, alertRows } = deps;
  const targets = targetRoutes(deps);
  const look = createSnapshot({
    ...{ recent, stored, io, etaMs, limits: pacer.report, lives: worker.running.all, alerts: alertRows },
    targets: () => targets.list({ isAdmin: true }).data as readonly JsonObject[],
    failureView: failureItem,
  });
  const onError = (err: unknown) => log.error({ err }, 'how things stand could not be told; it is tried again');
  const feed = createFeed({ look, io, onError });
  app.get('/v1/now', ADMIN, feed.latest);
  app.get('/v1/now/events', { ...ADMIN, exposeHeadRoute: false }, (request, reply) =>
    stream(reply, feed, { ...deps, isStillAdmin: () => isStillAdmin(request, deps) }),
  );
}

interface StreamDeps extends Pick<NowDeps, 'openAnswers' | 'io'> {
  readonly isStillAdmin: () => boolean;
}

/** A key may be revoked, and a session end, while what it opened stays open. */
function isStillAdmin({ raw }: FastifyRequest, { identify }: Pick<NowDeps, 'identify'>): boolean {
  try {
    return identify(raw).isAdmin;
  } catch (error) {
    if (error instanceof RequestProblem) return false;
    throw error;
  }
}

/**
 * Until its caller has gone, or administers no longer, or the gateway stops; a slow caller is sent what stands when it
 * can take more.
 */
function stream(reply: FastifyReply, feed: Feed, { openAnswers, io, isStillAdmin }: StreamDeps): FastifyReply {
  const response = reply.raw;
  const isSlow = () => response.destroyed || response.writableEnded || response.writableNeedDrain;
  const closed = openAnswers.open(() => response.end());
  const ended = closed && feed.listen(send);
  if (ended === undefined) {
    closed?.();
    throw tooManyListeners();
  }
  reply.hijack();
  response.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...EVENT_STREAM_HEADERS });
  response.write(`retry: ${RECONNECT_MS}\n\n`);
  const silence = listenForSilence(io, () => {
    if (!isStillAdmin()) response.end();
    else if (!isSlow()) response.write(KEEP_ALIVE_COMMENT);
  });
  function send(data: string): void {
    if (!isStillAdmin()) return void response.end();
    if (isSlow()) return;
    response.write(`event: now\ndata: ${data}\n\n`);
    silence.broken();
  }
  const over = () => {
    silence.stop();
    ended?.();
    closed?.();
  };
  response.once('close', over);
  if (response.destroyed) over();
  return reply;
}

function tooManyListeners(): RequestProblem {
  const message = `as many listen as may; ask GET /v1/now, or listen again after ${COME_BACK_SECONDS} s`;
  const headers = { 'retry-after': String(COME_BACK_SECONDS), 'x-should-retry': 'true' };
  return new RequestProblem(429, 'rate_limit_exceeded', message, { headers });
}
