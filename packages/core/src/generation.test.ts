import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failure } from './failure.ts';
import { foldGeneration } from './generation.ts';
import type { Event, Outcome } from './journal.ts';
import type { JsonObject } from './json.ts';
import { SAMPLE_ASSET, SAMPLE_SUCCESS, sampleEvents, sampleFailed, sampleFailure } from './testing/samples.ts';

function finished(name: string, outcome: Outcome): readonly Event[] {
  return [...sampleEvents([name, outcome]), { type: 'finished', at: 1, outcome }];
}

const withUsage = (usage: JsonObject): Outcome => ({ ok: true, images: [{ asset: SAMPLE_ASSET }], usage });

test('one run’s outcome is the generation’s, unchanged', () => {
  for (const outcome of [SAMPLE_SUCCESS, sampleFailed('policy')]) {
    assert.deepEqual(foldGeneration([finished('a', outcome)]).outcome, outcome);
  }
});

test('it has no outcome while any run goes on', () => {
  const going = sampleEvents(['a', SAMPLE_SUCCESS]);
  assert.equal(foldGeneration([finished('a', SAMPLE_SUCCESS), going]).outcome, undefined);
});

test('pictures come in the order of the runs, and what is missing is listed beside them', () => {
  const second: Outcome = { ok: true, images: [{ asset: { ...SAMPLE_ASSET, hash: 'b'.repeat(64) } }] };
  const journals = [finished('a', SAMPLE_SUCCESS), finished('a', sampleFailed('corrupt')), finished('b', second)];
  const { outcome, targets, attempts, paidAttempts } = foldGeneration(journals);
  assert.ok(outcome?.ok);
  assert.deepEqual(
    outcome.images.map((image) => image.asset.hash[0]),
    ['a', 'b'],
  );
  assert.deepEqual(
    outcome.missing?.map((failure) => failure.kind),
    ['corrupt'],
  );
  assert.deepEqual([targets, attempts, paidAttempts], [['a/model', 'b/model'], 3, 3]);
});

test('without a picture the failure about money speaks, because a caller must not take a possible charge for none', () => {
  const free = sampleFailure('throttled');
  const order: readonly Failure[] = [sampleFailure('timeout'), sampleFailure('corrupt'), sampleFailure('server'), free];
  for (let from = 0; from < order.length; from += 1) {
    const rest = order.slice(from);
    for (const failures of [rest, rest.toReversed()]) {
      const { outcome } = foldGeneration(failures.map((failure) => finished('a', { ok: false, failure })));
      assert.ok(outcome?.ok === false);
      assert.equal(outcome.failure.certainty, rest[0]?.certainty);
    }
  }
});

test('usage is added up, in its details too', () => {
  const one = { input_tokens: 10, output_tokens: 100, input_tokens_details: { image_tokens: 4 }, quality: 'high' };
  const two = { input_tokens: 20, output_tokens: 200, input_tokens_details: { image_tokens: 5 }, quality: 'low' };
  const { outcome } = foldGeneration([finished('a', withUsage(one)), finished('a', withUsage(two))]);
  assert.ok(outcome?.ok);
  assert.deepEqual(outcome.usage, {
    ...{ input_tokens: 30, output_tokens: 300, quality: 'high' },
    input_tokens_details: { image_tokens: 9 },
  });
});

test('an attempt that outlasts its caller is overdue until its answer comes', () => {
  const [started] = sampleEvents(['a', SAMPLE_SUCCESS]);
  const failure = sampleFailure('timeout');
  const fired: Event = { type: 'clock-fired', at: 1, attempt: 1, clock: 'total', failure };
  assert.ok(started);
  assert.deepEqual(foldGeneration([[started, fired]]).overdue, failure);
  const ended: Event = { type: 'attempt-ended', at: 2, attempt: 1, outcome: SAMPLE_SUCCESS };
  assert.equal(foldGeneration([[started, fired, ended]]).overdue, undefined);
});
