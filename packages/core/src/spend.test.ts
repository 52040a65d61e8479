import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatPlan, ChatRequest } from './chat/chat.ts';
import { EMPTY_RUN } from './journal.ts';
import type { Plan } from './plan.ts';
import type { Price } from './price.ts';
import { spendOf, UNBOUNDED_OUTPUT_TOKENS } from './spend.ts';
import {
  SAMPLE_SUCCESS,
  type SampleAttempt,
  sampleEvents,
  sampleFailed,
  samplePlan,
  sampleRequest,
  sampleRun,
  sampleTarget,
} from './testing/samples.ts';

const DEAR: Price = { perImageUsd: 0.1 };
const CHEAP: Price = { perImageUsd: 0.04 };

function pictures(n: number, a: Price | null = CHEAP, b: Price | null = DEAR): Plan {
  const targets = [sampleTarget('a', a ? { price: a } : {}), sampleTarget('b', b ? { price: b } : {})];
  return { ...samplePlan(), request: sampleRequest({ n }), targets };
}

const [A, B] = [0, 1];
const spend = (plan: Plan, at: number, ...attempts: readonly SampleAttempt[]) => {
  const target = plan.targets[at];
  assert.ok(target);
  return spendOf('run', plan, sampleRun(...attempts), target);
};

test('the next attempt is for all of the run’s pictures, at its target’s price', () => {
  assert.deepEqual(spend(pictures(3), A), { runId: 'run', target: 'a/model', microUsd: 120_000, images: 3 });
  assert.equal(spend(pictures(3), B).microUsd, 300_000);
});

test('what was or may be billed before is held beside it, what was not is not', () => {
  const plan = pictures(2);
  assert.deepEqual(
    [spend(plan, B, ['a', sampleFailed('timeout')])].map(({ microUsd, images }) => [microUsd, images]),
    [[280_000, 4]],
  );
  assert.equal(spend(plan, A, ['a', sampleFailed('corrupt')]).microUsd, 120_000, 'one picture was made and lost');
  assert.equal(spend(plan, A, ['a', sampleFailed('throttled')], ['a', sampleFailed('network')]).microUsd, 80_000);
});

test('one unknown price makes the sum unknown, never 0', () => {
  const plan = pictures(1, null);
  assert.equal(spend(plan, A).microUsd, undefined);
  assert.equal(spend(plan, B, ['a', sampleFailed('timeout')]).microUsd, undefined);
  assert.equal(spend(plan, B, ['a', sampleFailed('throttled')]).microUsd, 100_000);
});

test('what costs nothing holds nothing', () => {
  const plan = pictures(2);
  const free = { ...sampleTarget('b', { price: DEAR }), free: true } as const;
  const [first] = sampleEvents(['a', SAMPLE_SUCCESS]);
  assert.ok(first);
  assert.deepEqual(spendOf('run', plan, EMPTY_RUN, free), { runId: 'run', target: 'b/model', microUsd: 0, images: 0 });
});

const TOKENS: Price = { perMillionTokensUsd: { textInput: 2, cachedInput: 0.1, imageInput: 3, output: 8 } };

function chat(changes: Partial<ChatRequest> = {}, price: Price | undefined = TOKENS): ChatPlan {
  const { request: _, ...run } = samplePlan();
  const asked = { endpoint: 'chat/completions', stream: true, excerpt: '', inputTokens: 1_000 } as const;
  return { ...run, chat: { ...asked, ...changes }, targets: [sampleTarget('a', price && { price })] };
}

const chatSpend = (plan: ChatPlan, ...attempts: readonly SampleAttempt[]) => {
  const [target] = plan.targets;
  assert.ok(target);
  return spendOf('run', plan, sampleRun(...attempts), target);
};

test('chat holds what goes in and the most that may come out', () => {
  assert.deepEqual(chatSpend(chat({ maxOutputTokens: 100 })), {
    ...{ runId: 'run', target: 'a/model', microUsd: 1_000 * 3 + 100 * 8, images: 0 },
  });
  assert.equal(chatSpend(chat()).microUsd, 3_000 + UNBOUNDED_OUTPUT_TOKENS * 8);
  assert.equal(chatSpend(chat({ answers: 5 })).microUsd, 3_000 + 5 * UNBOUNDED_OUTPUT_TOKENS * 8);
  assert.equal(chatSpend(chat({ endpoint: 'embeddings' })).microUsd, 3_000);
  assert.equal(chatSpend(chat({}, CHEAP)).microUsd, undefined);
});

test('an answer that broke off is held by what it used, or else by what it may have', () => {
  const plan = chat({ maxOutputTokens: 100 });
  const brokeOff = {
    ...sampleFailed('network', { certainty: 'ambiguous' }),
    usage: { input_tokens: 10, output_tokens: 5 },
  };
  assert.equal(chatSpend(plan, ['a', brokeOff]).microUsd, 3_800 + 60);
  assert.equal(chatSpend(plan, ['a', sampleFailed('timeout')]).microUsd, 2 * 3_800);
});
