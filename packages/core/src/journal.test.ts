import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY_RUN, type Event, foldRun, type Outcome, openAttempt, paidAttempts } from './journal.ts';
import {
  SAMPLE_ASSET,
  SAMPLE_SUCCESS,
  sampleEvents,
  sampleFailed,
  sampleFailure,
  sampleRun,
} from './testing/samples.ts';

const STARTED: Event = { type: 'attempt-started', at: 10, attempt: 1, target: 'a/model' };

test('a whole run folds to its attempts and its outcome', () => {
  const failed = sampleFailed('server');
  const events: readonly Event[] = [
    { type: 'target-skipped', at: 5, target: 'z/model', reason: 'closed' },
    STARTED,
    { type: 'handle-received', at: 11, attempt: 1, handle: { id: 'j' }, pollAt: 20 },
    { type: 'polled', at: 20, attempt: 1, pollAt: 30 },
    { type: 'clock-fired', at: 25, attempt: 1, clock: 'total', failure: sampleFailure('timeout') },
    { type: 'attempt-ended', at: 31, attempt: 1, outcome: failed, requestId: 'r1' },
    { type: 'waiting', at: 31, target: 'a/model', until: 40, reason: 'backoff' },
    { type: 'finished', at: 41, outcome: failed },
  ];
  assert.deepEqual(foldRun(events), {
    ...{ length: 8, partialSent: false, finished: failed, finishedAt: 41 },
    attempts: [
      {
        ...{ attempt: 1, target: 'a/model', startedAt: 10, endedAt: 31, outcome: failed, requestId: 'r1' },
        ...{ handle: { id: 'j' }, pollAt: 30, movedAt: 20, overdue: sampleFailure('timeout') },
      },
    ],
  });
});

test('a look that failed is no news of the job', () => {
  const failure = sampleFailure('network');
  const polled: Event = { type: 'polled', at: 30, attempt: 1, pollAt: 40, failure };
  const handle: Event = { type: 'handle-received', at: 11, attempt: 1, handle: {}, pollAt: 20 };
  assert.equal(foldRun([STARTED, handle, polled]).attempts[0]?.movedAt, 11);
});

test('what is made where nothing is billed is paid by nobody, open, done or lost', () => {
  const free: Event = { ...STARTED, free: true };
  const done = (outcome: Outcome): Event => ({ type: 'attempt-ended', at: 20, attempt: 1, outcome });
  for (const events of [[free], [free, done(SAMPLE_SUCCESS)], [free, done(sampleFailed('empty'))]])
    assert.equal(paidAttempts(foldRun(events)), 0);
  assert.equal(paidAttempts(foldRun([STARTED])), 1);
});

test('folding on from a prefix gives what folding everything gives, and changes nothing it was given', () => {
  const events = sampleEvents(['a', sampleFailed('network')], ['b', SAMPLE_SUCCESS]);
  for (let length = 0; length <= events.length; length += 1) {
    const before = Object.freeze(foldRun(events.slice(0, length)));
    assert.deepEqual(foldRun(events.slice(length), before), foldRun(events));
  }
  assert.equal(EMPTY_RUN.attempts.length, 0);
});

test('an attempt is open from its start to its end', () => {
  assert.equal(openAttempt(EMPTY_RUN), undefined);
  assert.equal(openAttempt(foldRun([STARTED]))?.attempt, 1);
  assert.equal(openAttempt(sampleRun(['a', sampleFailed('network')])), undefined);
});

test('paid is everything but what provably did no work', () => {
  const run = sampleRun(
    ['a', sampleFailed('network')],
    ['a', sampleFailed('throttled')],
    ['a', sampleFailed('server')],
    ['a', sampleFailed('timeout')],
    ['a', sampleFailed('empty')],
    ['a', SAMPLE_SUCCESS],
  );
  assert.equal(paidAttempts(run), 4);
  assert.equal(paidAttempts(foldRun([STARTED])), 1);
});

test('a partial picture on its way to the caller is remembered', () => {
  const sent: Event = { type: 'partial-sent', at: 12, attempt: 1, index: 0, asset: SAMPLE_ASSET, event: {} };
  assert.equal(foldRun([STARTED, sent]).partialSent, true);
});
