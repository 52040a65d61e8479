import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Adaptation, type Event, foldGeneration, type Plan } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import Fastify from 'fastify';
import { completedSnapshot, endEvents, SAMPLE_TARGET, sampleImage, sampleSnapshot } from '../testing/task-samples.ts';
import { ask, serveTasks } from '../testing/task-server.ts';
import { adaptedHeader, fallbackHeader, warningHeader } from './adapted.ts';
import { imagesBody, resolvedFields, tellingHeaders } from './answer.ts';
import { openImageStream } from './answering.ts';
import { generationView } from './generations.ts';
import { failureBody } from './problem.ts';
import { taskView } from './task-view.ts';

const ADAPTED: readonly Adaptation[] = [
  { field: 'model', action: 'mapped', from: 'dall-e-3', to: 'gpt-image-2', reason: 'retired' },
  { field: 'n', action: 'kept', from: '2' },
  { field: 'seed', action: 'dropped', from: '7', reason: 'this model takes no seed' },
];
const SUCCESSOR = { of: 'dall-e-3', target: 'gpt-image-2', retiredOn: '2026-05-12' };
const WARNING = '299 onetake "dall-e-3 was retired on 2026-05-12; gpt-image-2 serves instead"';
const UNFIT = { target: 'x/y', reason: 'size: too wide', kind: 'capability', at: 0 } as const;

const { plan: samplePlan } = sampleSnapshot();
const [sampleTarget] = samplePlan.targets;
assert.ok(sampleTarget);
const target = { ...sampleTarget, adapted: ADAPTED, request: { ...samplePlan.request, quality: 'high' } };
const PLAN: Plan = {
  ...samplePlan,
  request: { ...samplePlan.request, quality: 'hd' },
  targets: [{ ...target, id: 'first/one' }, target],
  passedOver: [UNFIT, { ...UNFIT, target: 'late/one', at: 2 }],
  successor: SUCCESSOR,
};

function generationOf(...before: readonly Event[]) {
  const started: Event = { type: 'attempt-started', at: 1, attempt: 1, target: SAMPLE_TARGET };
  return foldGeneration([[...before, started, ...endEvents({ ok: true, images: [sampleImage()] })]]);
}
const TELLING = { id: 'gen_1', plan: PLAN, generation: generationOf() };
const SHOWN = {
  adapted: [
    { field: 'model', action: 'mapped', from: 'dall-e-3', to: 'gpt-image-2', reason: 'retired' },
    { field: 'n', action: 'kept', from: '2' },
    { field: 'seed', action: 'dropped', from: '7', reason: 'this model takes no seed' },
  ],
  passed_over: [
    { target: 'x/y', reason: 'size: too wide' },
    { target: 'late/one', reason: 'size: too wide' },
  ],
};

function assertShown(onetake: unknown): void {
  const { adapted, passed_over } = onetake as typeof SHOWN;
  assert.deepEqual({ adapted, passed_over }, SHOWN);
}

test('headers of an answer say what was changed, and warn of a retired name', () => {
  const headers = tellingHeaders(TELLING);
  assert.equal(headers['x-onetake-adapted'], 'model=mapped, seed=dropped');
  assert.equal(headers.warning, WARNING);
  assert.equal(headers['x-onetake-fallback'], '2 (capability)', 'the first target of the plan and the unfit one');
});

test('no header where nothing was changed, whatever was kept', () => {
  const { adapted: _adapted, ...bare } = target;
  const kept = { ...target, adapted: [{ field: 'n', action: 'kept' }] } as const;
  for (const one of [bare, kept]) {
    const plan = { ...samplePlan, targets: [one] };
    assert.deepEqual([adaptedHeader(plan, TELLING.generation), warningHeader(plan)], [{}, {}]);
  }
});

test('the header stays short and ASCII whatever callers name their fields', () => {
  const strange = Array.from({ length: 50 }, (_, index) => ({ field: `дым ${index}\n`, action: 'dropped' }) as const);
  const plan = { ...samplePlan, targets: [{ ...target, adapted: strange }] };
  const told = adaptedHeader(plan, TELLING.generation)['x-onetake-adapted'] ?? '';
  assert.match(told, /^[\x20-\x7e]+$/);
  assert.equal(told.split(', ').length, 20);
});

test('why the first target was passed over: unfit, failed, limited, or closed', () => {
  const fallback = (plan: Plan, ...before: readonly Event[]) =>
    fallbackHeader(plan, generationOf(...before))['x-onetake-fallback'];
  const { passedOver: _unfit, ...fit } = PLAN;
  const skipped = (kind?: 'throttled'): Event => ({
    ...{ type: 'target-skipped', at: 0, target: 'first/one', reason: 'r' },
    ...(kind && { kind }),
  });
  assert.equal(fallback(fit, skipped('throttled')), '1 (throttled)');
  assert.equal(fallback(fit, skipped()), '1 (unavailable)');
  const failure = { kind: 'quota', certainty: 'rejected', message: 'm' } as const;
  const failed: readonly Event[] = [
    { type: 'attempt-started', at: 0, attempt: 0, target: 'first/one' },
    { type: 'attempt-ended', at: 0, attempt: 0, outcome: { ok: false, failure } },
  ];
  assert.equal(fallback(fit, ...failed), '1 (quota)');
  assert.equal(fallback({ ...fit, passedOver: [{ ...UNFIT, at: 1 }] }, ...failed), '2 (quota)');
  assert.equal(fallback({ ...fit, targets: [target] }), undefined);
});

test('the body of an answer, of a failure, of a task and of a generation tell the same', () => {
  const segments = imagesBody(TELLING, [sampleImage()], [], { form: 'url', assetsUrl: 'http://x' });
  const body = JSON.parse(segments.join(''));
  assertShown(body.onetake);
  assert.equal(body.quality, 'high', 'what was sent, where the provider does not say');
  const failure = { kind: 'server', certainty: 'failed', message: 'm' } as const;
  assertShown(failureBody(failure, { requestId: 'r', telling: TELLING }).onetake);
  const snapshot = { ...completedSnapshot(), plan: PLAN };
  assertShown(taskView(snapshot, { assetsUrl: 'http://x' }).onetake);
  const view = generationView(snapshot, 'http://x') as { successor: object };
  assertShown(view);
  assert.deepEqual(view.successor, { of: 'dall-e-3', target: 'gpt-image-2', retired_on: '2026-05-12' });
});

test('what a provider settled on goes before what it was sent', () => {
  const told = { ...sampleImage(), resolved: { quality: 'medium' } };
  assert.equal(resolvedFields(TELLING, told).quality, 'medium');
});

test('a task that a retired name asked for carries the warning', async (context) => {
  const served = await serveTasks(context, { snapshot: { ...completedSnapshot(), plan: PLAN } });
  assert.equal((await ask(served, 'GET', '/v1/tasks/gen_1')).headers.warning, WARNING);
});

test('a stream carries the warning from its first byte', async (context) => {
  const app = Fastify({ forceCloseConnections: true });
  context.after(() => app.close());
  const assets = { read: () => assert.fail('there are no pictures') };
  app.get('/', async (_request, reply) => {
    const io = createVirtualClock();
    const stream = openImageStream(
      { reply, assets, io, delivery: { form: 'b64_json' }, headers: {}, onResult() {} },
      PLAN,
    );
    await stream.end(['data: {}\n\n'], {});
    return reply;
  });
  assert.equal((await app.inject('/')).headers.warning, WARNING);
});
