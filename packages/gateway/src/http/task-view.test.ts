import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, Failure, Outcome } from '@onetake/core';
import { samplePlan } from '../store/contract/samples.ts';
import {
  completedSnapshot,
  endEvents,
  failedSnapshot,
  progressEvent,
  sampleImage,
  sampleSnapshot,
  startedEvent,
} from '../testing/task-samples.ts';
import { progressOf, shownStatus, taskRowView, taskView } from './task-view.ts';

const ASSETS = 'https://pictures.example/v1/assets';
const OPTIONS = { assetsUrl: ASSETS };
const MADE: Outcome = { ok: true, images: [sampleImage()] };
const UNKNOWN: Failure = { kind: 'interrupted', certainty: 'ambiguous', message: 'stopped' };

function partial(index: number): Event {
  return { type: 'partial-sent', at: 1_600, attempt: 1, index, asset: sampleImage().asset, event: {} };
}

test('a task that waits tells its place in the queue and that nothing was spent', () => {
  const position = { position: 3, etaMs: 7_200.4 };
  assert.deepEqual(taskView(sampleSnapshot(), { ...OPTIONS, position }), {
    id: 'gen_1',
    object: 'image.generation.task',
    status: 'pending',
    progress: 0,
    created: 1,
    model: 'image-best',
    queue: { position: 3, eta_ms: 7_201 },
    onetake: { generation: 'gen_1', attempts: 0, paid_attempts: 0, price_usd: 0, price_basis: 'none' },
  });
  const unknown = taskView(sampleSnapshot(), { ...OPTIONS, position: { position: 2, etaMs: undefined } });
  assert.deepEqual(unknown.queue, { position: 2, eta_ms: null });
});

test('what was taken from the queue and not yet sent still waits, and is next', () => {
  const taken = sampleSnapshot({ status: 'processing' });
  assert.equal(shownStatus(taken), 'pending');
  assert.deepEqual(taskView(taken, OPTIONS).queue, { position: 1, eta_ms: null });
  const skipped: Event = { type: 'target-skipped', at: 1_400, target: 'a/b', reason: 'closed' };
  assert.equal(shownStatus({ ...taken, journals: [[skipped], []] }), 'pending');
  assert.equal(shownStatus({ ...taken, journals: [[skipped], [startedEvent()]] }), 'processing');
});

test('a task at work tells who works on it, how far it is and in which stage, and has no queue', () => {
  const handle: Event = {
    type: 'handle-received',
    at: 1_600,
    attempt: 1,
    handle: { id: 'j' },
    pollAt: 2_000,
    progress: 12.7,
    stage: 'cold_start',
  };
  const view = taskView(sampleSnapshot({ status: 'processing', journals: [[startedEvent(), handle]] }), OPTIONS);
  assert.deepEqual([view.status, view.progress, 'queue' in view, 'data' in view], ['processing', 12, false, false]);
  assert.deepEqual(view.onetake, {
    generation: 'gen_1',
    provider: 'sandbox',
    model: 'ok',
    attempts: 1,
    paid_attempts: 1,
    price_usd: null,
    price_basis: 'unknown',
    possible_charges: 1,
    possible_usd: 0.04,
    stage: 'cold_start',
  });
});

test('a completed task is an images answer with links', () => {
  const view = taskView(completedSnapshot(), OPTIONS);
  assert.deepEqual([view.status, view.progress], ['completed', 100]);
  assert.deepEqual(view.data, [{ url: `${ASSETS}/${'a'.repeat(64)}.png`, revised_prompt: 'a redder fox' }]);
  assert.deepEqual([view.size, view.output_format, view.usage], ['64x48', 'png', { total_tokens: 8 }]);
  assert.deepEqual(view.onetake, {
    generation: 'gen_1',
    provider: 'sandbox',
    model: 'ok',
    attempts: 1,
    paid_attempts: 1,
    price_usd: 0.04,
    price_basis: 'per-image',
    billed: 'yes',
    images: [{ sha256: 'a'.repeat(64), bytes: 3, width: 64, height: 48, type: 'png', seed: 7 }],
  });
});

test('pictures that are missing are listed beside those there are', () => {
  const journals = [
    [startedEvent(), ...endEvents(MADE)],
    [startedEvent(), ...endEvents({ ok: false, failure: UNKNOWN })],
  ];
  const view = taskView(sampleSnapshot({ status: 'completed', billed: 'maybe', journals }), OPTIONS);
  const { missing, billed } = view.onetake as { missing: readonly { code: string }[]; billed: string };
  assert.deepEqual([missing.map(({ code }) => code), billed], [['outcome_unknown'], 'maybe']);
});

test('a failed task tells the error as OpenAI does, and what it may have cost and what to do', () => {
  const failure: Failure = { ...UNKNOWN, requestId: 'req_up', notBefore: 5_000 };
  const view = taskView(failedSnapshot(failure), OPTIONS);
  assert.deepEqual(view.error, { message: 'stopped', type: 'server_error', code: 'outcome_unknown' });
  const { advice, ...onetake } = view.onetake as { advice: string };
  assert.match(advice, /look it up/);
  assert.deepEqual(onetake, {
    generation: 'gen_1',
    provider: 'sandbox',
    model: 'ok',
    attempts: 1,
    paid_attempts: 1,
    price_usd: null,
    price_basis: 'unknown',
    possible_charges: 1,
    possible_usd: 0.04,
    billed: 'maybe',
    kind: 'interrupted',
    certainty: 'ambiguous',
    provider_request_id: 'req_up',
    retry_after_ms: 3_000,
  });
});

test('the seven codes of tasks are told as they are, each with advice', () => {
  const codes: readonly (readonly [Failure['kind'], Failure['certainty'], string])[] = [
    ['overloaded', 'rejected', 'model_unavailable'],
    ['server', 'failed', 'generation_failed'],
    ['timeout', 'not_sent', 'timeout'],
    ['policy', 'rejected', 'content_policy_violation'],
    ['image_url', 'rejected', 'invalid_image_url'],
    ['too_large', 'rejected', 'file_too_large'],
    ['image_format', 'rejected', 'unsupported_format'],
  ];
  for (const [kind, certainty, code] of codes) {
    const { error, onetake } = taskView(failedSnapshot({ kind, certainty, message: kind }), OPTIONS);
    assert.equal((error as { code: string }).code, code);
    assert.match((onetake as { advice: string }).advice, /^[A-Z].*\.$/);
  }
});

test('a canceled task says whether the end was confirmed; one that is only asked to end says so', () => {
  const cancelOf = (failure: Partial<Failure>) => {
    const whole: Failure = { kind: 'canceled', certainty: 'not_sent', message: 'canceled', ...failure };
    return (taskView(failedSnapshot(whole, 'canceled'), OPTIONS).onetake as { cancel?: string }).cancel;
  };
  assert.equal(cancelOf({}), 'confirmed');
  assert.equal(cancelOf({ certainty: 'rejected', cancel: 'confirmed' }), 'confirmed');
  assert.equal(cancelOf({ certainty: 'ambiguous', cancel: 'unconfirmed' }), 'unconfirmed');
  assert.equal(cancelOf({ certainty: 'ambiguous' }), 'unconfirmed');
  const asked = sampleSnapshot({ status: 'processing', journals: [[startedEvent()]], cancelRequestedAt: 1_700 });
  assert.equal((taskView(asked, OPTIONS).onetake as { cancel?: string }).cancel, 'requested');
  assert.equal((taskView(completedSnapshot(), OPTIONS).onetake as { cancel?: string }).cancel, undefined);
});

test('what was canceled in the queue without a journal is told all the same', () => {
  const view = taskView(sampleSnapshot({ status: 'canceled', finishedAt: 2_000 }), OPTIONS);
  assert.deepEqual(view.error, {
    message: 'canceled before anything was sent',
    type: 'invalid_request_error',
    code: 'canceled',
  });
  const { cancel, billed } = view.onetake as { cancel: string; billed: string };
  assert.deepEqual([cancel, billed], ['confirmed', 'no']);
});

test('progress is the mean of the runs, what the provider says or the previews that came', () => {
  const plan = { ...samplePlan(), request: { ...samplePlan().request, partialImages: 3 } };
  const progress = (...journals: readonly (readonly Event[])[]) => progressOf({ status: 'processing', journals, plan });
  const made = [startedEvent(), ...endEvents(MADE)];
  const failed = [startedEvent(), progressEvent(40), ...endEvents({ ok: false, failure: UNKNOWN })];
  assert.equal(progress([]), 0);
  assert.equal(progress([startedEvent()]), 0);
  assert.equal(progress([startedEvent(), progressEvent(30), progressEvent(45)]), 45);
  assert.equal(progress([startedEvent(), progressEvent(45), progressEvent(30)]), 45, 'it does not go back');
  assert.equal(progress([startedEvent(), progressEvent(45), startedEvent(1_900, 2)]), 0, 'a new attempt begins anew');
  assert.equal(progress([startedEvent(), partial(0)]), 25);
  assert.equal(progress([startedEvent(), partial(0), partial(1)]), 50);
  assert.equal(progress(made, []), 50);
  assert.equal(progress(made, failed), 70);
  assert.equal(progress([startedEvent(), progressEvent(250)]), 99, '100 is for pictures');
  assert.equal(progressOf({ status: 'failed', journals: [failed], plan }), 40);
  assert.equal(progressOf({ status: 'completed', journals: [made, failed], plan }), 100);
});

test('a row of a list is light', () => {
  const { plan: _plan, journals: _journals, ...row } = sampleSnapshot({ status: 'failed', code: 'outcome_unknown' });
  assert.deepEqual(taskRowView(row), {
    id: 'gen_1',
    object: 'image.generation.task',
    status: 'failed',
    progress: 0,
    created: 1,
    model: 'image-best',
    error: { code: 'outcome_unknown' },
  });
});
