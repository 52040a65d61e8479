import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Turns } from './environment.ts';
import { createHealthBook } from './health.ts';
import type { Event } from './journal.ts';
import type { Claim, Pacer, Turn } from './pacing.ts';
import type { PlannedTarget } from './plan.ts';
import { PARKED, run } from './run.ts';
import { sampleFailed, samplePlan, sampleTarget } from './testing/samples.ts';
import { ACCEPTED_BODY, createWorld, GOOD_BODY, type Play } from './testing/simulated-world.ts';
import { createTurns, type FirstTurn } from './turns.ts';

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

/** Two targets, of which the first gives a turn after three seconds; `change` happens after one. */
async function endChanged(
  change: (world: ReturnType<typeof createWorld>, turns: Watched) => Partial<Turns> | undefined,
) {
  const plan = samplePlan(['a', 'b']);
  const scripts = { 'a/model': { submits: [GOOD], polls: [] }, 'b/model': { submits: [GOOD], polls: [] } };
  const world = createWorld({ plan, scripts, journalMs: 1, presenceTurnsMs: [], cancelMs: undefined });
  const turns = watchedTurns(world.io, 3_000);
  const environment = { ...world.environment, turns: { ...turns, ...change(world, turns) } };
  const outcome = await world.io.drive(run('run', plan, world.journal, environment));
  assert.ok(outcome !== PARKED && outcome.ok);
  return { turns, sends: world.sends.map(({ target }) => target) };
}

test('a turn for a target that closed meanwhile is given back, unused', async () => {
  const { turns, sends } = await endChanged(({ io, environment: { health } }) => {
    const target = sampleTarget('a');
    const refused = sampleFailed('authentication', { certainty: 'rejected' });
    io.timer(1_000, () => health.settle(target, health.acquire(target, 'a', 1_000), refused, 1_000));
    return undefined;
  });
  assert.deepEqual([sends, turns.givenBack, turns.settled], [['b/model'], ['a/model'], ['b/model ok']]);
});

test('a turn that came is used, however long the queue behind it has become', async () => {
  const { turns, sends } = await endChanged(({ io }) => ({
    expect: ({ id }) =>
      id === 'a/model' ? { until: io.now() + (io.now() < 1_000 ? 3_000 : 60_000), reason: 'busy' } : undefined,
  }));
  assert.deepEqual([sends, turns.givenBack], [['a/model'], []]);
});

/** The turns of one run at a pacer that gives what is asked, with one turn in hand for two pictures at `a`. */
function turnsInHand() {
  const noted: string[] = [];
  const turnOf = (name: string): Turn => ({
    credential: name,
    ...{ sent: () => {}, observe: () => {}, settle: () => {} },
    giveBack: () => noted.push(`${name} back`),
  });
  const pacer: Pick<Pacer, 'take'> = { take: async ({ target }) => [turnOf(`new at ${target}`)] };
  const first: FirstTurn = { target: 'a/model', images: 2, turn: turnOf('first') };
  const turns = createTurns({
    pacer: pacer as Pacer,
    health: createHealthBook(),
    io: { now: () => 0 },
    ticket: (target) => ({ caller: 'c', tag: target === 'a/model' ? 7 : 9 }),
    clock: { started: (target, tag) => noted.push(`${target} ${tag}`) },
    first,
  });
  const take = async (name: string, images: number) =>
    (await turns.take(sampleTarget(name), { images }, new AbortController().signal))?.credential;
  return { turns, take, noted };
}

test('the turn a run came with is its first, and fairness goes on from each later one', async () => {
  const { take, noted } = turnsInHand();
  assert.deepEqual([await take('a', 2), await take('a', 2)], ['first', 'new at a/model']);
  assert.deepEqual(noted, ['a/model 7']);
});

test('the turn a run came with is given back where it does not fit', async () => {
  const [more, elsewhere, never] = [turnsInHand(), turnsInHand(), turnsInHand()];
  assert.equal(await more.take('a', 3), 'new at a/model');
  assert.deepEqual(more.noted, ['first back', 'a/model 7']);
  assert.equal(await elsewhere.take('b', 2), 'new at b/model');
  assert.deepEqual(elsewhere.noted, ['first back', 'b/model 9']);
  never.turns.close();
  never.turns.close();
  assert.deepEqual(never.noted, ['first back']);
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

test('a closed pool opens with the first of its keys', () => {
  const book = createHealthBook();
  const target = sampleTarget('a', { credentials: ['one', 'two'] });
  const hint = (name: string, notBefore: number) =>
    book.settle(target, book.acquire(target, name, 0), sampleFailed('throttled', { notBefore }), 0);
  hint('one', 9_000);
  hint('two', 5_000);
  assert.equal(book.view([target], 1)['a/model']?.until, 5_000);
  assert.deepEqual(book.openCredentials(target, 5_000), ['two']);
});

test('a key that another process found refused is closed for every target behind it', () => {
  const book = createHealthBook();
  const { failure } = sampleFailed('authentication');
  book.adopt({ target: 'a/model', credential: 'a', gate: { by: 'credential', until: 5_000, failure } });
  assert.equal(book.view([sampleTarget('a', { id: 'a/sibling' })], 1)['a/sibling']?.by, 'credential');
});

test('what another process found does not open sooner what is closed here', () => {
  const book = createHealthBook();
  const target = sampleTarget('a');
  book.settle(target, book.acquire(target, 'a', 0), sampleFailed('throttled', { notBefore: 9_000 }), 0);
  const { failure } = sampleFailed('throttled', { notBefore: 5_000 });
  book.adopt({ target: 'a/model', credential: 'a', gate: { by: 'hint', until: 5_000, failure } });
  assert.equal(book.view([target], 1)['a/model']?.until, 9_000);
});
