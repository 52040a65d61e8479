import assert from 'node:assert/strict';
import { LostRunError } from '../store.ts';
import { ids, sampleAsset, sampleFence, sampleGeneration, samplePlan, sampleSummary, started } from './samples.ts';
import type { StoreTests } from './store-tests.ts';

export const journals: StoreTests = {
  async 'a generation is read as it was created, with one empty journal per run'(store) {
    const assets = [sampleAsset('a', 7)];
    const { begin: _, assets: __, runs: ___, ...created } = sampleGeneration('g', { runs: 3, assets });
    assert.deepEqual(await store.create(sampleGeneration('g', { runs: 3, assets })), { kind: 'created' });
    assert.deepEqual(await store.read('g'), {
      ...created,
      route: 'image-best',
      prompt: 'a red fox',
      status: 'processing',
      journals: [[], [], []],
    });
    assert.equal(await store.read('none'), undefined);
  },

  async 'events come back in order, per run'(store) {
    await store.create(sampleGeneration('g', { runs: 2 }));
    await store.append(sampleFence('g', 0), [started(1), started(2)]);
    await store.append(sampleFence('g', 0, { run: 1 }), [started(7)]);
    await store.append(sampleFence('g', 2), [started(3)]);
    const stored = await store.read('g');
    assert.deepEqual(stored?.journals, [[started(1), started(2), started(3)], [started(7)]]);
  },

  async 'operations take effect in the order they were called, though nobody waits in between'(store) {
    const appends = Array.from(
      { length: 50 },
      (_, length) => () => store.append(sampleFence('g', length), [started(length)]),
    );
    await Promise.all([store.create(sampleGeneration('g')), ...appends.map((append) => append())]);
    assert.equal((await store.read('g'))?.journals[0]?.length, 50);
  },

  async 'the fence refuses a wrong length, a foreign worker, an unknown run and an unknown generation'(store) {
    await store.create(sampleGeneration('g'));
    await store.append(sampleFence('g', 0), [started(1)]);
    const wrong = [
      sampleFence('g', 0),
      sampleFence('g', 2),
      sampleFence('g', -1),
      sampleFence('g', 1, { worker: 'worker-b' }),
      sampleFence('g', 0, { worker: 'worker-b' }),
      sampleFence('g', 0, { run: 1 }),
      sampleFence('g', 0, { run: -1 }),
      sampleFence('none', 0),
    ];
    for (const fence of wrong) {
      await assert.rejects(store.append(fence, [started(2), started(3)], sampleSummary()), LostRunError);
    }
    const stored = await store.read('g');
    assert.deepEqual(stored?.journals, [[started(1)]]);
    assert.equal(stored?.status, 'processing');
  },

  async 'of two appends at the same place one wins, and the loser undoes nothing else'(store) {
    await store.create(sampleGeneration('g'));
    await store.create(sampleGeneration('h'));
    const results = await Promise.allSettled([
      store.append(sampleFence('g', 0), [started(1)]),
      store.append(sampleFence('g', 0), [started(2)]),
      store.append(sampleFence('h', 0), [started(3)]),
    ]);
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual((await store.read('g'))?.journals, [[started(1)]]);
    assert.deepEqual((await store.read('h'))?.journals, [[started(3)]]);
  },

  async 'the summary arrives with its events and ends the lease'(store) {
    await store.create(sampleGeneration('g'));
    const summary = {
      status: 'failed',
      finishedAt: 60,
      billed: 'maybe',
      code: 'outcome_unknown',
      costUsd: 0.04,
      possibleUsd: 0.08,
    } as const;
    await store.append(sampleFence('g', 0), [started(1)], { ...summary, target: 'sandbox/fast', assets: [] });
    const [row] = await store.list({ limit: 1 });
    assert.deepEqual(row, {
      ...{ id: 'g', caller: 'local', endpoint: '/v1/images/generations', route: 'image-best', prompt: 'a red fox' },
      ...{ ...summary, createdAt: 10, target: 'sandbox/fast' },
    });
    await assert.rejects(store.append(sampleFence('g', 1), [started(2)]), LostRunError);
    assert.deepEqual(await store.claim('worker-b', 1_000, 2_000, 10), []);
  },

  async 'a journal is never appended to without an event'(store) {
    await store.create(sampleGeneration('g'));
    await assert.rejects(store.append(sampleFence('g', 0), []), /events/);
  },

  async 'an id is given once'(store) {
    await store.create(sampleGeneration('g'));
    const [again, other] = await Promise.allSettled([
      store.create(sampleGeneration('g', { caller: 'other', idempotency: { key: 'k', expiresAt: 99 } })),
      store.create(sampleGeneration('h')),
    ]);
    assert.equal(again.status, 'rejected');
    assert.equal(other.status, 'fulfilled');
    assert.equal((await store.read('g'))?.caller, 'local');
    assert.equal(
      await store.findIdempotent({ caller: 'other', endpoint: '/v1/images/generations', key: 'k' }, 1),
      undefined,
    );
  },

  async 'any text survives, and plans of a megabyte'(store) {
    const prompt = `🦊 "fox" \\ \u2028 \u0001 שועל ${'ж'.repeat(500_000)}`;
    const event = { ...started(1), target: 'naïve/"🦊"\n' };
    await store.create(sampleGeneration('g', { plan: samplePlan(prompt), caller: 'Zoë 🦊' }));
    await store.append(sampleFence('g', 0), [event]);
    const stored = await store.read('g');
    assert.deepEqual(stored?.plan, samplePlan(prompt));
    assert.equal(stored?.prompt, prompt);
    assert.deepEqual(stored?.journals, [[event]]);
    assert.deepEqual(ids(await store.list({ caller: 'Zoë 🦊', limit: 1 })), ['g']);
  },

  async 'a text that is not well-formed is kept in plan and journal'(store) {
    const prompt = 'cut in a pair \ud83e, and \u0000';
    await store.create(sampleGeneration('g', { plan: samplePlan(prompt) }));
    assert.deepEqual((await store.read('g'))?.plan, samplePlan(prompt));
  },
};
