import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Turns } from './environment.ts';
import { createHealthBook } from './health.ts';
import type { Event } from './journal.ts';
import type { Claim, Turn } from './pacing.ts';
import type { PlannedTarget } from './plan.ts';
import { PARKED, run } from './run.ts';
import { sampleFailed, samplePlan, sampleTarget } from './testing/samples.ts';
import { ACCEPTED_BODY, createWorld, GOOD_BODY, type Play } from './testing/simulated-world.ts';

const answer = (status: number, body: string): Play => ({
  truth: 'free',
  behaviour: { kind: 'answer', afterMs: 10, status, body },
});
const GOOD = answer(200, GOOD_BODY);

interface Watched extends Turns {
  readonly settled: string[];
  readonly givenBack: string[];
  readonly claims: Claim[];
}

/** Gives turns after `delayMs`, and notes what becomes of them. */
function watchedTurns(io: { now(): number; timer(at: number, end: () => void): () => void }, delayMs: number): Watched {
  const [settled, givenBack, claims]: [string[], string[], Claim[]] = [[], [], []];
  const turnAt = ({ id, credential }: PlannedTarget): Turn => ({
    credential,
    sent: () => {},
    observe: () => {},
    settle: (outcome) => settled.push(`${id} ${outcome.ok ? 'ok' : outcome.failure.kind}`),
    giveBack: () => givenBack.push(id),
  });
  return {
    ...{ settled, givenBack, claims },
    adopt: (target) => turnAt(target),
    expect: (target) =>
      delayMs > 0 && target.id === 'a/model' ? { until: io.now() + delayMs, reason: 'busy' } : undefined,
    take: (target, claim, signal) =>
      new Promise((resolve) => {
        claims.push(claim);
        const wait = target.id === 'a/model' ? delayMs : 0;
        const stop = io.timer(io.now() + wait, () => resolve(signal.aborted ? undefined : turnAt(target)));
        signal.addEventListener('abort', () => {
          stop();
          resolve(undefined);
        });
      }),
  };
}

interface Setting {
  readonly submits: readonly Play[];
  readonly polls?: readonly Play[];
  readonly targets?: readonly string[];
  readonly delayMs?: number;
  readonly cancelMs?: number;
  readonly totalMs?: number;
}

async function end({ submits, polls = [], targets = ['a'], delayMs = 0, cancelMs, totalMs }: Setting) {
  const made = samplePlan(targets);
  const plan = totalMs === undefined ? made : { ...made, deadlineAt: totalMs };
  const scripts = { 'a/model': { submits, polls }, 'b/model': { submits: [GOOD], polls } };
  const world = createWorld({ plan, scripts, journalMs: 1, presenceTurnsMs: [], cancelMs });
  const turns = watchedTurns(world.io, delayMs);
  const outcome = await world.io.drive(run('run', plan, world.journal, { ...world.environment, turns }));
  assert.ok(outcome !== PARKED);
  return { outcome, turns, sends: world.sends, types: world.durable.map((event) => event.type) };
}

test('every attempt takes a turn of its own and settles it', async () => {
  const { outcome, turns } = await end({ submits: [answer(429, '{}'), GOOD] });
  assert.ok(outcome.ok);
  assert.deepEqual(turns.settled, ['a/model throttled', 'a/model ok']);
  assert.deepEqual([turns.givenBack, turns.claims], [[], [{ images: 1 }, { images: 1 }]]);
});

test('an accepted job keeps its turn until it ends', async () => {
  const accepted = answer(200, ACCEPTED_BODY);
  const { turns } = await end({ submits: [accepted], polls: [accepted, accepted, GOOD] });
  assert.deepEqual([turns.claims.length, turns.settled], [1, ['a/model ok']]);
});

test('a job that an earlier process began is given its place again', async () => {
  const accepted = answer(200, ACCEPTED_BODY);
  const plan = samplePlan(['a']);
  const scripts = { 'a/model': { submits: [accepted], polls: [accepted, GOOD] } };
  const past: readonly Event[] = [
    { type: 'attempt-started', at: 0, attempt: 1, target: 'a/model' },
    { type: 'handle-received', at: 1, attempt: 1, handle: { job: 'j1' }, pollAt: 2 },
  ];
  const scenario = { plan, scripts, journalMs: 1, presenceTurnsMs: [], cancelMs: undefined };
  const world = createWorld(scenario, past, 5_000);
  const turns = watchedTurns(world.io, 0);
  const outcome = await world.io.drive(run('run', plan, world.journal, { ...world.environment, turns }));
  assert.ok(outcome !== PARKED && outcome.ok);
  assert.deepEqual([turns.claims, turns.settled], [[], ['a/model ok']]);
});

test('the wait for a turn is journaled with its reason, and nothing is sent before', async () => {
  const { outcome, types, sends } = await end({ submits: [GOOD], delayMs: 3_000 });
  assert.ok(outcome.ok);
  assert.deepEqual(types, ['waiting', 'attempt-started', 'attempt-ended', 'finished']);
  assert.ok(sends[0] && sends[0].at >= 3_000);
});

test('a long queue at the first target sends the request to the next one, a short one does not', async () => {
  const long = await end({ submits: [GOOD], targets: ['a', 'b'], delayMs: 60_000 });
  assert.equal(long.sends[0]?.target, 'b/model');
  const short = await end({ submits: [GOOD], targets: ['a', 'b'], delayMs: 2_000 });
  assert.equal(short.sends[0]?.target, 'a/model');
});

test('a queue that is longer than the deadline is a 429 that says when, at once', async () => {
  const { outcome, sends } = await end({ submits: [GOOD], delayMs: 60_000, totalMs: 5_000 });
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.failure.kind, outcome.failure.notBefore, sends.length], ['throttled', 60_000, 0]);
});

test('a cancel in the queue ends the run without a turn', async () => {
  const { outcome, turns, sends } = await end({ submits: [GOOD], delayMs: 60_000, cancelMs: 1_000 });
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.failure.kind, turns.settled, sends.length], ['canceled', [], 0]);
});

test('of a pool, a key that is refused cools alone, and the target stays open until all of them are', () => {
  const book = createHealthBook();
  const target = sampleTarget('a', { credentials: ['one', 'two'] });
  const refuse = (name: string) =>
    book.settle(target, book.acquire(target, name, 0), sampleFailed('authentication', { certainty: 'rejected' }), 0);
  refuse('one');
  assert.deepEqual(book.openCredentials(target, 1), ['two']);
  assert.equal(book.view([target], 1)['a/model'], undefined);
  refuse('two');
  assert.equal(book.view([target], 1)['a/model']?.by, 'credential');
});

test('a gate that another process closed is closed here until its time is over', () => {
  const [here, there] = [createHealthBook(), createHealthBook()];
  there.onClosed((closed) => here.adopt(JSON.parse(JSON.stringify(closed))));
  const target = sampleTarget('a');
  const hinted = sampleFailed('throttled', { notBefore: 5_000 });
  there.settle(target, there.acquire(target, 'a', 0), hinted, 0);
  assert.equal(here.view([target], 4_999)['a/model']?.by, 'hint');
  assert.equal(here.view([target], 5_000)['a/model'], undefined);
});
