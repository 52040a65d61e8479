import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleRequest } from '../testing/samples.ts';
import { DEFAULT_NEGATIVE, withDefaultNegative } from './negative-prompt.ts';

const TAKES = { size: { kind: 'any' }, negativePrompt: true } as const;

test('a model that has a negative prompt is told the list, and the answer says so', () => {
  const { request, adaptations } = withDefaultNegative(sampleRequest(), TAKES, ['watermark', 'lowres']);
  assert.equal(request.negativePrompt, 'watermark, lowres');
  const reason = 'the default list of this route is added';
  assert.deepEqual(adaptations, [{ field: 'negative_prompt', action: 'mapped', to: 'watermark, lowres', reason }]);
});

test('a model without one, or of which nobody knows, gets the request as it is', () => {
  const request = sampleRequest();
  for (const capabilities of [undefined, { size: { kind: 'any' } } as const])
    assert.deepEqual(withDefaultNegative(request, capabilities), { request, adaptations: [] });
  assert.equal(withDefaultNegative(request, undefined).request, request);
});

test('the caller’s words stay in front, and nothing is said twice', () => {
  const request = sampleRequest({ negativePrompt: 'red, Watermark' });
  const { request: joined, adaptations } = withDefaultNegative(request, TAKES, ['watermark', 'extra fingers']);
  assert.equal(joined.negativePrompt, 'red, Watermark, extra fingers');
  assert.equal(adaptations[0]?.from, 'red, Watermark');
});

test('an empty one from the caller means none', () => {
  for (const negativePrompt of ['', '  ']) {
    const request = sampleRequest({ negativePrompt });
    assert.equal(withDefaultNegative(request, TAKES).request, request);
  }
});

test('what the prompt asks for is not forbidden', () => {
  const request = sampleRequest({ prompt: 'a portrait, Blurry background, the Watermark of a banknote' });
  const { negativePrompt = '' } = withDefaultNegative(request, TAKES).request;
  assert.doesNotMatch(negativePrompt, /blurry|watermark/);
  assert.match(negativePrompt, /lowres, .*extra fingers/);
});

test('what the prompt itself rules out stays on the list', () => {
  const request = sampleRequest({ prompt: 'a fox without any watermark, not blurry' });
  const { negativePrompt = '' } = withDefaultNegative(request, TAKES).request;
  assert.match(negativePrompt, /watermark.*blurry/);
});

test('a variation and an upscale have no prompt, and get no list', () => {
  for (const operation of ['variation', 'upscale'] as const) {
    const request = sampleRequest({ operation });
    assert.equal(withDefaultNegative(request, TAKES).request, request);
  }
});

test('the caller’s words are never cut for the list', () => {
  const negativePrompt = 'x'.repeat(2_000);
  assert.equal(withDefaultNegative(sampleRequest({ negativePrompt }), TAKES).request.negativePrompt, negativePrompt);
  const { negativePrompt: joined = '' } = withDefaultNegative(
    sampleRequest({ negativePrompt: 'x'.repeat(980) }),
    TAKES,
  ).request;
  assert.ok(joined.length <= 1_000 && joined.length > 980);
});

test('the list that ships has what people name first', () => {
  for (const term of ['watermark', 'lowres', 'blurry', 'extra fingers']) assert.ok(DEFAULT_NEGATIVE.includes(term));
});
