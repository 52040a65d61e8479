import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, serveTasks } from '../testing/task-server.ts';
import { takeCandidates } from './candidates-wire.ts';
import { readImageWire } from './image-wire.ts';
import { RequestProblem } from './problem.ts';

const PROMPT = { prompt: 'a red fox' };

function take(body: object) {
  return takeCandidates(readImageWire('generate', { ...PROMPT, ...body }));
}

function paramOf(body: object): string | undefined {
  try {
    take(body);
  } catch (error) {
    assert.ok(error instanceof RequestProblem && error.status === 400, String(error));
    return error.param;
  }
  return undefined;
}

test('a number and a list of models are read, beside the fields or among the controls, and nothing of them is sent on', () => {
  assert.deepEqual(take({ candidates: 3 }).asked, { members: [{}, {}, {}], pick: 'all' });
  const members = [{ model: 'a' }, { model: 'b', seed: 7 }];
  for (const body of [
    { candidates: members, pick: 'best' },
    { onetake: { candidates: members, pick: 'best' } },
    { candidates: members, onetake: { pick: 'best' } },
    { candidates: JSON.stringify(members), pick: 'best' },
  ]) {
    const { asked, wire } = take({ ...body, style: 'vivid' });
    assert.deepEqual(asked, { members, pick: 'best' });
    assert.deepEqual(wire.request.extra, { style: 'vivid' });
    assert.deepEqual(wire.controlsBody ?? {}, {});
  }
  assert.equal(take({ candidates: 2 }).wire.request.extra, undefined);
});

test('a request without candidates is left as it is', () => {
  const wire = readImageWire('generate', { ...PROMPT, pick: 'a lock', onetake: { payment: 'strict' } });
  assert.deepEqual(takeCandidates(wire), { wire });
});

test('a number is the same request as so many empty entries, and every difference is another one', () => {
  const canonical = (body: object) => JSON.stringify(take(body).wire.canonical);
  const same = [
    { candidates: 2 },
    { candidates: [{}, {}] },
    { onetake: { candidates: 2 } },
    { candidates: 2, pick: 'all' },
  ];
  assert.equal(new Set(same.map(canonical)).size, 1);
  const others = [
    {},
    { candidates: 2 },
    { candidates: 3 },
    { candidates: 2, pick: 'best' },
    { candidates: [{ seed: 1 }, {}] },
  ];
  assert.equal(new Set(others.map(canonical)).size, others.length);
});

test('what breaks a rule is named by its field', () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ candidates: 1 }, 'candidates'],
    [{ candidates: 9 }, 'candidates'],
    [{ candidates: 2.5 }, 'candidates'],
    [{ candidates: 'many' }, 'candidates'],
    [{ candidates: [{}] }, 'candidates'],
    [{ candidates: {} }, 'candidates'],
    [{ candidates: [{}, 'sandbox/ok'] }, 'candidates[1]'],
    [{ candidates: [{}, { model: '' }] }, 'candidates[1].model'],
    [{ candidates: [{ seed: 'x' }, {}] }, 'candidates[0].seed'],
    [{ candidates: [{ prompt: 'a cat' }, {}] }, 'candidates[0].prompt'],
    [{ onetake: { candidates: 0 } }, 'onetake.candidates'],
    [{ candidates: 2, onetake: { candidates: 2 } }, 'onetake.candidates'],
    [{ candidates: 2, pick: 'worst' }, 'pick'],
    [{ candidates: 2, n: 2 }, 'n'],
    [{ candidates: 2, stream: true }, 'stream'],
  ];
  for (const [body, param] of wrong) assert.equal(paramOf(body), param, JSON.stringify(body));
});

test('candidates are understood wherever pictures are asked for, with the controls beside them', async (context) => {
  const served = await serveTasks(context);
  const onetake = { candidates: 2, pick: 'first', attach: false };
  for (const path of ['/v1/images/generations', '/v1/tasks']) {
    const { status, body } = await ask(served, 'POST', path, { body: { ...PROMPT, onetake } });
    assert.deepEqual([status, body], [200, { members: [{}, {}], pick: 'first' }]);
  }
  const [first, second] = served.submissions;
  assert.equal(first?.fingerprint, second?.fingerprint);
  assert.equal(first?.attach, false);
  const edit = { ...PROMPT, images: ['https://a.example/fox'], onetake };
  const edited = await ask(served, 'POST', '/v1/images/edits', { body: edit });
  assert.deepEqual([edited.status, edited.body.members], [200, [{}, {}]]);
  assert.equal(served.submissions[2]?.request.images?.length, 1);
  const typo = await ask(served, 'POST', '/v1/tasks', { body: { ...PROMPT, onetake: { candidate: 2 } } });
  assert.equal(typo.body.error.code, 'unknown_parameter');
});
