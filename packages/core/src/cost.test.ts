import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costOf } from './cost.ts';
import { foldGeneration } from './generation.ts';
import type { Outcome } from './journal.ts';
import type { JsonObject } from './json.ts';
import type { Plan } from './plan.ts';
import type { Price } from './price.ts';
import {
  SAMPLE_ASSET,
  SAMPLE_SUCCESS,
  type SampleAttempt,
  sampleEvents,
  sampleFailed,
  samplePlan,
  sampleTarget,
} from './testing/samples.ts';

const PER_IMAGE: Price = { perImageUsd: 0.04 };
const PER_TOKEN: Price = { perMillionTokensUsd: { textInput: 5, imageInput: 8, output: 30 } };

function cost(price: Price | undefined, ...attempts: readonly SampleAttempt[]) {
  const target = sampleTarget('a', price && { price });
  const plan: Plan = { ...samplePlan(), targets: [target] };
  return costOf(plan, foldGeneration([sampleEvents(...attempts)]));
}

const pictures = (count: number, usage?: JsonObject): Outcome => ({
  ok: true,
  images: Array.from({ length: count }, () => ({ asset: SAMPLE_ASSET })),
  ...(usage && { usage }),
});

test('what provably did no work costs nothing', () => {
  assert.deepEqual(cost(PER_IMAGE, ['a', sampleFailed('network')], ['a', sampleFailed('throttled')]), {
    ...{ usd: 0, basis: 'none', possibleCharges: 0, possibleUsd: undefined },
  });
});

test('pictures cost their number', () => {
  assert.deepEqual(cost(PER_IMAGE, ['a', pictures(3)]), {
    ...{ usd: 0.12, basis: 'per-image', possibleCharges: 0, possibleUsd: undefined },
  });
});

test('tokens cost by kind: text 5, image 8, output 30 dollars per million', () => {
  const usage = { input_tokens: 1_000, output_tokens: 4_000, input_tokens_details: { image_tokens: 600 } };
  const { usd, basis } = cost(PER_TOKEN, ['a', pictures(1, usage)]);
  assert.equal(usd, (400 * 5 + 600 * 8 + 4_000 * 30) / 1e6);
  assert.equal(basis, 'usage');
});

test('what nobody knows is unknown, never 0', () => {
  assert.equal(cost(undefined, ['a', SAMPLE_SUCCESS]).usd, undefined);
  assert.equal(cost(PER_TOKEN, ['a', pictures(1)]).usd, undefined);
  assert.equal(cost(PER_TOKEN, ['a', pictures(1, { input_tokens: 'many' })]).usd, undefined);
  assert.deepEqual(cost(PER_IMAGE, ['a', sampleFailed('timeout')]), {
    ...{ usd: undefined, basis: 'unknown', possibleCharges: 1, possibleUsd: 0.04 },
  });
  assert.equal(cost(PER_TOKEN, ['a', sampleFailed('timeout')]).possibleUsd, undefined);
});

test('a possible charge is counted beside the certain ones', () => {
  const { usd, possibleCharges } = cost(PER_IMAGE, ['a', sampleFailed('server')], ['a', SAMPLE_SUCCESS]);
  assert.deepEqual([usd, possibleCharges], [0.04, 1]);
});

test('work that was done without a usable picture is paid for', () => {
  assert.equal(cost(PER_IMAGE, ['a', sampleFailed('corrupt')]).usd, 0.04);
});

test('a picture that was made and does not open is paid for like the others of its call', () => {
  const missing = [sampleFailed('corrupt').failure];
  assert.equal(cost(PER_IMAGE, ['a', { ok: true, images: [{ asset: SAMPLE_ASSET }], missing }]).usd, 0.08);
});

test('an attempt still open may be charged', () => {
  const plan: Plan = { ...samplePlan(), targets: [sampleTarget('a', { price: PER_IMAGE })] };
  const [started] = sampleEvents(['a', SAMPLE_SUCCESS]);
  assert.ok(started);
  assert.equal(costOf(plan, foldGeneration([[started]])).possibleCharges, 1);
});

test('what the provider’s answer told goes before a price list, and needs none', () => {
  const told: Outcome = { ok: true, images: [{ asset: SAMPLE_ASSET }], costUsd: 0.045 };
  assert.deepEqual([cost(PER_IMAGE, ['a', told]).usd, cost(PER_IMAGE, ['a', told]).basis], [0.045, 'reported']);
  assert.deepEqual([cost(undefined, ['a', told]).usd, cost(undefined, ['a', told]).basis], [0.045, 'reported']);
});

test('a picture made for nothing costs nothing, and hides no charge that may have come before it', () => {
  const targets = [sampleTarget('a', { price: PER_IMAGE }), sampleTarget('local', { free: true })];
  const free = sampleEvents(['local', SAMPLE_SUCCESS]).map((event) =>
    event.type === 'attempt-started' ? { ...event, attempt: 2, free: true as const } : { ...event, attempt: 2 },
  );
  const plan: Plan = { ...samplePlan(), targets };
  const alone = costOf(plan, foldGeneration([free]));
  assert.deepEqual([alone.usd, alone.basis, alone.possibleCharges], [0, 'none', 0]);
  const after = costOf(plan, foldGeneration([[...sampleEvents(['a', sampleFailed('timeout')]), ...free]]));
  assert.deepEqual([after.usd, after.basis, after.possibleCharges, after.possibleUsd], [0, 'none', 1, 0.04]);
});
