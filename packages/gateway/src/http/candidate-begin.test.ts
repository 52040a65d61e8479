import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failure } from '@onetake/core';
import type { CandidateSet } from '../candidates/sets.ts';
import { createCandidateWorld, sampleSubmission } from '../testing/candidate-world.ts';
import { completedSnapshot, failedSnapshot } from '../testing/task-samples.ts';
import { beginSet } from './candidate-begin.ts';
import { FailureProblem, RequestProblem } from './problem.ts';

const TWO = { members: [{}, {}], pick: 'all' } as const;
const REFUSED: Failure = { kind: 'policy', certainty: 'rejected', message: 'not this' };

type World = ReturnType<typeof createCandidateWorld>;

function begin(world: World, change: Parameters<typeof sampleSubmission>[0] = {}) {
  return beginSet(sampleSubmission(change), TWO, world.begin);
}

function finish({ tasks }: World, set: CandidateSet, ...ends: (Failure | 'good')[]): void {
  for (const [at, { generation }] of set.members.entries()) {
    const end = ends[at] ?? 'good';
    const { id: _, ...snapshot } = end === 'good' ? completedSnapshot() : failedSnapshot(end);
    tasks.get(generation)?.change(snapshot);
  }
}

function answered({ candidateSets, clock }: World, { id }: CandidateSet, state: 'lost' | 'given') {
  return candidateSets.change(id, 'local', (one) => ({ ...one, answer: { state, at: clock.now() } }));
}

test('every candidate is a task of its own, which ends with the call’s clock', async () => {
  const world = createCandidateWorld();
  const { kind, set, deadlineAt } = await begin(world, { idempotencyKey: 'k', settings: { totalTimeoutMs: 5_000 } });
  assert.deepEqual([kind, deadlineAt], ['created', world.clock.now() + 5_000]);
  const own = world.submissions.map(({ id, asTask, attach, idempotencyKey }) => [id, asTask, attach, idempotencyKey]);
  assert.deepEqual(
    own,
    set.members.map(({ generation }) => [generation, true, false, undefined]),
  );
  assert.deepEqual(
    world.submissions.map(({ settings }) => settings.totalTimeoutMs),
    [5_000, 5_000],
  );
  const left = await begin(world, { asTask: true });
  assert.deepEqual([left.set.answer.state, world.submissions[2]?.settings.totalTimeoutMs], ['given', undefined]);
});

test('a candidate that finds no place is written with its reason, and the others begin', async () => {
  const world = createCandidateWorld();
  world.tickets.push(() => ({ kind: 'full', message: 'full', retryAfterMs: 2_000 }));
  const { set } = await begin(world);
  assert.deepEqual(
    set.members.map(({ failure }) => failure?.kind),
    ['queue_full', undefined],
  );
  assert.equal(set.members[0]?.failure?.notBefore, world.clock.now() + 2_000);
  assert.deepEqual(await world.candidateSets.read(set.id, 'local'), set);
});

test('a candidate that is being made already is that generation', async () => {
  const world = createCandidateWorld();
  world.tickets.push(() => ({ kind: 'task', id: 'gen_known', replayed: false }));
  const { set } = await begin(world);
  assert.deepEqual([set.members[0]?.generation, set.members[1]?.generation], ['gen_known', world.submissions[1]?.id]);
  assert.deepEqual(await world.candidateSets.read(set.id, 'local'), set);
});

test('a key is one set, and another body under it is refused', async () => {
  const world = createCandidateWorld();
  const first = await begin(world, { idempotencyKey: 'k' });
  const again = await begin(world, { idempotencyKey: 'k' });
  assert.deepEqual([again.kind, again.set.id, world.submissions.length], ['replayed', first.set.id, 2]);
  const other = begin(world, { idempotencyKey: 'k', fingerprint: 'cd'.repeat(32) });
  await assert.rejects(other, (error) => error instanceof RequestProblem && error.status === 422);
  const elsewhere = await begin(world, { idempotencyKey: 'k', endpoint: '/v1/images/edits' });
  assert.equal(elsewhere.kind, 'created');
});

test('what came to nothing and cost nothing is made again; what may have cost something is not', async () => {
  const world = createCandidateWorld();
  const keyed = { idempotencyKey: 'k' };
  const free = await begin(world, keyed);
  finish(world, free.set, REFUSED, REFUSED);
  const second = await begin(world, keyed);
  assert.equal(second.kind, 'created');
  finish(world, second.set, REFUSED, { ...REFUSED, kind: 'timeout', certainty: 'ambiguous' });
  assert.deepEqual((await begin(world, keyed)).set.id, second.set.id);
});

test('a candidate that began and broke off may have been paid: its set is not made again', async () => {
  const brokenOff: Failure = { kind: 'interrupted', certainty: 'ambiguous', message: 'the process ended' };
  for (const ends of [
    [brokenOff, brokenOff],
    [REFUSED, brokenOff],
  ]) {
    const world = createCandidateWorld();
    const { set } = await begin(world, { idempotencyKey: 'k' });
    finish(world, set, ...ends);
    const again = await begin(world, { idempotencyKey: 'k' });
    assert.deepEqual([again.kind, again.set.id, world.submissions.length], ['replayed', set.id, 2]);
    const unkeyed = await begin(world);
    finish(world, unkeyed.set, ...ends);
    await answered(world, unkeyed.set, 'lost');
    const attached = await begin(world);
    assert.deepEqual([attached.kind, attached.set.id, world.submissions.length], ['attached', unkeyed.set.id, 4]);
  }
});

test('a set whose candidates never began is made again, once they can be on their way no more', async () => {
  const world = createCandidateWorld();
  const keyed = { idempotencyKey: 'k' };
  const { set } = await begin(world, keyed);
  world.tasks.clear();
  assert.equal((await begin(world, keyed)).set.id, set.id, 'they may be on their way');
  await world.clock.drive(new Promise<void>((resolve) => world.clock.timer(world.clock.now() + 6_000, resolve)));
  const again = await begin(world, keyed);
  assert.deepEqual([again.kind, again.set.id === set.id], ['created', false]);
});

test('a set that did not arrive answers the next identical request; one that did, or is waited for, does not', async () => {
  const world = createCandidateWorld();
  const { set } = await begin(world);
  finish(world, set);
  assert.equal((await begin(world)).kind, 'created', 'somebody waits for the first');
  await answered(world, set, 'lost');
  assert.equal((await begin(world, { attach: false })).kind, 'created');
  assert.equal((await begin(world, { asTask: true })).kind, 'created');
  const again = await begin(world);
  assert.deepEqual([again.kind, again.set.id], ['attached', set.id]);
  await answered(world, set, 'given');
  assert.equal((await begin(world)).kind, 'created');
});

test('a client’s own second try, and a call that an earlier process answered, find the set', async () => {
  const world = createCandidateWorld();
  const { set } = await begin(world);
  finish(world, set);
  assert.equal((await begin(world, { provenRetry: true })).set.id, set.id);
  const restarted = { ...world, begin: { ...world.begin, processId: 'the next' } };
  assert.equal((await begin(restarted)).set.id, set.id);
  const onANode = { ...world, begin: { ...world.begin, processId: 'another', ownsStore: false } };
  assert.equal((await begin(onANode)).kind, 'created', 'another node may still answer it');
});

test('what was lost too long ago is not found', async () => {
  const world = createCandidateWorld();
  const { set } = await begin(world);
  finish(world, set);
  await answered(world, set, 'lost');
  await world.clock.drive(new Promise<void>((resolve) => world.clock.timer(world.clock.now() + 60_000, resolve)));
  assert.equal((await begin(world)).kind, 'created');
});

test('a candidate that cannot be made is told before anything is written', async () => {
  const world = createCandidateWorld();
  const asked = { members: [{}, { model: 'nowhere/none' }], pick: 'all' } as const;
  const refused = (error: unknown) => error instanceof FailureProblem && /^candidate 2: /.test(error.message);
  await assert.rejects(beginSet(sampleSubmission(), asked, world.begin), refused);
  assert.deepEqual([world.submissions, await world.candidateSets.list('local')], [[], []]);
});
