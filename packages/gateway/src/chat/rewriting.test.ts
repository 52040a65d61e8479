import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Catalogue, PROVIDERS, type RewriteAsked, starterRules } from '@onetake/core';
import { sampleLive } from '../testing/sample-live.ts';
import type { Question, Told } from './ask.ts';
import { createRewriting } from './rewriting.ts';

const BEDROCK = PROVIDERS.find(({ id }) => id === 'bedrock');
assert.ok(BEDROCK);
const SHORT = BEDROCK.models.find(({ capabilities }) => capabilities?.maxPromptChars === 1_024);
assert.ok(SHORT);
const CATALOGUE: Catalogue = {
  connections: [{ id: 'bedrock', provider: BEDROCK, baseUrl: 'http://127.0.0.1:9', secret: '' }],
  routes: {},
  defaultModel: undefined,
  promptRules: { rules: starterRules(), everywhere: false },
};
const FAILURE = { kind: 'policy', certainty: 'rejected', message: 'no', stage: 'input' } as const;
const NEVER = new AbortController().signal;

function answering(prompt: string): Told {
  const content = JSON.stringify({ prompt, refuse: null });
  return { ok: true, answer: { choices: [{ message: { content } }] }, generation: 'gen_words' };
}

function rig(told: Told) {
  const asked: Question[] = [];
  const ask = async (question: Question) => {
    asked.push(question);
    return told;
  };
  const rewriting = createRewriting({ ask, catalogue: CATALOGUE, timeoutMs: 30_000, io: { now: () => 1_000 } });
  return { rewriting, asked };
}

function askedFor(change: Partial<RewriteAsked['plan']> = {}): RewriteAsked {
  const { plan } = sampleLive();
  const whole = { ...plan, deadlineAt: 500_000, ...change };
  return { model: 'words/small', plan: whole, prompt: 'a gun', failure: FAILURE, attempt: 1 };
}

test('the caller of the picture asks, within what is left of its time', async () => {
  const { rewriting, asked } = rig(answering('a toy'));
  const live = sampleLive();
  const words = await rewriting(live)(askedFor(), NEVER);
  assert.deepEqual(words, { ok: true, prompt: 'a toy', generation: 'gen_words' });
  const [question] = asked;
  assert.deepEqual([question?.caller, question?.requestId], [live.caller, live.requestId]);
  assert.deepEqual([question?.timeoutMs, question?.purpose], [30_000, `rewrite of ${live.id}, attempt 1`]);
  await rewriting(sampleLive())(askedFor({ deadlineAt: 2_500 }), NEVER);
  assert.equal(asked[1]?.timeoutMs, 1_500);
  const late = await rewriting(sampleLive())(askedFor({ deadlineAt: 1_000 }), NEVER);
  assert.deepEqual([late.ok, asked.length], [false, 2]);
});

test('all runs of a generation that are refused in the same words ask once', async () => {
  const { rewriting, asked } = rig(answering('a toy'));
  const live = sampleLive();
  const [one, other] = [rewriting(live), rewriting(live)];
  await Promise.all([one(askedFor(), NEVER), other(askedFor(), NEVER)]);
  assert.equal(asked.length, 1);
  await rewriting(sampleLive())(askedFor(), NEVER);
  assert.equal(asked.length, 2);
});

test('rules hold for new words where they held for the old ones, and so does the shortest limit', async () => {
  const cruel = rig(answering('a dismembered body'));
  assert.equal((await cruel.rewriting(sampleLive())(askedFor(), NEVER)).ok, true);
  const ruled = await cruel.rewriting(sampleLive())(askedFor({ ruled: true }), NEVER);
  assert.match(ruled.ok ? '' : ruled.why, /violence-extreme/);
  assert.equal(ruled.generation, 'gen_words');
  const long = rig(answering('fox '.repeat(300)));
  const [target] = sampleLive().plan.targets;
  assert.ok(target);
  const bounded = { ...target, id: `bedrock/${SHORT.id}`, provider: 'bedrock', model: SHORT.id };
  const limited = await long.rewriting(sampleLive())(askedFor({ targets: [target, bounded] }), NEVER);
  assert.match(limited.ok ? '' : limited.why, /it has 1199 characters and .* takes 1024/);
});

test('who cannot be asked says so, with what was spent', async () => {
  const { rewriting } = rig({ ok: false, why: 'it did not answer', generation: 'gen_words' });
  const words = await rewriting(sampleLive())(askedFor(), NEVER);
  assert.deepEqual(words, { ok: false, why: 'it did not answer', generation: 'gen_words' });
});
