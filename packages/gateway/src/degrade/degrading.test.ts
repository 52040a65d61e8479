import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Asset, FAILURES, type Failure, type FailureKind } from '@onetake/core';
import { sampleSnapshot } from '../testing/task-samples.ts';
import { createDegrading, type DegradingOptions } from './degrading.ts';
import { mayDegrade } from './kinds.ts';
import { shapeOf } from './placeholder.ts';

const ASSET: Asset = {
  ...{ hash: 'a'.repeat(64), bytes: 3, width: 1, height: 1, animated: false, alpha: false },
  type: 'png',
};
const FAILURE: Failure = { kind: 'overloaded', certainty: 'rejected', message: 'busy' };
const { plan } = sampleSnapshot();

function degrading(changes: Partial<DegradingOptions> = {}) {
  const told: unknown[] = [];
  const degrade = createDegrading({
    routes: {},
    files: new Map(),
    store: { list: async () => [], read: async () => undefined },
    assets: { size: async () => 3 },
    placeholder: async () => ASSET,
    onError: (error) => told.push(error),
    ...changes,
  });
  return { degrade, told };
}

const failed = { caller: 'ann', plan, failure: FAILURE };

test('nothing stands in unless the request or its route asks for it, and the request has the last word', async () => {
  const { degrade } = degrading();
  assert.equal(await degrade({ ...failed, wish: undefined }), undefined);
  assert.equal((await degrade({ ...failed, wish: true }))?.kind, 'placeholder');
  const routed = degrading({ routes: { [plan.route]: { to: ['placeholder'] } } });
  assert.equal((await routed.degrade({ ...failed, wish: undefined }))?.kind, 'placeholder');
  assert.equal(await routed.degrade({ ...failed, wish: false }), undefined);
});

test('what the caller or the operator of a budget has to change is always an error', async () => {
  const { degrade } = degrading();
  const callers: readonly FailureKind[] = [
    ...(['invalid', 'capability', 'too_large', 'image_url', 'image_format', 'policy'] as const),
    ...(['not_found', 'canceled', 'budget', 'queue_full'] as const),
  ];
  for (const kind of callers)
    assert.equal(await degrade({ ...failed, failure: { ...FAILURE, kind }, wish: true }), undefined);
  const others = (Object.keys(FAILURES) as FailureKind[]).filter((kind) => !callers.includes(kind));
  assert.deepEqual(
    others.filter((kind) => !mayDegrade(kind)),
    [],
  );
});

test('what goes wrong with one kind is left to the next', async () => {
  const broken = degrading({
    routes: { [plan.route]: { to: ['stale', 'file', 'placeholder'] } },
    store: { list: () => Promise.reject(new Error('away')), read: async () => undefined },
  });
  assert.equal((await broken.degrade({ ...failed, wish: undefined }))?.kind, 'placeholder');
  assert.equal(broken.told.length, 1);
  const gone = degrading({ assets: { size: async () => undefined } });
  assert.equal(await gone.degrade({ ...failed, wish: true }), undefined);
});

test('a placeholder is as large as asked, within bounds', () => {
  const of = (request: object) => {
    const { width, height, format } = shapeOf({ operation: 'generate', prompt: 'p', n: 1, ...request });
    return `${width}x${height} ${format}`;
  };
  assert.equal(of({}), '1024x1024 png');
  assert.equal(of({ size: 'auto', outputFormat: 'gif' }), '1024x1024 png');
  assert.equal(of({ size: '1536x1024', outputFormat: 'jpeg' }), '1536x1024 jpeg');
  assert.equal(of({ size: '16384x1' }), '2048x1 png');
  assert.equal(of({ aspectRatio: '16:9' }), '1024x576 png');
});
