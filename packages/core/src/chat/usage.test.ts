import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../json.ts';
import type { ChatRequest } from './chat.ts';
import { estimatedUsage, usageIn } from './usage.ts';

function usage(input: number, output: number, cached = 0, reasoning = 0): JsonObject {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}

test('usage is read wherever a server puts it', () => {
  const told = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
  assert.deepEqual(usageIn({ choices: [], usage: told }), usage(9, 4));
  assert.deepEqual(usageIn({ choices: [{ delta: {}, usage: told }] }), usage(9, 4));
  assert.deepEqual(usageIn({ choices: [{}], usage: null, x_groq: { id: 'r', usage: told } }), usage(9, 4));
  const response = {
    input_tokens: 30,
    input_tokens_details: { cached_tokens: 10, cache_write_tokens: 0 },
    output_tokens: 20,
    output_tokens_details: { reasoning_tokens: 15 },
    total_tokens: 50,
  };
  assert.deepEqual(usageIn({ type: 'response.completed', response: { usage: response } }), usage(30, 20, 10, 15));
  assert.deepEqual(usageIn({ object: 'response', usage: response }), usage(30, 20, 10, 15));
  const written = { ...response, input_tokens_details: { cached_tokens: 10, cache_write_tokens: 5 } };
  assert.deepEqual(usageIn({ usage: written })?.input_tokens_details, { cached_tokens: 10, cache_write_tokens: 5 });
});

test('embeddings have no output', () => {
  assert.deepEqual(usageIn({ usage: { prompt_tokens: 8, total_tokens: 8 } }), usage(8, 0));
  assert.deepEqual(usageIn({ usage: { total_tokens: 8 } }), usage(8, 0));
});

test('each server counts in its own words', () => {
  const openai = {
    prompt_tokens: 2006,
    completion_tokens: 300,
    total_tokens: 2306,
    prompt_tokens_details: { cached_tokens: 1920 },
    completion_tokens_details: { reasoning_tokens: 64 },
  };
  assert.deepEqual(usageIn({ usage: openai }), usage(2006, 300, 1920, 64));
  const deepseek = {
    prompt_tokens: 20,
    completion_tokens: 5,
    total_tokens: 25,
    prompt_cache_hit_tokens: 16,
    prompt_cache_miss_tokens: 4,
    prompt_tokens_details: null,
  };
  assert.deepEqual(usageIn({ usage: deepseek }), usage(20, 5, 16));
  const xai = {
    prompt_tokens: 2640,
    completion_tokens: 182,
    total_tokens: 3494,
    prompt_tokens_details: { cached_tokens: 473 },
    completion_tokens_details: { reasoning_tokens: 672 },
  };
  assert.deepEqual(usageIn({ usage: xai }), usage(2640, 854, 473, 672));
  const google = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 115 };
  assert.deepEqual(usageIn({ usage: google }), usage(10, 105));
  assert.deepEqual(usageIn({ usage: { prompt_tokens: 10, completion_tokens: 5, cached_tokens: 4 } }), usage(10, 5, 4));
});

test('what cannot be is no usage', () => {
  for (const wrong of [
    undefined,
    null,
    7,
    'usage',
    [],
    {},
    { usage: null },
    { usage: {} },
    { usage: { prompt_tokens: null } },
    { usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } },
    { usage: { prompt_tokens: -1, completion_tokens: 4 } },
    { usage: { prompt_tokens: 1, completion_tokens: 4, total_tokens: 1e12 } },
    { usage: { prompt_tokens: 1.5, completion_tokens: 4 } },
    { usage: { prompt_tokens: '9', completion_tokens: 4 } },
    { usage: { completion_tokens: 4 } },
  ])
    assert.equal(usageIn(wrong), undefined, JSON.stringify(wrong));
  const odd = {
    prompt_tokens: 9,
    completion_tokens: 4,
    prompt_tokens_details: { cached_tokens: 99 },
    completion_tokens_details: { reasoning_tokens: -3 },
  };
  assert.deepEqual(usageIn({ usage: odd }), usage(9, 4, 9));
});

test('it never throws, and what it tells adds up', () => {
  const numbers = fc.oneof(fc.integer(), fc.double(), fc.constant(null), fc.string());
  const keys = ['prompt_tokens', 'completion_tokens', 'total_tokens', 'input_tokens', 'output_tokens', 'cached_tokens'];
  const some = fc.dictionary(fc.constantFrom(...keys), numbers);
  const told = fc.property(fc.oneof(some, fc.jsonValue()), (value) => {
    const found = usageIn({ usage: JSON.parse(JSON.stringify(value)) });
    if (found) assert.equal(found.total_tokens, Number(found.input_tokens) + Number(found.output_tokens));
  });
  fc.assert(told, { numRuns: 2_000 });
});

test('an estimate says that it is one', () => {
  const request: ChatRequest = { endpoint: 'chat/completions', stream: true, excerpt: '', inputTokens: 12 };
  assert.deepEqual(estimatedUsage(request, { bytes: 9_000, events: 7 }), { ...usage(12, 7), estimated: true });
  assert.deepEqual(estimatedUsage(request, { bytes: 9, events: 0 }), { ...usage(12, 3), estimated: true });
  assert.deepEqual(estimatedUsage({ ...request, endpoint: 'embeddings' }, { bytes: 900, events: 0 }), {
    ...usage(12, 0),
    estimated: true,
  });
});
