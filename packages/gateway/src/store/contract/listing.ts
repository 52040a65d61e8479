import assert from 'node:assert/strict';
import type { Store } from '../store.ts';
import { createFinished, ids, sampleGeneration, sampleLine, sampleWaiting } from './samples.ts';
import type { StoreTests } from './store-tests.ts';

async function fill(store: Store): Promise<void> {
  await createFinished(store, sampleGeneration('a', { createdAt: 10 }));
  const doubtful = { status: 'failed', billed: 'maybe' } as const;
  await createFinished(store, sampleGeneration('b', { createdAt: 20, caller: 'other' }), {
    ...doubtful,
    code: 'generation_failed',
  });
  await createFinished(store, sampleGeneration('c', { createdAt: 20 }), { ...doubtful, code: 'outcome_unknown' });
  await store.create(sampleGeneration('d', { createdAt: 30 }));
  await createFinished(store, sampleGeneration('e', { createdAt: 5 }));
}

export const listing: StoreTests = {
  async 'lists are newest first and filtered'(store) {
    await fill(store);
    assert.deepEqual(ids(await store.list({ limit: 10 })), ['d', 'c', 'b', 'a', 'e']);
    assert.deepEqual(ids(await store.list({ limit: 2 })), ['d', 'c']);
    assert.deepEqual(ids(await store.list({ caller: 'other', limit: 10 })), ['b']);
    assert.deepEqual(ids(await store.list({ status: 'processing', limit: 10 })), ['d']);
    assert.deepEqual(ids(await store.list({ status: 'completed', limit: 10 })), ['a', 'e']);
    assert.deepEqual(ids(await store.list({ unknown: true, limit: 10 })), ['c', 'b']);
    assert.deepEqual(ids(await store.list({ caller: 'local', status: 'failed', unknown: true, limit: 10 })), ['c']);
  },

  async 'what made a picture and may have been billed twice is in doubt too'(store) {
    await fill(store);
    await createFinished(store, sampleGeneration('f', { createdAt: 40 }), { billed: 'maybe' });
    await createFinished(store, sampleGeneration('g', { createdAt: 50 }), { status: 'failed', billed: 'no' });
    // It broke off, and what it used was told: its line is spent, and holds nothing.
    await createFinished(store, sampleGeneration('h', { createdAt: 60 }), { billed: 'maybe', lines: [sampleLine()] });
    assert.deepEqual(ids(await store.list({ unknown: true, limit: 10 })), ['f', 'c', 'b']);
    await store.settle({ generation: 'f', verdict: 'free', at: 60 });
    assert.deepEqual(ids(await store.list({ unknown: true, limit: 10 })), ['c', 'b']);
  },

  async 'what waits and what was canceled is listed under its own status'(store) {
    await fill(store);
    await store.create(sampleWaiting('w', 1, {}, { createdAt: 40 }));
    await store.create(sampleWaiting('v', 2, {}, { createdAt: 35, caller: 'other' }));
    await createFinished(store, sampleGeneration('x', { createdAt: 36 }), { status: 'canceled', code: 'canceled' });
    assert.deepEqual(ids(await store.list({ status: 'pending', limit: 10 })), ['w', 'v']);
    assert.deepEqual(ids(await store.list({ status: 'pending', caller: 'other', limit: 10 })), ['v']);
    assert.deepEqual(ids(await store.list({ status: 'canceled', limit: 10 })), ['x']);
    assert.deepEqual(ids(await store.list({ status: 'processing', limit: 10 })), ['d']);
    assert.deepEqual(ids(await store.list({ limit: 4 })), ['w', 'x', 'v', 'd']);
  },

  async 'pages join without a gap or a repeat, also between generations of one instant'(store) {
    await fill(store);
    const seen: string[] = [];
    let before: { createdAt: number; id: string } | undefined;
    for (;;) {
      const page = await store.list({ limit: 2, ...(before && { before }) });
      const last = page.at(-1);
      seen.push(...ids(page));
      if (last === undefined) break;
      before = { createdAt: last.createdAt, id: last.id };
    }
    assert.deepEqual(seen, ['d', 'c', 'b', 'a', 'e']);
  },

  async 'a page has a limit from 1 to 1000, and so has everything else that returns many'(store) {
    for (const limit of [0, -1, 1.5, 100_001, Number.NaN]) {
      await assert.rejects(store.list({ limit }), /limit/);
      await assert.rejects(store.claim('worker-b', 1, 2, limit), /limit/);
      await assert.rejects(store.undelivered(1, limit), /limit/);
      await assert.rejects(store.expire({ createdBefore: 1, excessBytes: 0, limit }), /limit/);
    }
  },
};
