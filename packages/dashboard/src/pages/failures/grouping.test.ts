import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainableStart, type FailureGroup } from '../../api/failures.ts';
import { chosen, explainable, periodOf } from './grouping.ts';

const group = (given: Partial<FailureGroup>): FailureGroup => ({
  ...{
    fingerprint: 'f',
    count: 1,
    first_at: 1,
    last_at: 1,
    target: null,
    kind: 'server',
    code: null,
    message: 'it broke',
  },
  ...{ keys: ['local'], generation: 'gen_1', advice: 'look' },
  ...given,
});

test('the latest or the most frequent first, and only those that have the text', () => {
  const often = group({ fingerprint: 'often', count: 9, last_at: 1, target: 'a/b' });
  const late = group({ fingerprint: 'late', count: 1, last_at: 2, keys: ['Shop'] });
  const names = (found: readonly FailureGroup[]) => found.map(({ fingerprint }) => fingerprint);
  assert.deepEqual(names(chosen([often, late], '', 'latest')), ['late', 'often']);
  assert.deepEqual(names(chosen([often, late], '', 'most')), ['often', 'late']);
  assert.deepEqual(names(chosen([often, late], ' shop ', 'most')), ['late']);
  assert.deepEqual(names(chosen([often, late], 'A/B', 'most')), ['often']);
});

test('what is explained is an answer, with a code where there is one', () => {
  assert.equal(explainable({ code: null, message: 'x' }), '{"error":{"message":"x"}}');
  assert.equal(explainable({ code: 'y', message: 'x' }), '{"error":{"message":"x","code":"y"}}');
});

test('a period that nobody offers is the usual one', () => {
  assert.deepEqual([null, '1h', 'ever'].map(periodOf), ['7d', '1h', '7d']);
});

test('however long an error is, its beginning goes into an address', () => {
  assert.equal(explainableStart('short'), 'short');
  for (const text of ['x'.repeat(100_000), '狐'.repeat(100_000), '🦊'.repeat(50_000)]) {
    const encoded = encodeURIComponent(explainableStart(text));
    assert.ok(encoded.length <= 12_000 && encoded.length > 9_000, String(encoded.length));
  }
});
