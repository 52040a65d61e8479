import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatPlan } from './chat/chat.ts';
import { costOf } from './cost.ts';
import { foldGeneration } from './generation.ts';
import type { Outcome } from './journal.ts';
import type { JsonObject } from './json.ts';
import type { Price } from './price.ts';
import { type SampleAttempt, sampleEvents, sampleFailed, samplePlan, sampleTarget } from './testing/samples.ts';

const PRICE: Price = { perMillionTokensUsd: { textInput: 2, cachedInput: 0.5, imageInput: 4, output: 8 } };

function cost(price: Price | undefined, ...attempts: readonly SampleAttempt[]) {
  const { request: _, ...run } = samplePlan();
  const chat = { endpoint: 'chat/completions', stream: true, excerpt: 'hello', inputTokens: 1_000 } as const;
  const plan: ChatPlan = { ...run, chat, targets: [sampleTarget('a', price && { price })] };
  return costOf(plan, foldGeneration([sampleEvents(...attempts)]));
}

const answered = (usage?: JsonObject): Outcome => ({ ok: true, images: [], ...(usage && { usage }) });
const brokeOff = (usage: JsonObject): Outcome => ({ ...sampleFailed('network', { certainty: 'ambiguous' }), usage });
const usageOf = (input: number, output: number, more: JsonObject = {}): JsonObject => ({
  ...{ input_tokens: input, output_tokens: output, total_tokens: input + output },
  ...more,
});

test('chat costs what its usage says: 1,000 tokens in at 2, 500 out at 8 dollars per million', () => {
  assert.deepEqual(cost(PRICE, ['a', answered(usageOf(1_000, 500))]), {
    ...{ usd: 0.006, basis: 'usage', possibleCharges: 0, possibleUsd: undefined },
  });
});

test('cached input has its own price; where that is not known, that of other input', () => {
  const usage = usageOf(1_000, 0, { input_tokens_details: { cached_tokens: 800 } });
  assert.equal(cost(PRICE, ['a', answered(usage)]).usd, 0.0008);
  const { cachedInput: _, ...prices } = PRICE.perMillionTokensUsd;
  assert.equal(cost({ perMillionTokensUsd: prices }, ['a', answered(usage)]).usd, 0.002);
});

test('pictures in the messages have theirs, and nothing is counted twice', () => {
  const details = { cached_tokens: 5_000, image_tokens: 300 };
  assert.equal(cost(PRICE, ['a', answered(usageOf(1_000, 0, { input_tokens_details: details }))]).usd, 0.00155);
});

test('embeddings put nothing out', () => {
  const usage = { input_tokens: 1_000, total_tokens: 1_000 };
  assert.deepEqual(
    [cost(PRICE, ['a', answered(usage)]).usd, cost(PRICE, ['a', answered(usage)]).basis],
    [0.002, 'usage'],
  );
  assert.equal(cost(PRICE, ['a', answered({ input_tokens: 1_000 })]).usd, undefined);
});

test('an estimate is called one, also beside what was told', () => {
  const estimated = usageOf(1_000, 500, { estimated: true });
  assert.equal(cost(PRICE, ['a', answered(estimated)]).basis, 'estimated');
  const both = cost(PRICE, ['a', brokeOff(estimated)], ['a', answered(usageOf(1_000, 500))]);
  assert.deepEqual([both.usd, both.basis, both.possibleCharges], [0.012, 'estimated', 0]);
  const reported: Outcome = { ok: true, images: [], usage: estimated, costUsd: 0.5 };
  assert.deepEqual([cost(PRICE, ['a', reported]).usd, cost(PRICE, ['a', reported]).basis], [0.5, 'reported']);
});

test('an answer that broke off costs what it used: the tokens that came were made', () => {
  const { usd, basis, possibleCharges } = cost(PRICE, ['a', brokeOff(usageOf(1_000, 100, { estimated: true }))]);
  assert.deepEqual([usd, basis, possibleCharges], [0.0028, 'estimated', 0]);
  assert.equal(cost(PRICE, ['a', brokeOff(usageOf(1_000, 100))]).basis, 'usage');
  const refusedLate: Outcome = { ...sampleFailed('policy', { certainty: 'completed' }), usage: usageOf(1_000, 0) };
  assert.deepEqual([cost(PRICE, ['a', refusedLate]).usd, cost(PRICE, ['a', refusedLate]).possibleCharges], [0.002, 0]);
});

test('where nothing came the estimate is a possible charge, and no cost', () => {
  const canceled: Outcome = {
    ...sampleFailed('canceled', { certainty: 'ambiguous' }),
    usage: usageOf(1_000, 0, { estimated: true }),
  };
  assert.deepEqual(cost(PRICE, ['a', canceled]), {
    ...{ usd: undefined, basis: 'unknown', possibleCharges: 1, possibleUsd: 0.002 },
  });
});

test('what nobody knows of chat is unknown, never 0', () => {
  for (const price of [undefined, { perImageUsd: 0.04 }] as const) {
    const { usd, basis } = cost(price, ['a', answered(usageOf(1_000, 500))]);
    assert.deepEqual([usd, basis], [undefined, 'unknown']);
    assert.equal(cost(price, ['a', sampleFailed('timeout')]).possibleUsd, undefined);
  }
  assert.equal(cost(PRICE, ['a', answered()]).usd, undefined);
  assert.equal(cost(PRICE, ['a', brokeOff(usageOf(1, 1))], ['a', answered()]).usd, undefined);
  const lost = cost(PRICE, ['a', sampleFailed('timeout')]);
  assert.deepEqual([lost.usd, lost.possibleCharges, lost.possibleUsd], [undefined, 1, undefined]);
});

test('what was rejected costs nothing, whatever was estimated', () => {
  const rejected: Outcome = { ...sampleFailed('throttled'), usage: usageOf(1_000, 0, { estimated: true }) };
  assert.deepEqual([cost(PRICE, ['a', rejected]).usd, cost(PRICE, ['a', rejected]).basis], [0, 'none']);
});
