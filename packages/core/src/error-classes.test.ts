import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  APIConnectionError,
  APITimeoutError,
  AuthenticationError,
  BadRequestError,
  CanceledError,
  ConflictError,
  errorFor,
  InternalServerError,
  NotFoundError,
  PermissionError,
  RateLimitError,
} from './error-classes.ts';
import { OnetakeError } from './errors.ts';
import { type Certainty, FAILURES, type FailureKind } from './failure.ts';
import { sampleEvents, sampleFailed, sampleFailure } from './testing/samples.ts';

const CERTAINTIES: readonly Certainty[] = ['not_sent', 'rejected', 'failed', 'ambiguous', 'completed'];

/** What a program catches for each cause, by the names in MISSION and OpenAI's SDK. */
const CAUGHT: Readonly<Record<FailureKind, string>> = {
  throttled: 'RateLimitError',
  quota: 'RateLimitError',
  queue_full: 'RateLimitError',
  billing: 'PermissionError',
  budget: 'PermissionError',
  permission: 'PermissionError',
  authentication: 'AuthenticationError',
  not_found: 'NotFoundError',
  retired: 'NotFoundError',
  invalid: 'BadRequestError',
  capability: 'BadRequestError',
  too_large: 'BadRequestError',
  image_url: 'BadRequestError',
  image_format: 'BadRequestError',
  policy: 'BadRequestError',
  network: 'APIConnectionError',
  certificate: 'APIConnectionError',
  timeout: 'APITimeoutError',
  overloaded: 'InternalServerError',
  server: 'InternalServerError',
  out_of_memory: 'InternalServerError',
  empty: 'InternalServerError',
  corrupt: 'InternalServerError',
  suspect: 'InternalServerError',
  storage: 'InternalServerError',
  unavailable: 'InternalServerError',
  interrupted: 'OnetakeError',
  canceled: 'AbortError',
};

suite('the class of an error is that of its cause', () => {
  const kinds = Object.keys(FAILURES) as FailureKind[];

  test('every kind has one, whatever the certainty, for pictures and for chat', () => {
    assert.deepEqual(Object.keys(CAUGHT).sort(), kinds.toSorted());
    for (const kind of kinds) {
      for (const certainty of CERTAINTIES) {
        for (const asked of ['images', 'chat'] as const) {
          const failure = sampleFailure(kind, { certainty });
          const error = errorFor(failure, { of: asked });
          assert.equal(error.name, CAUGHT[kind], `${kind}, ${certainty}`);
          assert.ok(error instanceof OnetakeError && error instanceof Error);
          assert.equal(error.failure, failure);
          assert.equal(error.message, failure.message);
          assert.ok(error.code !== '' && error.advice !== '');
        }
      }
    }
  });

  test('instanceof tells them apart, and a timeout is a connection that was lost', () => {
    const classes = [RateLimitError, AuthenticationError, PermissionError, NotFoundError, BadRequestError];
    const others = [InternalServerError, APIConnectionError, CanceledError];
    const samples: readonly FailureKind[] = ['throttled', 'authentication', 'permission', 'not_found', 'invalid'];
    const otherSamples: readonly FailureKind[] = ['server', 'network', 'canceled'];
    for (const [index, kind] of [...samples, ...otherSamples].entries()) {
      const error = errorFor(sampleFailure(kind));
      const found = [...classes, ...others].map((Class) => error instanceof Class);
      assert.deepEqual(found.indexOf(true), index, kind);
      assert.equal(found.lastIndexOf(true), index, kind);
    }
    const timeout = errorFor(sampleFailure('timeout'));
    assert.ok(timeout instanceof APITimeoutError && timeout instanceof APIConnectionError);
    assert.ok(!(errorFor(sampleFailure('network')) instanceof APITimeoutError));
  });

  test('the provider’s status is told where it answered, and its 409 is a conflict', () => {
    assert.equal(errorFor(sampleFailure('server', { status: 500 })).status, 500);
    assert.equal(errorFor(sampleFailure('network')).status, undefined);
    const conflict = errorFor(sampleFailure('server', { status: 409, certainty: 'ambiguous' }));
    assert.ok(conflict instanceof ConflictError);
    assert.deepEqual([conflict.name, conflict.status, conflict.failure.kind], ['ConflictError', 409, 'server']);
  });

  test('journals and the report of a refusal come along', () => {
    const events = sampleEvents(['a', sampleFailed('policy')]);
    const error = errorFor(sampleFailure('policy', { stage: 'input' }), { journals: [events] });
    assert.deepEqual(error.journals, [events]);
    assert.equal(error.refusal?.stage, 'input');
    assert.equal(errorFor(sampleFailure('server')).refusal, undefined);
  });
});

suite('an abort', () => {
  test('is known by its name and by the signal’s reason, and still says what may be billed', () => {
    const stop = new AbortController();
    stop.abort();
    const error = errorFor(sampleFailure('canceled', { certainty: 'ambiguous' }), { signal: stop.signal });
    assert.ok(error instanceof CanceledError && error instanceof OnetakeError);
    assert.deepEqual([error.name, error.failure.certainty, error.code], ['AbortError', 'ambiguous', 'outcome_unknown']);
    assert.equal(error.cause, stop.signal.reason);
    assert.ok(error.cause instanceof DOMException && error.cause.name === 'AbortError');
  });

  test('is the end whatever went wrong before it, and a signal that is not aborted changes nothing', () => {
    const reason = new Error('the page was closed');
    const stop = new AbortController();
    assert.ok(errorFor(sampleFailure('throttled'), { signal: stop.signal }) instanceof RateLimitError);
    stop.abort(reason);
    const error = errorFor(sampleFailure('throttled'), { signal: stop.signal });
    assert.ok(error instanceof CanceledError);
    assert.deepEqual([error.cause, error.failure.kind], [reason, 'throttled']);
  });
});
