import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../json.ts';
import { formFields, readImageFields } from './image-fields.ts';

test('what is known is read, the rest passes to the provider, null is nothing', () => {
  const read = readImageFields({
    ...{ model: 'best', prompt: 'a fox', n: 2, size: '64x48', output_format: 'webp', seed: -3, quality: null },
    ...{ user: 'me', style: 'vivid', stream: false, partial_images: 2, response_format: 'url' },
    onetake: { payment: 'strict' },
  });
  const params = { model: 'best', prompt: 'a fox', n: 2, size: '64x48', outputFormat: 'webp', seed: -3 };
  assert.ok(read.ok);
  assert.deepEqual(read.fields, {
    ...{ params: { ...params, extra: { user: 'me', style: 'vivid' } }, responseFormat: 'url', stream: false },
    controls: { payment: 'strict' },
  });
});

test('what is wrong is named', () => {
  const wrong: readonly (readonly [string, JsonObject])[] = [
    ['prompt', {}],
    ['prompt', { prompt: '' }],
    ['prompt', { prompt: 3 }],
    ['n', { prompt: 'a', n: 11 }],
    ['n', { prompt: 'a', n: '1' }],
    ['seed', { prompt: 'a', seed: 0.5 }],
    ['size', { prompt: 'a', size: 64 }],
    ['response_format', { prompt: 'a', response_format: 'png' }],
    ['stream', { prompt: 'a', stream: 'yes' }],
  ];
  for (const [param, body] of wrong) {
    const read = readImageFields(body);
    assert.ok(!read.ok, param);
    assert.deepEqual([read.failure.param, read.failure.kind], [param, 'invalid']);
    assert.ok(read.failure.message.startsWith(`${param}: `));
  }
});

test('the texts of a form have the types of their JSON', () => {
  const texts = [
    ['prompt', '12'],
    ['n', '3'],
    ['seed', 'seven'],
    ['stream', 'true'],
    ['user', '5'],
  ] as const;
  assert.deepEqual(formFields(texts), { prompt: '12', n: 3, seed: 'seven', stream: true, user: '5' });
});
