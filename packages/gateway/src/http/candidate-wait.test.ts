import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CandidateSet, PickMode } from '../candidates/sets.ts';
import { createCandidateWorld, createFakeResponse, sampleSubmission } from '../testing/candidate-world.ts';
import { endEvents, failedSnapshot, sampleImage, startedEvent } from '../testing/task-samples.ts';
import { beginSet } from './candidate-begin.ts';
import { statusOf } from './candidate-view.ts';
import { waitForSet } from './candidate-wait.ts';

type World = ReturnType<typeof createCandidateWorld>;

async function beginThree(pick: PickMode, options: Parameters<typeof createCandidateWorld>[0] = {}) {
  const world = createCandidateWorld(options);
  const { set } = await beginSet(sampleSubmission(), { members: [{}, {}, {}], pick }, world.begin);
  return { world, set, ...createFakeResponse() };
}

/** After so many milliseconds: a picture, one that its provider marked, or a refusal. */
function later(world: World, set: CandidateSet, index: number, afterMs: number, end: 'good' | 'flagged' | 'failed') {
  world.clock.timer(world.clock.now() + afterMs, () => {
    const image = { ...sampleImage(), ...(end === 'flagged' && { flagged: 'nsfw' }) };
    const journals = [[startedEvent(), ...endEvents({ ok: true, images: [image] })]];
    const made = { status: 'completed', finishedAt: world.clock.now(), journals } as const;
    const { id: _, ...failed } = failedSnapshot({ kind: 'policy', certainty: 'rejected', message: 'no' });
    world.tasks.get(set.members[index]?.generation ?? '')?.change(end === 'failed' ? failed : made);
  });
}

function wait(
  world: World,
  set: CandidateSet,
  response: ReturnType<typeof createFakeResponse>['response'],
  ms = 60_000,
) {
  return world.clock.drive(waitForSet(set, { until: world.clock.now() + ms, response }, world.wait));
}

test('all are waited for, whatever becomes of them', async () => {
  const { world, set, response } = await beginThree('all');
  const startedAt = world.clock.now();
  later(world, set, 0, 3_000, 'good');
  later(world, set, 1, 1_000, 'failed');
  later(world, set, 2, 2_000, 'flagged');
  const { ended, standings } = await wait(world, set, response);
  assert.deepEqual([ended, standings.map(statusOf)], ['done', ['good', 'failed', 'flagged']]);
  assert.equal(world.clock.now() - startedAt, 3_000);
  assert.ok([...world.tasks.values()].every((one) => one.following() === 0));
});

test('the first good one ends the wait, and neither a refusal nor a doubted one does', async () => {
  const { world, set, response } = await beginThree('first');
  const startedAt = world.clock.now();
  later(world, set, 0, 1_000, 'flagged');
  later(world, set, 1, 2_000, 'failed');
  later(world, set, 2, 3_000, 'good');
  const { ended, standings } = await wait(world, set, response);
  assert.deepEqual([ended, standings.map(statusOf)], ['done', ['flagged', 'failed', 'good']]);
  assert.equal(world.clock.now() - startedAt, 3_000);
});

test('a wait ends when its time is up, with what there is', async () => {
  const { world, set, response } = await beginThree('all');
  later(world, set, 1, 1_000, 'good');
  const { ended, standings } = await wait(world, set, response, 5_000);
  assert.deepEqual([ended, standings.map(statusOf)], ['overdue', ['pending', 'good', 'pending']]);
});

test('a wait ends when its caller leaves, when the gateway stops, and at once where too many wait', async () => {
  const left = await beginThree('all');
  left.world.clock.timer(left.world.clock.now() + 10, left.hangUp);
  assert.equal((await wait(left.world, left.set, left.response)).ended, 'left');
  const stopped = await beginThree('all');
  stopped.world.clock.timer(stopped.world.clock.now() + 10, stopped.world.wait.openAnswers.close);
  assert.equal((await wait(stopped.world, stopped.set, stopped.response)).ended, 'overdue');
  const crowded = await beginThree('all', { maxOpen: 0 });
  assert.equal((await wait(crowded.world, crowded.set, crowded.response)).ended, 'overdue');
});

test('a candidate that is not in the store is waited for while its set is young, and then it is gone', async () => {
  const { world, set, response } = await beginThree('all');
  const [first, second, third] = set.members.map(({ generation }) => generation);
  const late = world.tasks.get(second ?? '');
  assert.ok(late && first && second && third);
  world.tasks.delete(second);
  world.tasks.delete(third);
  later(world, set, 0, 10, 'good');
  world.clock.timer(world.clock.now() + 900, () => world.tasks.set(second, late));
  world.clock.timer(world.clock.now() + 901, () => {
    const { id: _, ...failed } = failedSnapshot({ kind: 'policy', certainty: 'rejected', message: 'no' });
    late.change(failed);
  });
  const { ended, standings } = await wait(world, set, response);
  assert.deepEqual([ended, standings.map(statusOf)], ['done', ['good', 'failed', 'gone']]);
});
