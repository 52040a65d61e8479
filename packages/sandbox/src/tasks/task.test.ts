import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { exampleOf, readCues } from '../faults/script.ts';
import { RefusedError } from '../wire/answer.ts';
import { readCall } from '../wire/call.ts';
import { TASK_FAULTS, TASK_WORDS } from './behaviours.ts';
import { restored, stateOf, stored, type Task } from './task.ts';

const AT = 1_000_000;

function taskFor(model: string, changes: Partial<Task> = {}): Task {
  const [cue] = readCues(TASK_WORDS, model, undefined);
  assert.ok(cue && cue.fault.act.kind === 'pictures');
  const call = readCall('generate', { values: { prompt: 'a fox', seed: 7 }, files: [] });
  return { id: 'job_1', at: AT, model, cue, act: cue.fault.act, call, charged: 1, ...changes };
}

/** Status and progress at each of these seconds after the submit. */
function seen(model: string, ...seconds: number[]): string[] {
  const task = taskFor(model);
  return seconds.map((second) => {
    const { status, progress } = stateOf(task, AT + second * 1000);
    return `${status} ${progress}`;
  });
}

test('every behaviour goes through its stages', () => {
  assert.deepEqual(seen('ok', 0, 0.05, 0.1), ['running 0', 'running 50', 'succeeded 100']);
  assert.deepEqual(seen('slow:20', 0, 5, 19.999, 20), ['running 0', 'running 25', 'running 99', 'succeeded 100']);
  assert.deepEqual(seen('cold:5', 0, 4.9, 5.1, 5.2), ['cold_start 0', 'cold_start 0', 'running 50', 'succeeded 100']);
  assert.deepEqual(seen('queued:5', 0, 4.9, 5.05, 5.1), ['queued 0', 'queued 0', 'running 50', 'succeeded 100']);
  assert.deepEqual(seen('stuck', 0, 1e6), ['running 50', 'running 50']);
  assert.deepEqual(seen('failed', 0, 0.1), ['running 0', 'failed 99']);
  assert.deepEqual(seen('failed:3', 2.9, 3), ['running 96', 'failed 99']);
  assert.deepEqual(seen('moderated:3', 2.9, 3), ['running 96', 'moderated 99']);
  assert.deepEqual(seen('moderated-output', 0.1), ['moderated 99']);
  assert.deepEqual(seen('gone:1', 0.5, 1), ['running 50', 'gone 99']);
  assert.deepEqual(seen('sandbox-task/lost-webhook:2', 1, 2), ['running 50', 'succeeded 100']);
  assert.deepEqual(seen('slow:0', 0, 0.001), ['running 0', 'succeeded 100']);
});

test('a job that was canceled stays where it was', () => {
  const task = taskFor('slow:20', { canceled: { at: AT + 5000, billed: true } });
  assert.deepEqual(stateOf(task, AT + 60_000), { status: 'canceled', progress: 25, ended: true, endsAt: AT + 5000 });
});

test('a line of the book brings back the same job, at every moment, for every behaviour', () => {
  const models = [
    ...[...TASK_WORDS.faults.values()].filter(({ act }) => act.kind === 'pictures').map(exampleOf),
    'flux',
  ];
  const canceled = fc.option(
    fc.record({ at: fc.integer({ min: AT, max: AT + 9000 }), billed: fc.boolean() }, { noNullPrototype: true }),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fc.constantFrom(...models), canceled, fc.nat(60_000), (model, when, ms) => {
      const task = taskFor(model, when ? { canceled: when } : {});
      const again = restored(JSON.parse(JSON.stringify(stored(task))));
      assert.deepEqual(again, task);
      assert.deepEqual(again && stateOf(again, AT + ms), stateOf(task, AT + ms));
    }),
  );
});

test('time never takes progress or an end back', () => {
  const models = [...TASK_FAULTS.values()].map(exampleOf);
  fc.assert(
    fc.property(fc.constantFrom(...models), fc.nat(30_000), fc.nat(30_000), (model, first, more) => {
      const task = taskFor(model);
      const [before, after] = [stateOf(task, AT + first), stateOf(task, AT + first + more)];
      assert.ok(after.progress >= before.progress);
      assert.ok(after.ended || !before.ended);
      assert.equal(before.ended, AT + first >= before.endsAt);
    }),
  );
});

test('the words of jobs are their own and those of the Images API; what looks like one and is none is refused', () => {
  const played = (model: string) =>
    readCues(TASK_WORDS, model, undefined).map(({ fault, value }) => [fault.name, value]);
  assert.deepEqual(played('sandbox-task/429:2,sandbox-task/cold:0.5,ok'), [
    ['429', 2],
    ['cold', 0.5],
    ['ok', undefined],
  ]);
  assert.deepEqual(played('sandbox/stuck'), [['stuck', undefined]]);
  assert.deepEqual(played('flux-2'), [['ok', undefined]]);
  const refused = (model: string, words: RegExp) =>
    assert.throws(
      () => played(model),
      (error) => error instanceof RefusedError && error.refusal.status === 404 && words.test(error.message),
    );
  refused('sandbox-task/slwo:4', /Did you mean 'slow:20'\?/u);
  refused('cold', /'cold' needs seconds from 0 to 3600/u);
  refused('stuck:4', /takes nothing after a colon/u);
});
