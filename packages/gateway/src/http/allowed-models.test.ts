import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatModelAsked, checkModelAllowed, checkStillAllowed, mayAskFor } from './allowed-models.ts';

test('a key with patterns may ask for what they match; without, and without a key, for all', () => {
  const key = { name: 'app', models: ['image-*', 'sandbox/ok'] };
  assert.deepEqual(
    ['image-best', 'sandbox/ok', 'sandbox/ok2', ''].map((name) => mayAskFor(key, name)),
    [true, true, false, false],
  );
  assert.equal(mayAskFor({}, 'any'), true);
  assert.equal(mayAskFor(undefined, 'any'), true);
});

test('who may not is told what it may', () => {
  const models = Array.from({ length: 22 }, (_, index) => `m${index}`);
  const refused = { status: 403, code: 'model_not_allowed', type: 'permission_error', param: 'model' };
  assert.throws(() => checkModelAllowed({ name: 'app', models: ['image-*'] }, 'gpt-5'), {
    ...refused,
    message: /"app" may use image-\*, and "gpt-5" is none of them/,
  });
  assert.throws(() => checkModelAllowed({ name: 'app', models }, 'x'.repeat(1_000)), {
    message: /m19 and 2 more, and "x{200}" is none/,
  });
  checkModelAllowed({ name: 'app', models }, undefined);
});

test('what begins later is held against what holds then', () => {
  const revoked = { status: 401, code: 'invalid_api_key', message: /"app" was revoked at 1970-01-01T00:00:00.005Z/ };
  assert.throws(() => checkStillAllowed({ name: 'app', revokedAt: 5 }, 'any'), revoked);
  assert.throws(() => checkStillAllowed({ name: 'app', models: ['a'] }, 'b'), { code: 'model_not_allowed' });
  checkStillAllowed(undefined, 'any');
});

test('chat asks for the default model where it names none, embeddings for none', () => {
  const catalogue = { connections: [], routes: {}, defaultModel: 'pictures', defaultChatModel: 'house' };
  assert.equal(chatModelAsked('responses', undefined, catalogue), 'house');
  assert.equal(chatModelAsked('embeddings', undefined, catalogue), undefined);
  assert.equal(chatModelAsked('embeddings', 'e', catalogue), 'e');
});
