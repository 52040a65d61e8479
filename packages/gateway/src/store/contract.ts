import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { browsing, sharedBrowsing } from './contract/browsing.ts';
import { budgets, sharedBudgets } from './contract/budgets.ts';
import { cache, sampleCacheEntry, sharedCache } from './contract/cache.ts';
import { cells, sharedCells } from './contract/cells.ts';
import { changes, sharedChanges } from './contract/changes.ts';
import { idempotency } from './contract/idempotency.ts';
import { journals } from './contract/journals.ts';
import { leases } from './contract/leases.ts';
import { ledger } from './contract/ledger.ts';
import { listing } from './contract/listing.ts';
import { lost, sharedLost } from './contract/lost.ts';
import { queues, sharedQueues } from './contract/queues.ts';
import { retention } from './contract/retention.ts';
import {
  createFinished,
  sampleAsset,
  sampleEvent,
  sampleFence,
  sampleGeneration,
  sampleHold,
  sampleLine,
  sampleWaiting,
  started,
  WEBHOOK,
} from './contract/samples.ts';
import type { SharedStoreTests, StoreTests } from './contract/store-tests.ts';
import { sharedWebhooks, webhooks } from './contract/webhooks.ts';
import type { Store } from './store.ts';

/** An empty store, and how to close it and open the same data again where that means anything. */
export interface OpenedStore {
  readonly store: Store;
  /** A second node on the same data, where the store can be shared. */
  readonly other?: Store;
  readonly reopen?: () => Promise<Store>;
}

const SUITES: readonly StoreTests[] = [
  ...[journals, leases, idempotency, listing, retention],
  ...[queues, lost, webhooks, cache, cells, changes],
  ...[ledger, budgets, browsing],
];
const SHARED_SUITES: readonly SharedStoreTests[] = [
  ...[sharedQueues, sharedLost, sharedWebhooks, sharedCache, sharedCells, sharedChanges],
  ...[sharedBudgets, sharedBrowsing],
];
/** Only a change that never comes takes so long. */
const TIMEOUT_MS = 20_000;

/** The suite that every store passes. `open` is called once per test and gives a store nobody else uses. */
export function testStore(name: string, open: () => Promise<OpenedStore>): void {
  describe(name, () => {
    for (const [sentence, run] of SUITES.flatMap((suite) => Object.entries(suite))) {
      test(sentence, { timeout: TIMEOUT_MS }, async () => {
        const { store, other } = await open();
        try {
          await run(store);
        } finally {
          await Promise.all([store.close(), other?.close()]);
        }
      });
    }
    for (const [sentence, run] of SHARED_SUITES.flatMap((suite) => Object.entries(suite))) {
      test(sentence, { timeout: TIMEOUT_MS }, async (context) => {
        const { store, other } = await open();
        try {
          assert.equal(store.ownership, other ? 'shared' : 'exclusive');
          if (other) await run(store, other);
          else context.skip('one node at a time');
        } finally {
          await Promise.all([store.close(), other?.close()]);
        }
      });
    }
    test('everything is there after closing and opening again', () => survivesReopening(open));
    test('closing finishes what was begun and refuses what comes after', () => closesInOrder(open));
  });
}

async function survivesReopening(open: () => Promise<OpenedStore>): Promise<void> {
  const { store, other, reopen } = await open();
  await other?.close();
  if (reopen === undefined) return store.close();
  await createFinished(store, sampleGeneration('g', { runs: 2 }), { assets: [sampleAsset('a', 1)] });
  await store.create(sampleGeneration('h'));
  await store.append(sampleFence('h', 0), [started(1)]);
  await store.create(sampleWaiting('waiting', 1.5, {}, { webhook: WEBHOOK }));
  await store.requestCancel('waiting', 60);
  await store.notify('waiting', sampleEvent('e'));
  await store.disableEndpoint('local', 'https://hooks.test/b', 60);
  await store.swapCell('k', 0, { a: [1] });
  await store.cachePut(sampleCacheEntry('c'));
  await store.cacheClaim({ key: 's', generation: 'h', until: 1_000 }, 60);
  await createFinished(store, sampleGeneration('l'), { lines: [sampleLine({ kind: 'server', message: 'no' })] });
  await store.hold(sampleHold('h'));
  const { bounds: windows } = sampleHold('h');
  const readAll = async (opened: Store) => [
    ...(await Promise.all(['g', 'h', 'waiting'].map((id) => opened.read(id)))),
    ...[await opened.queues(), await opened.listWebhooks({ limit: 10 }), await opened.readCells('')],
    ...[await opened.cacheGet('c'), await opened.cacheStats({})],
    await opened.cacheClaim({ key: 's', generation: 'other', until: 1_000 }, 61),
    ...[await opened.uses('local', windows), await opened.costs({ by: ['model'], since: 0, until: 100, limit: 10 })],
    await opened.failures({ since: 0, until: 100, limit: 10 }),
  ];
  const before = await readAll(store);
  const again = await reopen();
  assert.deepEqual(await readAll(again), before);
  await again.close();
}

async function closesInOrder(open: () => Promise<OpenedStore>): Promise<void> {
  const { store, other } = await open();
  const begun = [store.create(sampleGeneration('g')), store.append(sampleFence('g', 0), [started(1)])];
  await Promise.all([...begun, store.close(), store.close()]);
  await assert.rejects(store.read('g'), { name: 'StoreClosedError' });
  await other?.close();
}
