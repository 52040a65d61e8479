import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '@onetake/core/testing';
import type { ManagedKey } from '../keys/key.ts';
import type { Batch } from './batch.ts';
import { beginLine } from './begin-line.ts';

const BATCH: Batch = {
  ...{ id: 'batch_1', caller: 'app', fromBrowser: false, endpoint: '/v1/images/generations', inputFileId: 'file_1' },
  ...{ metadata: null, outputMs: 1, status: 'in_progress', createdAt: 0, expiresAt: 1_000 },
  counts: { total: 1, completed: 0, failed: 0 },
  settled: { lines: 0, completed: 0 },
};

async function refusal(body: object, changes: Partial<ManagedKey>) {
  const key = { name: 'app', digest: 'd', hint: 'h', createdAt: 0, ...changes };
  const line = await beginLine(BATCH, 0, { prompt: 'a fox', ...body }, new AbortController().signal, {
    generations: { submit: () => assert.fail('nothing is begun') },
    config: { webhooks: { allowPrivate: false, callers: {} } },
    catalogue: { defaultModel: 'art' },
    keys: { named: (name) => (name === 'app' ? key : undefined) },
    io: createVirtualClock(),
  });
  assert.ok('refused' in line);
  const { status, body: told } = line.refused;
  return [status, (told.error as { code?: string }).code];
}

test('a line begins nothing once the key of its batch is revoked', async () => {
  assert.deepEqual(await refusal({ model: 'art' }, { revokedAt: 1 }), [401, 'invalid_api_key']);
});

test('a line asks for what its key may, the default model where it names none', async () => {
  const models = ['image-*'];
  assert.deepEqual(await refusal({ model: 'other' }, { models }), [403, 'model_not_allowed']);
  assert.deepEqual(await refusal({}, { models }), [403, 'model_not_allowed']);
});
