import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { idempotency } from './contract/idempotency.ts';
import { journals } from './contract/journals.ts';
import { leases } from './contract/leases.ts';
import { listing } from './contract/listing.ts';
import { retention } from './contract/retention.ts';
import { createFinished, sampleAsset, sampleFence, sampleGeneration, started } from './contract/samples.ts';
import type { Store } from './store.ts';

/** An empty store, and how to close it and open the same data again where that means anything. */
export interface OpenedStore {
  readonly store: Store;
  readonly reopen?: () => Promise<Store>;
}

/** The suite that every store passes. `open` is called once per test and gives a store nobody else uses. */
export function testStore(name: string, open: () => Promise<OpenedStore>): void {
  describe(name, () => {
    for (const tests of [journals, leases, idempotency, listing, retention]) {
      for (const [sentence, run] of Object.entries(tests)) {
        test(sentence, async () => {
          const { store } = await open();
          try {
            await run(store);
          } finally {
            await store.close();
          }
        });
      }
    }
    test('everything is there after closing and opening again', () => survivesReopening(open));
    test('closing finishes what was begun and refuses what comes after', () => closesInOrder(open));
  });
}

async function survivesReopening(open: () => Promise<OpenedStore>): Promise<void> {
  const { store, reopen } = await open();
  if (reopen === undefined) return store.close();
  await createFinished(store, sampleGeneration('g', { runs: 2 }), { assets: [sampleAsset('a', 1)] });
  await store.create(sampleGeneration('h'));
  await store.append(sampleFence('h', 0), [started(1)]);
  const before = [await store.read('g'), await store.read('h')];
  const again = await reopen();
  assert.deepEqual([await again.read('g'), await again.read('h')], before);
  await again.close();
}

async function closesInOrder(open: () => Promise<OpenedStore>): Promise<void> {
  const { store } = await open();
  const begun = [store.create(sampleGeneration('g')), store.append(sampleFence('g', 0), [started(1)])];
  await Promise.all([...begun, store.close(), store.close()]);
  await assert.rejects(store.read('g'), { name: 'StoreClosedError' });
}
