import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Certainty, FAILURES, type Failure, type FailureKind } from '../failure.ts';
import { billed } from '../http-answer.ts';
import { sampleFailure } from '../testing/samples.ts';
import { chatAdvice, chatHttpAnswer, chatMayRepeat } from './http-answer.ts';

const KINDS = Object.keys(FAILURES) as readonly FailureKind[];
const CERTAINTIES: readonly Certainty[] = ['not_sent', 'rejected', 'failed', 'ambiguous', 'completed'];
const EVERY = KINDS.flatMap((kind) => CERTAINTIES.map((certainty) => sampleFailure(kind, { certainty })));

type Expected = readonly [status: number, type: string, code: string];

/** Of every kind, and the same whatever the certainty, but for the one kind in `UNSENT`. */
const ANSWERS: Readonly<Record<FailureKind, Expected>> = {
  throttled: [429, 'rate_limit_error', 'rate_limit_exceeded'],
  quota: [429, 'rate_limit_error', 'insufficient_quota'],
  billing: [402, 'permission_error', 'insufficient_balance'],
  authentication: [502, 'server_error', 'provider_authentication'],
  permission: [403, 'permission_error', 'permission_denied'],
  not_found: [404, 'not_found_error', 'model_not_found'],
  retired: [404, 'not_found_error', 'model_retired'],
  invalid: [400, 'invalid_request_error', 'invalid_value'],
  capability: [400, 'invalid_request_error', 'capability_missing'],
  too_large: [413, 'invalid_request_error', 'request_too_large'],
  image_url: [400, 'invalid_request_error', 'invalid_image_url'],
  image_format: [400, 'invalid_request_error', 'unsupported_format'],
  policy: [400, 'invalid_request_error', 'content_policy_violation'],
  overloaded: [503, 'server_error', 'model_unavailable'],
  server: [502, 'server_error', 'server_error'],
  out_of_memory: [502, 'server_error', 'out_of_memory'],
  network: [502, 'server_error', 'connection_lost'],
  certificate: [502, 'server_error', 'provider_unreachable'],
  timeout: [504, 'server_error', 'timeout'],
  empty: [502, 'server_error', 'empty_answer'],
  corrupt: [502, 'server_error', 'truncated_answer'],
  suspect: [502, 'server_error', 'suspect_answer'],
  storage: [500, 'server_error', 'storage_failed'],
  interrupted: [502, 'server_error', 'interrupted'],
  canceled: [499, 'invalid_request_error', 'canceled'],
  budget: [402, 'permission_error', 'budget_exceeded'],
  queue_full: [429, 'rate_limit_error', 'queue_full'],
  unavailable: [503, 'server_error', 'model_unavailable'],
};
const UNSENT: Partial<Record<FailureKind, Expected>> = { network: [502, 'server_error', 'provider_unreachable'] };

function answerTo(failure: Failure): Expected {
  const { status, type, code } = chatHttpAnswer(failure);
  return [status, type, code];
}

for (const failure of EVERY) {
  const { kind, certainty } = failure;
  const expected = (certainty === 'not_sent' ? UNSENT[kind] : undefined) ?? ANSWERS[kind];
  test(`${kind}, ${certainty}: ${expected.join(' ')}`, () => {
    assert.deepEqual(answerTo(failure), expected);
    assert.deepEqual(Object.keys(chatHttpAnswer(failure)).sort(), ['code', 'status', 'type']);
  });
}

test('a provider’s own 5xx stays what it is, whether or not it says that the work was tried', () => {
  for (const status of [500, 501, 502, 503, 504, 520, 599]) {
    for (const certainty of CERTAINTIES) {
      const [told] = answerTo(sampleFailure('server', { status, certainty }));
      assert.equal(told, status);
    }
  }
  assert.deepEqual(answerTo(sampleFailure('server', { status: 500, code: 'oops' })), [500, 'server_error', 'oops']);
  assert.equal(chatHttpAnswer(sampleFailure('out_of_memory', { status: 500 })).status, 500);
});

test('what was not a 5xx of the provider’s becomes none of them', () => {
  for (const status of [200, 302, 404, 429]) {
    assert.equal(chatHttpAnswer(sampleFailure('server', { status, certainty: 'ambiguous' })).status, 502);
  }
  assert.equal(chatHttpAnswer(sampleFailure('overloaded', { status: 529 })).status, 503);
  assert.equal(chatHttpAnswer(sampleFailure('policy', { status: 500 })).status, 400);
});

test('a conflict stays a conflict', () => {
  const conflict = sampleFailure('server', { status: 409, certainty: 'ambiguous' });
  assert.deepEqual(answerTo(conflict), [409, 'invalid_request_error', 'conflict']);
  assert.match(chatAdvice(conflict), /conflict/);
});

test('a provider’s own code is passed on where the request or the account is at fault', () => {
  const code = 'context_length_exceeded';
  assert.deepEqual(answerTo(sampleFailure('invalid', { code, status: 400 })), [400, 'invalid_request_error', code]);
  for (const kind of ['permission', 'not_found', 'too_large', 'capability'] as const)
    assert.equal(chatHttpAnswer(sampleFailure(kind, { code: 'in_other_words' })).code, 'in_other_words');
  assert.equal(chatHttpAnswer(sampleFailure('throttled', { code: '1302' })).code, 'rate_limit_exceeded');
});

test('only a 429 or 503 that spent nothing and says when may be repeated by the caller', () => {
  const may = new Set<string>();
  for (const failure of EVERY) {
    assert.equal(chatMayRepeat(failure), false, `${failure.kind} says nothing of when`);
    const known = { ...failure, notBefore: 1 };
    if (!chatMayRepeat(known)) continue;
    may.add(failure.kind);
    assert.equal(billed(failure), 'no');
    assert.ok([429, 503].includes(chatHttpAnswer(known).status));
  }
  assert.deepEqual([...may].sort(), ['overloaded', 'queue_full', 'throttled', 'unavailable']);
  const unclear = sampleFailure('server', { status: 503, certainty: 'ambiguous', notBefore: 1 });
  assert.equal(chatMayRepeat(unclear), false);
});

test('the advice is in whole sentences, and speaks of pictures only where one was sent', () => {
  for (const failure of EVERY) {
    const advice = chatAdvice(failure);
    assert.match(advice, /^[A-Z].*\.$/, failure.kind);
    assert.doesNotMatch(advice, /\bgeneration\b|billed again|paying again|suspect: accept/, failure.kind);
    if (failure.kind === 'image_url' || failure.kind === 'image_format') continue;
    assert.doesNotMatch(advice, /picture|image|prompt/i, failure.kind);
  }
});

test('what was not billed is given no advice about a bill', () => {
  for (const failure of EVERY.filter((one) => billed(one) === 'no')) {
    assert.doesNotMatch(chatAdvice(failure), /may be billed/, `${failure.kind} ${failure.certainty}`);
  }
  assert.match(chatAdvice(sampleFailure('network', { certainty: 'ambiguous' })), /may be billed\.$/);
  assert.match(chatAdvice(sampleFailure('canceled', { certainty: 'ambiguous' })), /may be billed\.$/);
});

test('a clock of the provider’s own names no setting of ours', () => {
  const failure = sampleFailure('timeout', { status: 408, certainty: 'ambiguous' });
  assert.match(chatAdvice(failure), /^The provider stopped waiting by a clock of its own; send the request again\./);
  const ours = sampleFailure('timeout', { clock: { name: 'idle', afterMs: 1, setting: 'idle_timeout_ms' } });
  assert.match(chatAdvice(ours), /^The named clock ran out/);
});
