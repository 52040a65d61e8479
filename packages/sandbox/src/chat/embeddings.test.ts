import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../testing/chat.ts';
import { at, sandboxFor } from '../testing/sandbox.ts';

test('vectors have length 1, are the same for the same text, and come as numbers or as base64', async (t) => {
  const sandbox = await sandboxFor(t);
  const embed = (fields: object) => ask(sandbox, 'text-embedding-3-small', fields, 'embeddings');
  const { body } = await embed({ input: ['a red fox', 'a dog', 'a red fox'], dimensions: 8 });
  const vectors = [0, 1, 2].map((index) => at(body, `data.${index}.embedding`) as readonly number[]);
  const [fox, dog, again] = vectors;
  assert.ok(fox && dog);
  assert.ok(Math.abs(Math.hypot(...fox) - 1) < 1e-6);
  assert.deepEqual(fox, again);
  assert.notDeepEqual(fox, dog);
  assert.deepEqual(at(body, 'usage'), { prompt_tokens: 8, total_tokens: 8 });
  const encoded = await embed({ input: 'a red fox', dimensions: 8, encoding_format: 'base64' });
  const bytes = new Uint8Array(Buffer.from(String(at(encoded.body, 'data.0.embedding')), 'base64'));
  assert.deepEqual([...new Float32Array(bytes.buffer)], fox);
});

test('tokens are an input too, and what is none is refused', async (t) => {
  const sandbox = await sandboxFor(t);
  const embed = (input: unknown) => ask(sandbox, 'text-embedding-3-large', { input }, 'embeddings');
  const one = await embed([1, 2, 3]);
  assert.deepEqual([at(one.body, 'data.length'), at(one.body, 'usage.prompt_tokens')], [1, 3]);
  assert.equal(at(one.body, 'data.0.embedding.length'), 3072);
  assert.equal(at((await embed([[1, 2], [3]])).body, 'data.length'), 2);
  for (const wrong of [null, '', [], [''], [{}], 7]) {
    const { status, body } = await embed(wrong);
    assert.deepEqual([status, at(body, 'error.param')], [400, 'input']);
  }
});

test('faults fail embeddings as they fail whole answers', async (t) => {
  const sandbox = await sandboxFor(t);
  const status = async (model: string) => (await ask(sandbox, model, {}, 'embeddings')).status;
  assert.deepEqual([await status('429'), await status('500'), await status('error-first-frame')], [429, 500, 429]);
  await assert.rejects(status('reset-after-accept'));
});
