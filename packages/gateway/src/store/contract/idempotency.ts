import assert from 'node:assert/strict';
import type { NewGeneration } from '../store.ts';
import { createFinished, ids, sampleGeneration } from './samples.ts';
import type { StoreTests } from './store-tests.ts';

const SCOPE = { caller: 'local', endpoint: '/v1/images/generations', key: 'k' };

function keyed(id: string, change: Partial<NewGeneration> = {}): NewGeneration {
  return sampleGeneration(id, { idempotency: { key: 'k', expiresAt: 100 }, ...change });
}

export const idempotency: StoreTests = {
  async 'of twenty requests with one key at once exactly one is created'(store) {
    const names = Array.from({ length: 20 }, (_, index) => `g${index}`);
    const answers = await Promise.all(names.map((name) => store.create(keyed(name))));
    const winner = names[answers.findIndex((answer) => answer.kind === 'created')];
    assert.equal(answers.filter((answer) => answer.kind === 'created').length, 1);
    const hit = { id: winner, fingerprint: `fingerprint of ${winner}` };
    for (const answer of answers)
      if (answer.kind === 'existing') assert.deepEqual(answer, { kind: 'existing', ...hit });
    assert.deepEqual(await store.findIdempotent(SCOPE, 11), hit);
    assert.deepEqual(ids(await store.list({ limit: 100 })), [winner]);
  },

  async 'caller, endpoint and key are the scope together'(store) {
    await store.create(keyed('g'));
    const others = [
      keyed('caller', { caller: 'other' }),
      keyed('endpoint', { endpoint: '/v1/images/edits' }),
      keyed('key', { idempotency: { key: 'K', expiresAt: 100 } }),
    ];
    for (const other of others) assert.deepEqual(await store.create(other), { kind: 'created' });
    assert.equal(await store.findIdempotent({ ...SCOPE, caller: 'nobody' }, 11), undefined);
  },

  async 'an expired key is not found and is taken over'(store) {
    await store.create(keyed('g'));
    assert.equal((await store.findIdempotent(SCOPE, 99))?.id, 'g');
    assert.equal(await store.findIdempotent(SCOPE, 100), undefined);
    const next = keyed('h', { createdAt: 100, idempotency: { key: 'k', expiresAt: 200 } });
    assert.deepEqual(await store.create(next), { kind: 'created' });
    assert.equal((await store.findIdempotent(SCOPE, 100))?.id, 'h');
  },

  async 'a key whose generation finished without a charge is free, and no other finished one'(store) {
    for (const billed of ['maybe', 'yes'] as const) {
      const idempotency = { key: billed, expiresAt: 100 };
      await createFinished(store, keyed(billed, { idempotency }), { billed });
      assert.equal((await store.findIdempotent({ ...SCOPE, key: billed }, 60))?.id, billed);
    }
    await createFinished(store, keyed('free'), { status: 'failed', billed: 'no' });
    assert.equal(await store.findIdempotent(SCOPE, 60), undefined);
    assert.deepEqual(await store.create(keyed('again', { createdAt: 60 })), { kind: 'created' });
    assert.equal((await store.findIdempotent(SCOPE, 60))?.id, 'again');
  },
};
