import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Asset, Event, ImageRequest, Plan } from '@onetake/core';
import { completedSnapshot, sampleImage } from '../testing/task-samples.ts';
import { RequestProblem } from './problem.ts';
import { readRegeneration } from './regenerate.ts';

const PHOTO: Asset = sampleImage('b').asset;
const SOURCE = { target: 'sandbox/ok', handle: { job: '1' }, index: 1 };

function storedWith(request: Partial<ImageRequest>, journal?: readonly Event[], changes: Partial<Plan> = {}) {
  const done = completedSnapshot();
  const plan = { ...done.plan, ...changes, request: { ...done.plan.request, ...request } };
  return { ...done, plan, ...(journal && { journals: [journal] }) };
}

function read(stored: ReturnType<typeof storedWith>, body?: unknown, areStored = true) {
  return readRegeneration(body, {
    ...{ id: stored.id, asker: { caller: stored.caller, isAdmin: false }, store: { read: async () => stored } },
    assets: { size: async () => (areStored ? 3 : undefined) },
  });
}

async function refused(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  assert.ok(error instanceof RequestProblem, String(error));
  return `${error.status} ${error.code} ${error.param ?? ''}`.trim();
}

test('without a body it is the same request, at the target that answered it', async () => {
  const stored = storedWith({ size: '64x64', stream: true, partialImages: 2, images: [PHOTO], operation: 'edit' });
  const { wire, settings, regeneratedFrom } = await read(stored);
  assert.equal(wire.model, 'sandbox/ok');
  const { stream, partialImages, ...request } = stored.plan.request;
  // The seed that its provider told of the picture.
  assert.deepEqual(wire.request, { ...request, seed: 7 });
  assert.equal(wire.responseFormat, 'b64_json');
  assert.deepEqual(settings, { payment: 'standard', maxPaidAttempts: 1 });
  assert.equal(regeneratedFrom, stored.id);
});

test('what is changed is checked like any request, and the rest stays', async () => {
  const stored = storedWith({ size: '64x64', n: 4, seed: 3 });
  const { wire } = await read(stored, { n: 1, seed: 9, prompt: 'an owl', stream: true, response_format: 'url' });
  const { request } = wire;
  assert.deepEqual(
    [request.n, request.seed, request.prompt, request.size, request.stream, wire.responseFormat],
    [1, 9, 'an owl', '64x64', true, 'url'],
  );
  assert.equal((await read(stored, { seed: null })).wire.request.n, 4);
  assert.equal(await refused(read(stored, { n: 11 })), '400 invalid_value n');
  assert.equal(await refused(read(stored, { quality: 'high' })), '400 unknown_parameter quality');
  assert.equal(await refused(read(stored, [])), '400 invalid_body');
});

test('one picture and four of the same generation are different requests', async () => {
  const stored = storedWith({ n: 4 });
  const [same, one] = [await read(stored), await read(stored, { n: 1 })];
  assert.notDeepEqual(same.wire.canonical, one.wire.canonical);
  assert.equal(same.wire.canonical.generation, stored.id);
});

test('another model is told what the caller asked for', async () => {
  const [target] = storedWith({}).plan.targets;
  assert.ok(target);
  const sent = { ...storedWith({ size: '900x900' }).plan.request, size: '1024x1024', seed: 5 };
  const stored = storedWith({ size: '900x900' }, undefined, {
    targets: [{ ...target, request: sent, seedDrawn: true }],
  });
  const same = await read(stored);
  assert.deepEqual([same.wire.request.size, same.wire.request.seed], ['1024x1024', 7]);
  const other = await read(stored, { model: 'best' });
  assert.deepEqual([other.wire.model, other.wire.request.size, other.wire.request.seed], ['best', '900x900', 7]);
  const variation = storedWith({ operation: 'variation', source: SOURCE });
  assert.equal(await refused(read(variation, { model: 'best' })), '400 invalid_value model');
  const again = (await read(variation)).wire.request;
  assert.deepEqual([again.source, again.seed], [SOURCE, undefined]);
});

test('it needs an end to begin with, and the pictures that it was made from', async () => {
  const { finishedAt: _none, ...unfinished } = { ...storedWith({}), journals: [[]], status: 'processing' as const };
  assert.equal(await refused(read(unfinished)), '409 invalid_value');
  const edit = storedWith({ operation: 'edit', images: [PHOTO], mask: PHOTO });
  assert.equal(await refused(read(edit, {}, false)), '404 not_found');
});
