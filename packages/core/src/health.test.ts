import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURES, type FailureKind } from './failure.ts';
import { createHealthBook, HEALTH_POLICY, type HealthBook } from './health.ts';
import type { Outcome } from './journal.ts';
import type { PlannedTarget } from './plan.ts';
import { SAMPLE_SUCCESS, sampleFailed, sampleTarget } from './testing/samples.ts';

const A = sampleTarget('a');
/** Another model behind the credential of `A`. */
const SIBLING = sampleTarget('a', { id: 'a/sibling', model: 'sibling' });

function call(book: HealthBook, outcome: Outcome, now = 0, target: PlannedTarget = A): void {
  book.settle(target, book.acquire(target, target.credential, now), outcome, now);
}

function calls(book: HealthBook, count: number, outcome: Outcome, now = 0): void {
  for (let index = 0; index < count; index += 1) call(book, outcome, now);
}

const gateOf = (book: HealthBook, now = 0, target = A) => book.view([target], now)[target.id];

test('a target nobody has used is open', () => {
  assert.equal(gateOf(createHealthBook()), undefined);
});

test('five failures of the model close it and not its sibling behind the same key', () => {
  const book = createHealthBook();
  calls(book, 5, sampleFailed('server'));
  assert.equal(gateOf(book)?.by, 'breaker');
  assert.equal(gateOf(book, 0, SIBLING), undefined);
});

test('one verdict on the key closes every model behind it, at once', () => {
  for (const kind of ['quota', 'billing', 'authentication'] as const) {
    const book = createHealthBook();
    call(book, sampleFailed(kind));
    assert.equal(gateOf(book)?.by, 'credential');
    assert.equal(gateOf(book, 0, SIBLING)?.failure.kind, kind);
    assert.equal(gateOf(book, 0, sampleTarget('b')), undefined);
  }
});

test('refusals, bad requests, throttles, cancels and unusable pictures close nothing, however many', () => {
  const ignored = Object.entries(FAILURES).filter(([, row]) => row.breaker === 'ignored');
  for (const [kind] of ignored) {
    const book = createHealthBook();
    calls(book, 50, sampleFailed(kind as FailureKind));
    assert.equal(gateOf(book), undefined, kind);
  }
});

test('local rejections are no evidence: between failures they break no row and trip nothing', () => {
  const book = createHealthBook();
  for (let index = 0; index < 4; index += 1) {
    call(book, sampleFailed('server'));
    calls(book, 10, sampleFailed('queue_full'));
  }
  assert.equal(gateOf(book), undefined);
  call(book, sampleFailed('server'));
  assert.equal(gateOf(book)?.by, 'breaker');
});

test('requests that waited here past their deadline say nothing of the target', () => {
  const book = createHealthBook();
  const clock = { name: 'queue', afterMs: 1_000, setting: 'total_timeout_ms' } as const;
  calls(book, 50, sampleFailed('timeout', { certainty: 'not_sent', clock }));
  assert.equal(gateOf(book), undefined);
});

test('a hint gates the whole target until its time, and a shorter one does not shorten it', () => {
  const book = createHealthBook();
  call(book, sampleFailed('throttled', { notBefore: 9_000 }));
  call(book, sampleFailed('throttled', { notBefore: 3_000 }));
  assert.deepEqual([gateOf(book)?.by, gateOf(book)?.until], ['hint', 9_000]);
  assert.equal(gateOf(book, 9_000), undefined);
  assert.equal(gateOf(book, 0, SIBLING), undefined);
});

test('a closed key is told before a closed model, and a closed model before a hint', () => {
  const book = createHealthBook();
  call(book, sampleFailed('throttled', { notBefore: 400_000 }));
  calls(book, 5, sampleFailed('server'));
  assert.equal(gateOf(book)?.by, 'breaker');
  call(book, sampleFailed('quota'), 0, SIBLING);
  assert.equal(gateOf(book)?.by, 'credential');
});

test('after an opening one probe passes at a time; its success opens the target for all', () => {
  const book = createHealthBook();
  calls(book, 5, sampleFailed('server'));
  const later = gateOf(book)?.until ?? 0;
  const probe = book.acquire(A, A.credential, later);
  assert.ok((gateOf(book, later)?.until ?? 0) > later, 'a second call would pass beside the probe');
  book.settle(A, probe, SAMPLE_SUCCESS, later);
  assert.equal(gateOf(book, later), undefined);
});

test('a probe that was canceled lets the next one pass', () => {
  const book = createHealthBook();
  calls(book, 5, sampleFailed('server'));
  const later = gateOf(book)?.until ?? 0;
  call(book, sampleFailed('canceled', { certainty: 'ambiguous' }), later);
  assert.equal(gateOf(book, later), undefined);
});

test('a late result of a call that began before the opening changes nothing', () => {
  const book = createHealthBook();
  const late = book.acquire(A, A.credential, 0);
  calls(book, 5, sampleFailed('server'));
  const until = gateOf(book)?.until;
  book.settle(A, late, SAMPLE_SUCCESS, 1);
  assert.equal(gateOf(book, 1)?.until, until);
});

test('a model’s own trouble does not keep its key half open', () => {
  const book = createHealthBook();
  call(book, sampleFailed('quota'));
  const later = gateOf(book)?.until ?? 0;
  call(book, sampleFailed('server'), later);
  assert.equal(gateOf(book, later), undefined);
  call(book, SAMPLE_SUCCESS, later);
  assert.equal(book.report(later)[0]?.credentialState, 'closed');
});

test('the report says what is in flight, closed, why, and when each target last did what', () => {
  const book = createHealthBook();
  const open = book.acquire(A, A.credential, 1);
  call(book, SAMPLE_SUCCESS, 2);
  call(book, sampleFailed('throttled', { notBefore: 9_000, message: 'slow down' }), 3);
  const expected = { target: 'a/model', state: 'closed', inFlight: 1, until: 9_000, reason: 'slow down' };
  assert.partialDeepStrictEqual(book.report(4)[0], { ...expected, lastSuccessAt: 2, lastFailureAt: 3 });
  book.settle(A, open, SAMPLE_SUCCESS, 5);
  assert.equal(book.report(5)[0]?.inFlight, 0);
});

test('it remembers as many targets as it may, and forgets the one unused for longest', () => {
  const book = createHealthBook({ ...HEALTH_POLICY, maxTargets: 3 });
  for (const name of ['a', 'b', 'c', 'a', 'd']) call(book, SAMPLE_SUCCESS, 0, sampleTarget(name));
  assert.deepEqual(
    book.report(0).map((one) => one.target),
    ['c/model', 'a/model', 'd/model'],
  );
});

test('reset by hand opens a target, its keys and its hints, and late results of before change nothing', () => {
  const book = createHealthBook();
  const late = book.acquire(A, A.credential, 0);
  calls(book, 5, sampleFailed('server'));
  call(book, sampleFailed('quota'));
  call(book, sampleFailed('throttled', { certainty: 'rejected', notBefore: 9_000 }));
  book.adopt({
    target: A.id,
    credential: A.credential,
    gate: { by: 'breaker', until: 9_000, failure: sampleFailed('server').failure },
  });
  book.reset(A);
  assert.equal(gateOf(book), undefined);
  assert.equal(gateOf(book, 0, SIBLING), undefined);
  book.settle(A, late, sampleFailed('quota'), 0);
  assert.equal(gateOf(book), undefined);
  calls(book, 5, sampleFailed('server'));
  assert.equal(gateOf(book)?.by, 'breaker');
});

test('a drained target takes nothing until it is resumed, and what reset opens it is not that', () => {
  const book = createHealthBook();
  book.drain(A.id, true);
  assert.deepEqual(book.drained(), [A.id]);
  assert.deepEqual(book.openCredentials(A, 0), []);
  book.reset(A);
  for (const now of [0, 1e9]) assert.ok((gateOf(book, now)?.until ?? 0) > now, 'it is looked at again later');
  assert.equal(gateOf(book, 0, SIBLING), undefined);
  book.drain(A.id, false);
  assert.equal(gateOf(book), undefined);
});
