import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Certainty, FAILURES, type FailureKind, type FailureRow } from './failure.ts';
import { adviceFor, billed, callerMayRepeat, httpAnswer } from './http-answer.ts';
import { sampleFailure } from './testing/samples.ts';

const KINDS = Object.keys(FAILURES) as readonly FailureKind[];
const CERTAINTIES: readonly Certainty[] = ['not_sent', 'rejected', 'failed', 'ambiguous', 'completed'];
const rows: Readonly<Record<FailureKind, FailureRow>> = FAILURES;

/** The table of statuses for paid media: kind and certainty, then status and code. */
const answers: readonly (readonly [FailureKind, Certainty, number, string])[] = [
  ['invalid', 'rejected', 400, 'invalid_value'],
  ['capability', 'rejected', 400, 'capability_missing'],
  ['too_large', 'rejected', 413, 'file_too_large'],
  ['image_url', 'rejected', 400, 'invalid_image_url'],
  ['image_format', 'rejected', 400, 'unsupported_format'],
  ['policy', 'rejected', 400, 'content_policy_violation'],
  ['policy', 'completed', 400, 'content_policy_violation'],
  ['budget', 'not_sent', 402, 'budget_exceeded'],
  ['billing', 'rejected', 402, 'insufficient_balance'],
  ['permission', 'rejected', 403, 'permission_denied'],
  ['not_found', 'rejected', 404, 'model_not_found'],
  ['retired', 'rejected', 404, 'model_retired'],
  ['throttled', 'rejected', 429, 'rate_limit_exceeded'],
  ['queue_full', 'not_sent', 429, 'queue_full'],
  ['quota', 'rejected', 429, 'insufficient_quota'],
  ['timeout', 'ambiguous', 424, 'outcome_unknown'],
  ['network', 'ambiguous', 424, 'outcome_unknown'],
  ['interrupted', 'ambiguous', 424, 'outcome_unknown'],
  ['canceled', 'ambiguous', 424, 'outcome_unknown'],
  ['server', 'failed', 424, 'generation_failed'],
  ['server', 'rejected', 502, 'generation_failed'],
  ['out_of_memory', 'failed', 424, 'out_of_memory'],
  ['out_of_memory', 'rejected', 424, 'out_of_memory'],
  ['policy', 'failed', 400, 'content_policy_violation'],
  ['network', 'rejected', 502, 'provider_unreachable'],
  ['timeout', 'rejected', 504, 'timeout'],
  ['interrupted', 'rejected', 502, 'interrupted'],
  ['empty', 'rejected', 502, 'no_image_returned'],
  ['corrupt', 'rejected', 502, 'corrupt_image'],
  ['storage', 'rejected', 500, 'storage_failed'],
  ['empty', 'completed', 424, 'no_image_returned'],
  ['suspect', 'completed', 424, 'suspect_image'],
  ['suspect', 'rejected', 424, 'suspect_image'],
  ['corrupt', 'completed', 424, 'corrupt_image'],
  ['authentication', 'rejected', 502, 'provider_authentication'],
  ['network', 'not_sent', 502, 'provider_unreachable'],
  ['certificate', 'not_sent', 502, 'provider_unreachable'],
  ['overloaded', 'rejected', 503, 'model_unavailable'],
  ['unavailable', 'not_sent', 503, 'model_unavailable'],
  ['timeout', 'not_sent', 504, 'timeout'],
];

for (const [kind, certainty, status, code] of answers) {
  test(`${kind}, ${certainty}: ${status} ${code}`, () => {
    const answer = httpAnswer(sampleFailure(kind, { certainty }));
    assert.deepEqual([answer.status, answer.code], [status, code]);
  });
}

test('a 429 or 5xx, which SDKs repeat by themselves, stands only where nothing can have been billed', () => {
  for (const kind of KINDS) {
    for (const certainty of CERTAINTIES) {
      const failure = sampleFailure(kind, { certainty });
      const { status } = httpAnswer(failure);
      // What is ours alone is never the end of work that was done.
      if (rows[kind].certainty === 'not_sent' && certainty === 'completed') continue;
      if (certainty === 'completed' && rows[kind].certainty !== 'completed') continue;
      if (status === 429 || status >= 500) assert.equal(billed(failure), 'no', `${kind} ${certainty}`);
    }
  }
});

test('only a 429 or 503 that spent nothing and says when may be repeated by the caller', () => {
  for (const kind of KINDS) {
    for (const certainty of CERTAINTIES) {
      const silent = sampleFailure(kind, { certainty });
      assert.equal(callerMayRepeat(silent), false, `${kind} says nothing of when`);
      if (!callerMayRepeat({ ...silent, notBefore: 1 })) continue;
      assert.ok(['throttled', 'queue_full', 'overloaded', 'unavailable'].includes(kind), kind);
      assert.equal(billed(silent), 'no');
    }
  }
});

test('what is never repeated on the same target is not counted on for a caller’s repeat either', () => {
  for (const kind of KINDS) {
    if (rows[kind].breaker === 'credential') {
      assert.equal(callerMayRepeat(sampleFailure(kind, { notBefore: 1 })), false, kind);
    }
  }
});

test('advice for what was not billed speaks of no charge', () => {
  for (const kind of KINDS) {
    const advice = adviceFor(sampleFailure(kind, { certainty: 'rejected' }));
    assert.doesNotMatch(advice, /may be billed|may have billed|may have been billed|paying again/, kind);
  }
});

test('a provider’s own code is passed on where the request or the account is at fault', () => {
  assert.equal(httpAnswer(sampleFailure('invalid', { code: 'bad_size' })).code, 'bad_size');
  assert.equal(httpAnswer(sampleFailure('permission', { code: 'verify_first' })).code, 'verify_first');
  assert.equal(httpAnswer(sampleFailure('server', { code: 'oops' })).code, 'generation_failed');
});

test('every kind advises in whole sentences and answers with an error status', () => {
  for (const [kind, row] of Object.entries(rows)) {
    assert.match(row.advice, /^[A-Z].*\.$/, kind);
    assert.ok(row.status >= 400 && row.status <= 599, kind);
    assert.match(row.code, /^[a-z_]+$/, kind);
  }
});

test('ours never trip a breaker, and a refusal never falls through to another target', () => {
  for (const [kind, row] of Object.entries(rows)) {
    if (row.certainty === 'completed') assert.equal(row.breaker, 'ignored', kind);
  }
  for (const kind of ['canceled', 'budget', 'queue_full', 'unavailable', 'interrupted'] as const) {
    assert.equal(rows[kind].breaker, 'ignored', kind);
  }
  assert.equal(rows.policy.fallback || rows.policy.retry, false);
});
