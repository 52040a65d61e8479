import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FAILURES, type Failure, type FailureKind } from '../failure.ts';
import { SAMPLE_RETRY, sampleFailure } from '../testing/samples.ts';
import { fraction, retryAt } from './retry.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const HINT_JITTER_MAX_MS = 1_000;
const tries = fc.integer({ min: 1, max: 2 ** 31 });
const kinds = fc.constantFrom<FailureKind>(...(Object.keys(FAILURES) as FailureKind[]));
const certainties = fc.constantFrom<Failure['certainty']>('not_sent', 'rejected', 'failed', 'ambiguous', 'completed');
const failures = fc.record({ kind: kinds, certainty: certainties, message: fc.constant('') });

/** The longest wait before the given try, found by trying many seeds. */
function longest(failure: Failure, count: number): number {
  const waits = Array.from({ length: 4_000 }, (_, seed) => retryAt(failure, 0, count, `seed ${seed}`, SAMPLE_RETRY));
  return Math.max(...waits);
}

test('a wait is a whole number of milliseconds between 0 and the cap, for any attempt and any seed', () => {
  fc.assert(
    fc.property(failures, tries, fc.string(), (failure, count, seed) => {
      const wait = retryAt(failure, NOW, count, seed, SAMPLE_RETRY) - NOW;
      assert.ok(Number.isSafeInteger(wait), `${wait}`);
      assert.ok(wait >= 0 && wait <= SAMPLE_RETRY.maxDelayMs, `${wait}`);
    }),
  );
});

test('no retry comes earlier than the provider said, and at most a second of jitter later than both reasons to wait', () => {
  const hints = fc.integer({ min: -86_400_000, max: 365 * 86_400_000 });
  fc.assert(
    fc.property(failures, tries, fc.string(), hints, (failure, count, seed, hint) => {
      const told = { ...failure, notBefore: NOW + hint };
      const at = retryAt(told, NOW, count, seed, SAMPLE_RETRY);
      assert.ok(Number.isSafeInteger(at));
      assert.ok(at >= told.notBefore);
      assert.ok(at <= Math.max(told.notBefore + HINT_JITTER_MAX_MS, NOW + SAMPLE_RETRY.maxDelayMs));
    }),
  );
});

test('waiting runs do not return together: two seeds get two instants after the same hint', () => {
  const told = sampleFailure('throttled', { notBefore: NOW + 60_000 });
  const instants = Array.from({ length: 200 }, (_, run) => retryAt(told, NOW, 1, `run ${run}`, SAMPLE_RETRY));
  assert.ok(new Set(instants).size > 100);
});

test('the same arguments give the same instant, so a restarted process waits for it too', () => {
  fc.assert(
    fc.property(failures, tries, fc.string(), (failure, count, seed) => {
      const first = retryAt(failure, NOW, count, seed, SAMPLE_RETRY);
      assert.equal(retryAt({ ...failure }, NOW, count, seed, { ...SAMPLE_RETRY }), first);
    }),
  );
});

test('the envelope of the waits doubles per try up to the cap and stays there', () => {
  const envelope = [1, 2, 3, 4, 5, 6, 30, 31, 1_024, 1_025, 2 ** 31].map((count) =>
    longest(sampleFailure('overloaded'), count),
  );
  const expected = [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000, 30_000, 30_000];
  for (const [index, ceiling] of expected.entries()) {
    const seen = envelope[index] ?? 0;
    assert.ok(seen <= ceiling && seen > ceiling * 0.99, `entry ${index}: ${seen} of ${ceiling}`);
  }
});

// smithy-typescript retries.integ.spec.ts, 2026 constants, read as the ceilings of full jitter: transient 50 ms, throttling 1 s.
const vectors: readonly (readonly [FailureKind, Partial<Failure>, number, number])[] = [
  ['network', {}, 1, 50],
  ['network', {}, 2, 100],
  ['network', {}, 3, 200],
  ['network', {}, 4, 400],
  ['throttled', {}, 1, 1_000],
  ['throttled', {}, 2, 2_000],
  ['throttled', {}, 5, 16_000],
  ['timeout', { certainty: 'not_sent' }, 1, 50],
  ['overloaded', {}, 1, 2_000],
  ['server', {}, 1, 2_000],
];

for (const [kind, changes, count, ceiling] of vectors) {
  const failure = sampleFailure(kind, changes);
  test(`full jitter, ${kind} ${failure.certainty}, try ${count}: below ${ceiling} ms and near it at times`, () => {
    const seen = longest(failure, count);
    assert.ok(seen < ceiling && seen > ceiling * 0.97, `${seen}`);
  });
}

test('full jitter is spread evenly over its range, not bunched at an end', () => {
  const waits = Array.from({ length: 10_000 }, (_, run) =>
    retryAt(sampleFailure('throttled'), 0, 1, `r${run}:1`, SAMPLE_RETRY),
  );
  const deciles = Array.from({ length: 10 }, (_, index) => waits.filter((one) => Math.floor(one / 100) === index));
  for (const decile of deciles) assert.ok(Math.abs(decile.length - 1_000) < 150, `${decile.length}`);
});

test('the random number of a seed is at least 0 and below 1, whatever the seed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (seed) => {
      const number = fraction(seed);
      assert.ok(number >= 0 && number < 1);
      assert.equal(fraction(seed), number);
    }),
  );
});

test('neighbouring seeds get unrelated numbers', () => {
  const steps = Array.from({ length: 1_000 }, (_, at) => Math.abs(fraction(`run:${at}`) - fraction(`run:${at + 1}`)));
  const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  // Two independent uniform numbers are a third apart on average.
  assert.ok(Math.abs(mean - 1 / 3) < 0.05, `${mean}`);
});
