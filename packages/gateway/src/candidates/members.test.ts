import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageRequest } from '@onetake/core';
import { samplePlan } from '../store/contract/samples.ts';
import { planMembers } from './members.ts';

const REQUEST: ImageRequest = { operation: 'generate', prompt: 'a red fox', n: 1 };

function plan(request: ImageRequest, model: string | undefined) {
  const failure = { kind: 'not_found', certainty: 'not_sent', message: 'there is no such model' } as const;
  return model === 'gone'
    ? ({ ok: false, failure } as const)
    : ({ ok: true, plan: { ...samplePlan(), request } } as const);
}

function seedsOf(request: ImageRequest, asked: readonly { model?: string; seed?: number }[]) {
  const planned = planMembers({ request, model: 'a', asked, plan });
  assert.ok(planned.ok);
  return planned.members.map(({ model, request: one }) => [model, one.seed]);
}

test('candidates without a seed leave it to be drawn, each of its own', () => {
  assert.deepEqual(seedsOf(REQUEST, [{}, { model: 'b' }, { seed: 7 }]), [
    ['a', undefined],
    ['b', undefined],
    ['a', 7],
  ]);
});

test('the seed of the request is counted up among candidates of one model, and shared between models', () => {
  const asked = [{}, { model: 'b' }, {}, { seed: 99 }, { model: 'a' }, { model: 'b' }];
  assert.deepEqual(seedsOf({ ...REQUEST, seed: 5 }, asked), [
    ['a', 5],
    ['b', 5],
    ['a', 6],
    ['a', 99],
    ['a', 7],
    ['b', 6],
  ]);
  assert.deepEqual(seedsOf({ ...REQUEST, seed: Number.MAX_SAFE_INTEGER }, [{}, {}]), [
    ['a', Number.MAX_SAFE_INTEGER],
    ['a', 0],
  ]);
});

test('the first candidate that cannot be made is named, counted from 1', () => {
  const planned = planMembers({ request: REQUEST, model: 'a', asked: [{}, { model: 'gone' }], plan });
  assert.ok(!planned.ok);
  assert.deepEqual([planned.index, planned.planned.failure.kind], [2, 'not_found']);
});
