import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import type { PickMode } from '../candidates/sets.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { createUndelivered } from '../tasks/undelivered.ts';
import { createCandidateWorld, sampleSubmission } from '../testing/candidate-world.ts';
import { startHeartbeat } from '../testing/heartbeat.ts';
import { completedSnapshot } from '../testing/task-samples.ts';
import { answerCandidates, type CandidateDeps } from './candidate-answer.ts';
import type { ImageCall } from './images.ts';

interface AnswerBody {
  readonly data?: readonly unknown[];
}

type World = ReturnType<typeof createCandidateWorld>;

const NOT_NOW = new Error('the store does not answer');
const CALL: ImageCall = {
  submission: sampleSubmission(),
  form: 'url',
  onDisconnect: 'keep',
  handOver: { waitMs: undefined, applied: '', alwaysTask: false },
};

/** The candidates as tasks, of which the first is made when it is looked at; a test breaks what it says. */
function tasksOf(world: World, broken: Partial<Tasks>): Tasks {
  const one = (id: string) => world.tasks.get(id);
  return {
    follow: async (id, caller) => {
      finish(world, 0);
      return world.wait.tasks.follow(id, caller);
    },
    read: async (id, caller) => one(id)?.read(id, caller),
    position: async () => undefined,
    cancel: async (id, caller, waitMs) => (await one(id)?.cancel(id, caller, waitMs)) ?? { kind: 'unknown' },
    withdraw: async (id) => (await one(id)?.withdraw(id)) ?? false,
    ...broken,
  };
}

function depsOf(world: World, broken: Partial<Tasks>, assets: Partial<CandidateDeps['assets']> = {}): CandidateDeps {
  return {
    ...world.begin,
    io: { now: world.clock.now, timer: world.clock.timer, send: () => assert.fail('nothing is sent') },
    tasks: tasksOf(world, broken),
    openAnswers: world.wait.openAnswers,
    assetsUrl: () => 'http://x/v1/assets',
    assets: { size: async () => 3, read: () => assert.fail('only links are given'), ...assets },
    undelivered: createUndelivered({ windowMs: 1, maxEntries: 1 }),
    deliveries: { follow: () => assert.fail('a set has no delivery of a generation'), close: async () => {} },
    degrade: async () => undefined,
    answeredBook: { note() {} },
    onError: (error) => {
      throw error;
    },
  };
}

/** One request for two candidates. */
async function ask(world: World, deps: CandidateDeps, pick: PickMode) {
  const app = Fastify({ forceCloseConnections: true });
  app.post('/', (_, reply) => answerCandidates(CALL, { members: [{}, {}], pick }, reply, deps));
  const stopHeartbeat = startHeartbeat(world.clock);
  try {
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const answer = await world.clock.drive(fetch(url, { method: 'POST' }));
    return {
      status: answer.status,
      attached: answer.headers.get('x-onetake-attached'),
      body: (await answer.json()) as AnswerBody,
    };
  } finally {
    stopHeartbeat();
    await app.close();
  }
}

function finish(world: World, index: number): void {
  const { id: _, ...made } = completedSnapshot();
  [...world.tasks.values()][index]?.change(made);
}

async function stateOf({ candidateSets }: World) {
  const [set, ...others] = await candidateSets.list('local');
  assert.ok(set && others.length === 0, 'there is one set');
  return { id: set.id, state: set.answer.state };
}

/** The same request once more, when nothing is broken any more. */
async function askAgain(world: World) {
  finish(world, 1);
  return ask(world, depsOf(world, {}), 'all');
}

test('a wait that breaks is an answer that got lost: the next identical request takes the set over', async () => {
  const world = createCandidateWorld();
  let followed = 0;
  const follow: Tasks['follow'] = async (id, caller) => {
    followed += 1;
    if (followed === 2) throw NOT_NOW;
    return world.wait.tasks.follow(id, caller);
  };
  assert.equal((await ask(world, depsOf(world, { follow }), 'all')).status, 500);
  const { id, state } = await stateOf(world);
  assert.equal(state, 'lost');
  assert.deepEqual(
    [...world.tasks.values()].map((one) => one.following()),
    [0, 0],
    'what was followed before it broke is let go',
  );
  const { status, attached, body } = await askAgain(world);
  assert.deepEqual([status, attached, body.data?.length], [200, id, 2], JSON.stringify(body));
  assert.equal(world.submissions.length, 2, 'no candidate is paid for again');
});

test('so is one whose candidates could not be settled when the first was found', async () => {
  const world = createCandidateWorld();
  const withdraw = () => Promise.reject(NOT_NOW);
  assert.equal((await ask(world, depsOf(world, { withdraw }), 'first')).status, 500);
  const { id, state } = await stateOf(world);
  assert.equal(state, 'lost');
  assert.equal((await askAgain(world)).attached, id);
  assert.equal(world.submissions.length, 2);
});

test('pictures that cannot be read now are not given, and answer the next identical request', async () => {
  const world = createCandidateWorld();
  const size = () => Promise.reject(NOT_NOW);
  assert.equal((await ask(world, depsOf(world, {}, { size }), 'first')).status, 500);
  await new Promise((resolve) => setImmediate(resolve));
  const { id, state } = await stateOf(world);
  assert.equal(state, 'lost');
  assert.equal((await askAgain(world)).attached, id);
});

test('an answer that arrived is given, and is not given again', async () => {
  const world = createCandidateWorld();
  const { status, body } = await ask(world, depsOf(world, {}), 'first');
  assert.deepEqual([status, body.data?.length], [200, 1], JSON.stringify(body));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await stateOf(world)).state, 'given');
});
