import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, GeneratedImage, Provider } from '@onetake/core';
import {
  endEvents,
  failedSnapshot,
  SAMPLE_TARGET,
  sampleImage,
  sampleSnapshot,
  startedEvent,
} from '../testing/task-samples.ts';
import { ask, type ServeOptions, serveTasks } from '../testing/task-server.ts';

const HANDLE = { job: 'j1' };
const handleEvent = (handle = HANDLE): Event => ({
  type: 'handle-received',
  at: 1_600,
  attempt: 1,
  handle,
  pollAt: 2_000,
});
const journal = (images: readonly GeneratedImage[], ...between: readonly Event[]): readonly Event[] => [
  startedEvent(),
  ...between,
  ...endEvents({ ok: true, images }),
];
const finished = (...journals: readonly (readonly Event[])[]) =>
  sampleSnapshot({ status: 'completed', finishedAt: 2_000, journals });
const MADE = finished(journal([sampleImage(), sampleImage('b')], handleEvent()));

const provider = (operations: readonly ('generate' | 'variation' | 'upscale')[]): Provider => ({
  id: 'sandbox',
  models: [],
  authorize: (request) => request,
  classify: () => undefined,
  model: (id) => ({ id, maxImagesPerCall: 1, operations, streams: false }),
});
const catalogueOf = (operations: Parameters<typeof provider>[0]) => ({
  connections: [{ id: 'sandbox', provider: provider(operations), baseUrl: 'http://x', secret: '' }],
});

async function serving(context: Parameters<typeof serveTasks>[0], options: ServeOptions = {}) {
  return serveTasks(context, {
    generations: [MADE],
    catalogue: catalogueOf(['generate', 'variation', 'upscale']),
    ...options,
  });
}

test('a variation goes on from the picture of a job, at who made it, with its prompt', async (context) => {
  const served = await serving(context);
  const headers = { prefer: 'respond-async', 'idempotency-key': 'k' };
  const { status } = await ask(served, 'POST', '/v1/images/variations', {
    body: { generation: 'gen_1', index: 2 },
    headers,
  });
  assert.equal(status, 202);
  const [submission] = served.submissions;
  const { operation, prompt, source, n } = submission?.request ?? {};
  assert.deepEqual([operation, prompt, n], ['variation', MADE.plan.request.prompt, 1]);
  assert.deepEqual(source, { target: SAMPLE_TARGET, handle: HANDLE, index: 2 });
  assert.deepEqual([submission?.endpoint, submission?.idempotencyKey], ['/v1/images/variations', 'k']);
});

test('the fingerprint tells generation, index and operation apart, and a default from nothing', async (context) => {
  const served = await serving(context, { generations: [MADE, { ...MADE, id: 'gen_2' }] });
  const bodies: readonly (readonly [string, object])[] = [
    ['variations', { generation: 'gen_1' }],
    ['variations', { generation: 'gen_1', index: 2 }],
    ['variations', { generation: 'gen_2' }],
    ['upscales', { generation: 'gen_1' }],
    ['variations', { generation: 'gen_1', index: 1, n: 1 }],
  ];
  for (const [call, body] of bodies)
    await ask(served, 'POST', `/v1/images/${call}`, { body, headers: { prefer: 'respond-async' } });
  const prints = served.submissions.map(({ fingerprint }) => fingerprint);
  assert.equal(new Set(prints.slice(0, 4)).size, 4);
  assert.equal(prints[4], prints[0]);
});

test('the key or server of a pool that the job went with goes along, and the handle as it was at last', async (context) => {
  const started: Event = {
    type: 'attempt-started',
    at: 1_500,
    attempt: 1,
    target: SAMPLE_TARGET,
    credential: 'second',
  };
  const moved: Event = { type: 'polled', at: 1_700, attempt: 1, pollAt: 2_000, handle: { job: 'moved' } };
  const pooled = finished([started, handleEvent(), moved, ...endEvents({ ok: true, images: [sampleImage()] })]);
  const served = await serving(context, { generations: [pooled] });
  await ask(served, 'POST', '/v1/images/upscales', {
    body: { generation: 'gen_1' },
    headers: { prefer: 'respond-async' },
  });
  const source = { target: SAMPLE_TARGET, handle: { job: 'moved' }, index: 1, credential: 'second' };
  assert.deepEqual(served.submissions[0]?.request.source, source);
});

const GRID = { ...sampleImage(), pictures: 4 };
const COUNTED: readonly (readonly [string, ReturnType<typeof finished>, number, object | undefined])[] = [
  ['the last of a grid', finished(journal([GRID], handleEvent())), 4, { handle: HANDLE, index: 4 }],
  ['beyond a grid', finished(journal([GRID], handleEvent())), 5, undefined],
  [
    'the second grid, of another run',
    finished(journal([GRID], handleEvent()), journal([GRID], handleEvent({ job: 'j2' }))),
    6,
    { handle: { job: 'j2' }, index: 2 },
  ],
  [
    'the second handed over, where the job’s second was lost',
    finished(journal([sampleImage(), { ...sampleImage('b'), place: 3 }, sampleImage('c')], handleEvent())),
    2,
    { handle: HANDLE, index: 3 },
  ],
  [
    'the one after that',
    finished(journal([sampleImage(), { ...sampleImage('b'), place: 3 }, sampleImage('c')], handleEvent())),
    3,
    { handle: HANDLE, index: 4 },
  ],
  [
    'the first that came, where the first run failed',
    finished(
      [startedEvent(), ...endEvents({ ok: false, failure: { kind: 'policy', certainty: 'rejected', message: 'no' } })],
      journal([sampleImage()], handleEvent({ job: 'j2' })),
    ),
    1,
    { handle: { job: 'j2' }, index: 1 },
  ],
];

for (const [name, generation, index, expected] of COUNTED) {
  test(`pictures are counted as they were handed over: ${name}`, async (context) => {
    const served = await serving(context, { generations: [generation] });
    const body = { generation: 'gen_1', index };
    const { status, body: told } = await ask(served, 'POST', '/v1/images/variations', {
      body,
      headers: { prefer: 'respond-async' },
    });
    if (expected === undefined) {
      assert.deepEqual([status, told.error.param], [400, 'index']);
    } else {
      assert.deepEqual(served.submissions[0]?.request.source, { target: SAMPLE_TARGET, ...expected });
    }
  });
}

const INSTEAD = /\/v1\/images\/edits/;
const REFUSED: readonly (readonly [string, object, ServeOptions, number, string, RegExp])[] = [
  ['no generation', {}, {}, 400, 'generation', /missing/],
  ['an id that is no text', { generation: 7 }, {}, 400, 'generation', /no text/],
  ['an id that nobody has', { generation: 'gen_9' }, {}, 404, 'generation', /there is none of this id/],
  [
    'another caller’s',
    { generation: 'gen_1' },
    { generations: [{ ...MADE, caller: 'other' }] },
    404,
    'generation',
    /there is none of this id/,
  ],
  ['an index below 1', { generation: 'gen_1', index: 0 }, {}, 400, 'index', /whole number from 1/],
  ['an index that is a text', { generation: 'gen_1', index: '1' }, {}, 400, 'index', /whole number/],
  ['an index beyond the pictures', { generation: 'gen_1', index: 3 }, {}, 400, 'index', /has 2 pictures/],
  ['a prompt', { generation: 'gen_1', prompt: 'x' }, {}, 400, 'prompt', INSTEAD],
  [
    'a picture instead',
    { generation: 'gen_1', model: 'openai/gpt-image-2' },
    {},
    400,
    'model',
    /made by sandbox\/ok.*edits/,
  ],
  ['a field that is wrong anywhere', { generation: 'gen_1', n: 11 }, {}, 400, 'n', /1 to 10/],
  [
    'what is still being made',
    { generation: 'gen_1' },
    { generations: [sampleSnapshot({ status: 'processing', journals: [[startedEvent(), handleEvent()]] })] },
    400,
    'generation',
    /still being made/,
  ],
  [
    'what failed',
    { generation: 'gen_1' },
    { generations: [failedSnapshot({ kind: 'server', certainty: 'failed', message: 'no' })] },
    400,
    'index',
    /made no picture/,
  ],
  [
    'what was answered at once',
    { generation: 'gen_1' },
    { generations: [finished(journal([sampleImage()]))] },
    400,
    'generation',
    INSTEAD,
  ],
  ['a model that cannot', { generation: 'gen_1' }, { catalogue: catalogueOf(['generate']) }, 400, 'model', INSTEAD],
];

for (const [name, body, options, status, param, message] of REFUSED) {
  test(`refused before anything is spent: ${name}`, async (context) => {
    const served = await serving(context, options);
    const told = await ask(served, 'POST', '/v1/images/variations', { body });
    assert.deepEqual([told.status, told.body.error.param], [status, param]);
    assert.match(told.body.error.message, message);
    assert.deepEqual(served.submissions, []);
  });
}

test('an upscale of several is refused; the model may be named by any of its names', async (context) => {
  const served = await serving(context);
  const headers = { prefer: 'respond-async' };
  const several = await ask(served, 'POST', '/v1/images/upscales', { body: { generation: 'gen_1', n: 2 }, headers });
  assert.deepEqual([several.status, several.body.error.param], [400, 'n']);
  for (const model of [SAMPLE_TARGET, 'ok', MADE.plan.route]) {
    const { status } = await ask(served, 'POST', '/v1/images/upscales', {
      body: { generation: 'gen_1', model },
      headers,
    });
    assert.equal(status, 202, model);
  }
});

test('the retired call, a form with a picture, is told what to do instead', async (context) => {
  const served = await serving(context);
  const form = new FormData();
  form.append('image', new Blob(['x']), 'a.png');
  const { statusCode, json } = await served.app.inject({ method: 'POST', url: '/v1/images/variations', payload: form });
  assert.equal(statusCode, 404);
  assert.match(json().error.message, INSTEAD);
});
