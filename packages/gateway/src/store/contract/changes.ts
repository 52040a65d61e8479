import assert from 'node:assert/strict';
import type { Change, Store } from '../store.ts';
import {
  createFinished,
  LEASE,
  sampleEvent,
  sampleFence,
  sampleGeneration,
  sampleSummary,
  sampleWaiting,
  started,
  WEBHOOK,
} from './samples.ts';
import type { SharedStoreTests, StoreTests } from './store-tests.ts';

/** Resolves when this change was heard; everything heard is kept in `all`. */
function listen(store: Store) {
  const all: Change[] = [];
  const wanted = new Map<string, () => void>();
  const word = (change: Change) => JSON.stringify(Object.entries(change).sort());
  const stop = store.onChange((change) => {
    all.push(change);
    wanted.get(word(change))?.();
  });
  const heard = (change: Change) =>
    all.some((one) => word(one) === word(change))
      ? Promise.resolve()
      : new Promise<void>((resolve) => wanted.set(word(change), resolve));
  return { all, stop, heard };
}

/** Makes every kind of change on one store and hears each on the other. */
async function hearEverything(actor: Store, listener: Store): Promise<void> {
  const { heard } = listen(listener);
  await actor.create(sampleWaiting('g', 1, { queue: 'openai/a "model" ж' }, { webhook: WEBHOOK }));
  await heard({ kind: 'waiting', queue: 'openai/a "model" ж' });
  await actor.requestCancel('g', 60);
  await heard({ kind: 'cancel', id: 'g' });
  await actor.take('g', LEASE);
  await actor.append(sampleFence('g', 0), [started(1)], sampleSummary());
  await heard({ kind: 'finished', id: 'g' });
  await actor.notify('g', sampleEvent('e'));
  await heard({ kind: 'webhook' });
  await actor.swapCell('k', 0, 1);
  await heard({ kind: 'cell', key: 'k' });
}

export const changes: StoreTests = {
  'a node hears of its own changes': (store) => hearEverything(store, store),

  async 'a webhook of a finish, and one to be delivered again, are heard'(store) {
    const first = listen(store);
    await createFinished(store, sampleGeneration('g', { webhook: WEBHOOK }), { webhook: sampleEvent('e') });
    await first.heard({ kind: 'webhook' });
    first.stop();
    await store.settleWebhook('e', { state: 'delivered', at: 60, status: 200 });
    const second = listen(store);
    await store.redeliver({ limit: 1 }, 70);
    await second.heard({ kind: 'webhook' });
  },

  async 'what changed nothing is not told, and who stopped listening hears nothing'(store) {
    await store.create(sampleWaiting('g', 1, {}, { idempotency: { key: 'k', expiresAt: 99 } }));
    await createFinished(store, sampleGeneration('finished'));
    await store.swapCell('k', 0, 1);
    await store.swapCell('last', 0, 1);
    const settled = listen(store);
    await store.swapCell('last', 1, 1);
    await settled.heard({ kind: 'cell', key: 'last' });
    settled.stop();
    const { length } = settled.all;
    const listener = listen(store);
    await store.create(sampleWaiting('h', 1, { queue: 'never' }, { idempotency: { key: 'k', expiresAt: 99 } }));
    await store.create(sampleGeneration('leased'));
    await store.requestCancel('none', 60);
    await store.requestCancel('finished', 60);
    await store.append(sampleFence('g', 0), [started(1)], sampleSummary()).catch(() => {});
    await store.notify('g', sampleEvent('e'));
    await store.swapCell('k', 0, 2);
    await store.swapCell('end', 0, 1);
    await listener.heard({ kind: 'cell', key: 'end' });
    assert.deepEqual(listener.all, [{ kind: 'cell', key: 'end' }]);
    assert.equal(settled.all.length, length);
  },
};

export const sharedChanges: SharedStoreTests = {
  'a node hears of the changes of another': (store, other) => hearEverything(store, other),

  async 'a wish to cancel reaches the owner also when it renews'(store, other) {
    await store.create(sampleGeneration('g'));
    assert.equal(await other.requestCancel('g', 60), 'noted');
    assert.deepEqual(await store.renew(LEASE.worker, ['g'], 500), ['g']);
  },
};
