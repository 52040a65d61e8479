import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Certainty, FAILURES, type FailureKind } from '../failure.ts';
import type { Attempt, Outcome, Run } from '../journal.ts';
import { EMPTY_RUN } from '../journal.ts';
import type { Payment } from '../plan.ts';
import { SAMPLE_SUCCESS, sampleFailed, sampleFailure, samplePolicy } from '../testing/samples.ts';
import { allowedPaidAttempts, mayPayAgain } from './budget.ts';

/** A run whose attempts ended so; undefined is one that is still open. */
function runOf(...outcomes: readonly (Outcome | undefined)[]): Run {
  const attempts = outcomes.map((outcome, index): Attempt => {
    const started = { attempt: index + 1, target: 'a/model', startedAt: index };
    return outcome === undefined ? started : { ...started, endedAt: index, outcome };
  });
  return { ...EMPTY_RUN, length: attempts.length * 2, attempts };
}

const paid = sampleFailed('server');

/** After one failure of this certainty, with room for more payments: may there be another attempt? */
const table: readonly (readonly [Certainty, Readonly<Record<Payment, boolean>>])[] = [
  ['not_sent', { strict: true, standard: true, available: true }],
  ['rejected', { strict: true, standard: true, available: true }],
  ['failed', { strict: false, standard: true, available: true }],
  ['ambiguous', { strict: false, standard: false, available: true }],
  ['completed', { strict: false, standard: false, available: false }],
];

for (const [certainty, row] of table) {
  for (const payment of ['strict', 'standard', 'available'] as const) {
    test(`${certainty} under ${payment}: ${row[payment] ? 'may' : 'may not'} be followed by another attempt`, () => {
      const outcome = sampleFailed('server', { certainty });
      const policy = samplePolicy({ payment, maxPaidAttempts: 3 });
      assert.equal(mayPayAgain(outcome.failure, runOf(outcome), policy), row[payment]);
    });

    test(`${certainty} under ${payment}: no attempt once every payment is used up`, () => {
      for (const maxPaidAttempts of [1, 2, 3]) {
        const spent = runOf(...Array.from({ length: maxPaidAttempts }, () => paid), sampleFailed('throttled'));
        const policy = samplePolicy({ payment, maxPaidAttempts });
        assert.equal(mayPayAgain(sampleFailure('throttled', { certainty }), spent, policy), false);
      }
    });
  }
}

test('free failures use up no payment, however many there are', () => {
  const free = runOf(...Array.from({ length: 50 }, () => sampleFailed('network')));
  assert.equal(
    mayPayAgain(sampleFailure('network'), free, samplePolicy({ payment: 'strict', maxPaidAttempts: 1 })),
    true,
  );
});

test('an attempt without an outcome counts as paid: it may be running', () => {
  const policy = samplePolicy({ payment: 'available', maxPaidAttempts: 2 });
  assert.equal(mayPayAgain(sampleFailure('server'), runOf(paid, undefined), policy), false);
  assert.equal(mayPayAgain(sampleFailure('timeout'), runOf(undefined), policy), true);
});

test('a success counts as paid', () => {
  const policy = samplePolicy({ maxPaidAttempts: 1 });
  assert.equal(mayPayAgain(sampleFailure('throttled'), runOf(SAMPLE_SUCCESS), policy), false);
});

test('an interrupted attempt is never repeated, even under available with payments left', () => {
  const policy = samplePolicy({ payment: 'available', maxPaidAttempts: 9 });
  const outcome = sampleFailed('interrupted');
  assert.equal(mayPayAgain(outcome.failure, runOf(outcome), policy), false);
});

test('no kind of failure is paid for twice under strict', () => {
  for (const kind of Object.keys(FAILURES) as FailureKind[]) {
    for (const [certainty] of table.slice(2)) {
      const outcome = sampleFailed(kind, { certainty });
      const policy = samplePolicy({ payment: 'strict', maxPaidAttempts: allowedPaidAttempts('strict', 9) });
      assert.equal(mayPayAgain(outcome.failure, runOf(outcome), policy), false, `${kind} ${certainty}`);
    }
  }
});

test('how many attempts may be billed: strict one, standard up to two, available what was asked', () => {
  assert.deepEqual(
    [undefined, 1, 2, 5].map((asked) => allowedPaidAttempts('strict', asked)),
    [1, 1, 1, 1],
  );
  assert.deepEqual(
    [undefined, 1, 2, 5].map((asked) => allowedPaidAttempts('standard', asked)),
    [2, 1, 2, 2],
  );
  assert.deepEqual(
    [undefined, 1, 2, 5].map((asked) => allowedPaidAttempts('available', asked)),
    [2, 1, 2, 5],
  );
});
