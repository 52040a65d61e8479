import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import multipart from '@fastify/multipart';
import { type Catalogue, createIntake, createMemoryAssets } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import Fastify from 'fastify';
import type { FetchImage } from '../assets/download.ts';
import { acceptReference } from '../assets/reference-image.ts';
import { imageRoutes } from '../http/image-routes.ts';
import { createOpenAnswers } from '../http/open-answers.ts';
import { problemBody, RequestProblem } from '../http/problem.ts';
import { type TaskRequest, taskRoutes } from '../http/tasks.ts';
import type { ListFilter, StoredGeneration } from '../store/store.ts';
import type { Snapshot } from '../tasks/following.ts';
import type { Submission, Ticket } from '../tasks/generations.ts';
import { createUndelivered } from '../tasks/undelivered.ts';
import { startHeartbeat } from './heartbeat.ts';
import { testPng } from './pictures.ts';
import { completedSnapshot, createFakeTasks, sampleSnapshot } from './task-samples.ts';

/** The caller's own, by the configuration. */
export const HOOKS = 'https://hooks.example/';

export interface ServeOptions {
  readonly snapshot?: Snapshot;
  readonly ticket?: Ticket;
  readonly maxOpen?: number;
  /** What the store has. */
  readonly generations?: readonly StoredGeneration[];
  readonly catalogue?: Partial<Catalogue>;
}

const TASK_TICKET: Ticket = { kind: 'task', id: 'gen_1', replayed: false };

/** The task endpoints and those that make tasks, over one task that tests change by hand. */
export async function serveTasks(context: TestContext, options: ServeOptions = {}) {
  const clock = createVirtualClock(3_000);
  const tasks = createFakeTasks(options.snapshot ?? sampleSnapshot());
  const openAnswers = createOpenAnswers(options.maxOpen ?? 10);
  const submissions: Submission[] = [];
  const filters: ListFilter[] = [];
  const app = Fastify({ forceCloseConnections: true });
  context.after(() => app.close());
  await app.register(multipart);
  app.decorateRequest('caller', 'local');
  app.decorateRequest('fromBrowser', false);
  app.setErrorHandler((error, _request, reply) => {
    assert.ok(error instanceof RequestProblem, String(error));
    return reply.code(error.status).send(problemBody(error, 'r'));
  });
  const deps = {
    ...{ tasks, openAnswers, assetsUrl: () => 'http://x/v1/assets' },
    io: { now: clock.now, timer: clock.timer, send: () => assert.fail('nothing is sent') },
  };
  const list = async (filter: ListFilter) => {
    filters.push(filter);
    return [completedSnapshot()];
  };
  const submit = async (submission: Submission) => {
    submissions.push(submission);
    return options.ticket ?? TASK_TICKET;
  };
  const read = async (id: string) => options.generations?.find((one) => one.id === id);
  const catalogue = { connections: [], routes: {}, defaultModel: undefined, ...options.catalogue };
  const images = imageRoutes({
    ...{ ...deps, ...IMAGES, generations: { submit }, store: { read }, catalogue },
    // Sets are made elsewhere: what was understood is the answer.
    candidates: async ({ submission }, asked, reply) => {
      submissions.push(submission);
      return reply.send(asked);
    },
  });
  const routes = taskRoutes({ ...deps, store: { list } });
  app.post('/v1/images/generations', images.generate);
  app.post('/v1/images/edits', images.edit);
  app.post('/v1/images/variations', images.variations);
  app.post('/v1/images/upscales', images.upscales);
  app.post('/v1/tasks', images.task);
  app.get('/v1/tasks', routes.list);
  app.get<TaskRequest>('/v1/tasks/:id', routes.read);
  app.delete<TaskRequest>('/v1/tasks/:id', routes.cancel);
  return { app, clock, tasks, openAnswers, submissions, filters };
}

const IMAGES = {
  degrade: async () => undefined,
  answeredBook: { note() {} },
  assets: {
    ...createMemoryAssets(),
    size: async () => 3,
    async *read() {
      yield Buffer.from('abc');
    },
  },
  config: { bodyLimitBytes: 1_000_000, webhooks: { allowPrivate: false, callers: { local: { url: HOOKS } } } },
  fetchImage: (async (_url, { assets, param }) => {
    const intake = createIntake(assets);
    const blob = intake.openBlob();
    await blob.write(testPng());
    return acceptReference(await intake.settle(blob.end()), param);
  }) satisfies FetchImage,
  undelivered: createUndelivered({ windowMs: 1, maxEntries: 1 }),
  deliveries: { follow: () => assert.fail('a task is not followed to its caller'), close: async () => {} },
};

export type Served = Awaited<ReturnType<typeof serveTasks>>;

/** One exchange while virtual time runs. */
export async function ask(
  { app, clock }: Served,
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  options: { body?: object; headers?: Record<string, string> } = {},
) {
  const stopHeartbeat = startHeartbeat(clock);
  const { body, headers = {} } = options;
  const answer = await clock
    .drive(app.inject({ method, url, headers, ...(body && { payload: body }) }).then((one) => one))
    .finally(stopHeartbeat);
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}
