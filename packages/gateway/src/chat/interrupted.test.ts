import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChatPlan, type Event, type Failure, foldRun } from '@onetake/core';
import { createSignals } from '../signals/signals.ts';
import type { StoredGeneration } from '../store/store.ts';
import { sampleChatPlan } from '../testing/chat-samples.ts';
import { endAllInterrupted, endOf } from './interrupted.ts';

const PLAN = sampleChatPlan();
const STARTED: Event = { type: 'attempt-started', at: 1, attempt: 1, target: 'here/m' };
const BEGUN: Event = { type: 'answer-begun', at: 2, attempt: 1, firstContentMs: 1 };
const THROTTLED: Failure = { kind: 'throttled', certainty: 'rejected', message: 'too many' };
const ENDED: Event = { type: 'attempt-ended', at: 3, attempt: 1, outcome: { ok: false, failure: THROTTLED } };

function outcomeAfter(events: readonly Event[], because?: Failure) {
  const { finished, attempts } = foldRun([...events, ...endOf(events, PLAN, 9, because)]);
  assert.ok(finished?.ok === false);
  return { ...finished, last: attempts.at(-1)?.outcome };
}

test('an answer that was on its way ends as interrupted, with the tokens that went in', () => {
  for (const events of [[STARTED], [STARTED, BEGUN]]) {
    const { failure, usage, last } = outcomeAfter(events);
    assert.equal(failure.kind, 'interrupted');
    assert.equal(failure.certainty, 'ambiguous');
    assert.equal(usage?.input_tokens, 10);
    assert.equal(usage?.estimated, true);
    assert.deepEqual(last, { ok: false, failure, usage });
  }
});

test('where nothing is billed nothing may have been', () => {
  assert.equal(outcomeAfter([{ ...STARTED, free: true }]).failure.certainty, 'rejected');
});

test('between two attempts the last one speaks, and without any nothing was sent', () => {
  assert.deepEqual(outcomeAfter([STARTED, ENDED]).failure, THROTTLED);
  assert.equal(outcomeAfter([]).failure.certainty, 'not_sent');
});

test('a reason of its own is told, and never makes certain what is not', () => {
  const because: Failure = { kind: 'queue_full', certainty: 'not_sent', message: 'full' };
  assert.deepEqual(outcomeAfter([], because).failure, because);
  assert.deepEqual(outcomeAfter([STARTED], because).failure, { ...because, certainty: 'ambiguous' });
});

test('what is finished stays as it is', () => {
  const finished: Event = { type: 'finished', at: 4, outcome: { ok: true, images: [] } };
  assert.deepEqual(endOf([STARTED, finished], PLAN, 9), []);
});

test('whoever watches this process is told of the end once it is durable, and of none that was lost', async () => {
  const stored = (id: string): StoredGeneration<ChatPlan> => ({
    ...{ id, caller: 'app', requestId: 'req_1', endpoint: '/v1/chat/completions', route: PLAN.route, prompt: '' },
    ...{ fingerprint: '', plan: PLAN, journals: [[STARTED]], status: 'pending', createdAt: 0 },
  });
  const told: string[] = [];
  const signals = createSignals({ error: assert.fail });
  signals.on((signal) => void told.push(`${signal.type} ${signal.live.id}`));
  let write = () => {};
  const store = {
    append: ({ generation }: { readonly generation: string }) =>
      new Promise<void>((resolve, reject) => {
        write = generation === 'gen_lost' ? () => reject(new Error('the lease is gone')) : resolve;
      }),
  };
  const lost: unknown[] = [];
  const options = { store, io: { now: () => 9 }, onInterruptedError: (error: unknown) => void lost.push(error) };
  for (const id of ['gen_kept', 'gen_lost']) {
    endAllInterrupted([stored(id)], 'worker', { ...options, onInterrupted: signals.watch });
    assert.ok(!told.includes(`ended ${id}`));
    write();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(told, ['started gen_kept', 'event gen_kept', 'event gen_kept', 'ended gen_kept']);
  assert.equal(lost.length, 1);
});
