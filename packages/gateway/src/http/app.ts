import { randomBytes } from 'node:crypto';
import multipart from '@fastify/multipart';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { ManagedKey } from '../keys/key.ts';
import { adminOnly } from './admin.ts';
import { checkModelAllowed, mayAskFor } from './allowed-models.ts';
import { serveAsset } from './assets.ts';
import { type BatchRequest, batchRoutes } from './batches.ts';
import { createBrowserGuard } from './browser-guard.ts';
import { cacheRoutes } from './cache.ts';
import { answerCandidates, type CandidateCall, type CandidateDeps } from './candidate-answer.ts';
import { type CandidateRequest, candidateRoutes } from './candidates.ts';
import { addChatRoutes } from './chat-routes.ts';
import type { AppDeps } from './deps.ts';
import { addDoctorRoutes } from './doctor.ts';
import { addEstimates } from './estimates.ts';
import { explainError } from './explain.ts';
import { type FileRequest, fileRoutes } from './files.ts';
import { addGalleryRoutes } from './gallery.ts';
import { imageRoutes } from './image-routes.ts';
import { type JobNewsRequest, tellJobNews } from './job-news.ts';
import { addKeyRoutes } from './keys.ts';
import { addMetrics } from './metrics.ts';
import { modelEntry, modelList } from './models.ts';
import { addMoneyRoutes } from './money-routes.ts';
import { addNowRoutes } from './now.ts';
import { createOpenAnswers, type OpenAnswers } from './open-answers.ts';
import { operationRoutes } from './operations.ts';
import { addOperatorRoutes } from './operator-routes.ts';
import { addPage } from './page.ts';
import { checkPath } from './parameters.ts';
import {
  FailureProblem,
  failureBody,
  failureHeaders,
  problemBody,
  problemHeaders,
  RequestProblem,
  requestProblemOf,
  storeProblemOf,
} from './problem.ts';
import { dropRest } from './refused-body.ts';
import { logRequests } from './request-log.ts';
import { addSandboxRoutes } from './sandbox-routes.ts';
import { addSession } from './session.ts';
import { type TaskRequest, taskRoutes } from './tasks.ts';
import { readUpstream, type UpstreamQuery } from './upstream.ts';
import { webhookRoutes } from './webhooks.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; set before a route runs. */
    caller: string;
    /** May see and change what is everybody's. */
    isAdmin: boolean;
    /** Of a caller whose key was made here. */
    key: ManagedKey | undefined;
    /** Sent by a page of another origin, which may raise nothing. */
    fromBrowser: boolean;
  }
  interface FastifyContextConfig {
    /** Needs no key: health, and pictures whose URL is the capability. */
    open?: boolean;
    /** For administrators alone. */
    admin?: boolean;
  }
}

const OPEN = { config: { open: true } };

/** The whole API as one route table. */
export async function createApp(deps: AppDeps): Promise<FastifyInstance> {
  const { config } = deps;
  const app = Fastify({
    bodyLimit: config.bodyLimitBytes,
    genReqId: () => `req_${randomBytes(12).toString('hex')}`,
    rewriteUrl: ({ url = '/' }) => withVersion(url),
    forceCloseConnections: 'idle',
    requestTimeout: REQUEST_TIMEOUT_MS,
    logger: false,
    // A path that does not decode is refused before any hook or handler of ours would see it.
    frameworkErrors: (error, request, reply: FastifyReply) => {
      const problem = requestProblemOf(error, config.bodyLimitBytes) ?? internal();
      reply.code(problem.status).header('x-request-id', request.id).headers(problemHeaders(problem));
      reply.send(problemBody(problem, request.id));
    },
  });
  app.removeContentTypeParser('text/plain');
  await app.register(multipart);
  guard(app, deps);
  explain(app, deps);
  addMetrics(app, deps);
  await app.register((scope) => addChatRoutes(scope, deps));

  const openAnswers = createOpenAnswers(MAX_OPEN_ANSWERS);
  app.addHook('preClose', async () => openAnswers.close());
  const candidates = candidateRoutes(deps);
  const images = imageRoutes({ ...deps, openAnswers, candidates: answererOf({ ...deps, openAnswers }) });
  const webhooks = webhookRoutes(deps);
  const operations = operationRoutes(deps);
  app.post('/v1/images/generations', images.generate);
  app.post('/v1/images/edits', images.edit);
  app.post('/v1/images/variations', images.variations);
  app.post('/v1/images/upscales', images.upscales);
  app.get('/v1/candidates', candidates.list);
  app.get<CandidateRequest>('/v1/candidates/:id', candidates.read);
  app.post<CandidateRequest>('/v1/candidates/:id/pick', candidates.pick);
  app.post('/v1/tasks', images.task);
  addTasks(app, { ...deps, openAnswers });
  addBatches(app, deps);
  app.get('/v1/webhooks', webhooks.list);
  app.post('/v1/webhooks/redeliver', webhooks.redeliver);
  app.get('/v1/webhooks/secret', webhooks.secret);
  app.post<JobNewsRequest>('/v1/jobs/:run/:token', { ...OPEN, bodyLimit: JOB_NEWS_BYTES }, tellJobNews(deps.news));
  addModels(app, deps);
  addGenerations(app, deps, operations);
  app.post<{ Params: { id: string } }>('/v1/generations/:id/regenerate', images.regenerate);
  addMoneyRoutes(app, deps);
  app.get('/v1/refusals', operations.listRefusals);
  addOperatorRoutes(app, deps);
  addNowRoutes(app, { ...deps, openAnswers });
  addDoctorRoutes(app, deps);
  addKeyRoutes(app, deps);
  addCache(app, deps);
  app.get('/v1/explain', explainError);
  app.get('/v1/assets/:name', OPEN, serveAsset(deps.assets, { ...deps.previewing, identify: deps.identify }));
  app.get('/health/live', OPEN, () => ({ status: 'live' }));
  app.get('/health/ready', OPEN, operations.ready);
  addSession(app, deps);
  addSandboxRoutes(app, deps);
  addPage(app, { ...deps, welcome: operations.welcome });
  return app;
}

function answererOf(deps: AppDeps & { readonly openAnswers: OpenAnswers }) {
  const { config, store, worker, log } = deps;
  const candidateDeps: CandidateDeps = {
    ...deps,
    processId: worker.id,
    ownsStore: store.ownership === 'exclusive',
    attachWindowMs: config.attachWindowMs,
    onError: (err) => log.error({ err }, 'a set of candidates could not be written'),
  };
  return (...[call, asked, reply]: CandidateCall) => answerCandidates(call, asked, reply, candidateDeps);
}

function addModels(app: FastifyInstance, { catalogue, io, limitsAt, listed, modelsOf }: AppDeps): void {
  const startedAt = io.now();
  const now = { limitsOf: limitsAt, listed, modelsOf };
  app.get('/v1/models', ({ key }) => {
    const { object, data } = modelList(catalogue, startedAt, now);
    return { object, data: data.filter(({ id }) => mayAskFor(key, id)) };
  });
  app.get<{ Params: { '*': string } }>('/v1/models/*', ({ params, key }) => {
    checkModelAllowed(key, params['*']);
    return modelEntry(catalogue, params['*'], startedAt, now);
  });
}

function addCache(app: FastifyInstance, deps: AppDeps): void {
  const cache = cacheRoutes(deps);
  app.get('/v1/cache', cache.stats);
  app.delete('/v1/cache', cache.clear);
}

function addTasks(app: FastifyInstance, deps: AppDeps & { readonly openAnswers: OpenAnswers }): void {
  const tasks = taskRoutes(deps);
  app.get('/v1/tasks', tasks.list);
  app.get<TaskRequest>('/v1/tasks/:id', tasks.read);
  app.delete<TaskRequest>('/v1/tasks/:id', tasks.cancel);
  app.get<TaskRequest>('/v1/tasks/:id/events', { exposeHeadRoute: false }, tasks.events);
}

function addGenerations(app: FastifyInstance, deps: AppDeps, operations: ReturnType<typeof operationRoutes>): void {
  app.get('/v1/generations', operations.listGenerations);
  app.get<{ Params: { id: string } }>('/v1/generations/:id', operations.readGeneration);
  app.get<UpstreamQuery>('/v1/generations/:id/upstream', readUpstream(deps));
  addGalleryRoutes(app, deps);
  addEstimates(app, deps);
}

function addBatches(app: FastifyInstance, deps: AppDeps): void {
  const files = fileRoutes(deps);
  const batches = batchRoutes(deps);
  app.post('/v1/files', files.create);
  app.get('/v1/files', files.list);
  app.get<FileRequest>('/v1/files/:id', files.read);
  app.get<FileRequest>('/v1/files/:id/content', files.content);
  app.delete<FileRequest>('/v1/files/:id', files.remove);
  app.post('/v1/batches', batches.create);
  app.get('/v1/batches', batches.list);
  app.get<BatchRequest>('/v1/batches/:id', batches.read);
  app.post<BatchRequest>('/v1/batches/:id/cancel', batches.cancel);
}

/** Nothing of what a provider says is read. */
const JOB_NEWS_BYTES = 1024 * 1024;

/** For the whole of a request to arrive; a form that stalls half-way is not held for ever. */
const REQUEST_TIMEOUT_MS = 300_000;

/** Long polls and streams of events at once; each holds a connection. */
const MAX_OPEN_ANSWERS = 10_000;

const VERSIONED =
  /^\/(?:images|chat|responses|embeddings|candidates|tasks|files|batches|webhooks|models|generations|refusals|costs|failures|keys|targets|doctor|config|explain|cache|assets|gallery|estimates|now|session|sandbox|alerts)(?=[/?]|$)/;

/** People set the base URL with or without `/v1`; both mean the same. */
function withVersion(url: string): string {
  return VERSIONED.test(url) ? `/v1${url}` : url;
}

/** Before any body is read: where the request comes from, and who sends it. */
function guard(app: FastifyInstance, { config, identify, keys, limitRate, io, log, signals }: AppDeps): void {
  logRequests(app, { log, signals });
  const isKeyOrigin = (origin: string) => keys.hasOrigin(origin, io.now());
  const browsers = createBrowserGuard({ ...config, isKeyOrigin });
  app.decorateRequest('caller', '');
  app.decorateRequest('isAdmin', false);
  app.decorateRequest('key', undefined);
  app.decorateRequest('fromBrowser', false);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    const answered = await browsers.onRequest(request, reply);
    if (answered) return answered;
    checkPath(request);
    request.fromBrowser = browsers.isBrowserRequest(request);
    if (!request.routeOptions.config.open) {
      const { caller, isAdmin, key } = identify(request.raw);
      [request.caller, request.key] = [caller, key];
      browsers.checkKey(request);
      // A key that is for browsers is for nobody else.
      request.fromBrowser ||= key?.browser !== undefined;
      // A page of another origin speaks for whoever looks at it, and that may be an administrator.
      request.isAdmin = isAdmin && !request.fromBrowser;
      if (request.routeOptions.config.admin && !request.isAdmin) throw adminOnly(caller);
      await limitRate(request, reply);
    }
    // Clients that name a type with every call name one for the body that a DELETE does not have.
    if (request.method === 'DELETE') delete request.raw.headers['content-type'];
    return undefined;
  });
}

/** Every error leaves in the envelope. What is nobody's request is a fault of ours: logged, and told without detail. */
function explain(app: FastifyInstance, { config, io, log }: AppDeps): void {
  app.setErrorHandler(async (error, request: FastifyRequest, reply: FastifyReply) => {
    if (error instanceof FailureProblem) {
      const { failure, answers } = error;
      return reply
        .code(answers.answer(failure).status)
        .headers(failureHeaders(failure, io.now(), answers))
        .send(failureBody(failure, { requestId: request.id, now: io.now(), answers }));
    }
    const problem = requestProblemOf(error, config.bodyLimitBytes) ?? storeProblemOf(error) ?? internal();
    if (problem.status === 413) await dropRest(request, reply, config.bodyLimitBytes);
    if (problem.status >= 500) {
      const about = { request_id: request.id, key: request.caller || undefined, route: request.routeOptions.url };
      log.error({ err: error, ...about }, 'a request met a fault of the gateway');
    }
    return reply.code(problem.status).headers(problemHeaders(problem)).send(problemBody(problem, request.id));
  });
  app.setNotFoundHandler((request) => {
    const path = request.url.split('?', 1)[0]?.slice(0, 200);
    throw new RequestProblem(
      404,
      'not_found',
      `${request.method} ${path}: there is no such endpoint; GET / lists them`,
    );
  });
}

function internal(): RequestProblem {
  return new RequestProblem(500, 'internal_error', 'the gateway met a fault of its own; its log has the request id');
}
