import assert from 'node:assert/strict';
import { DISABLED_REASON } from '../outbox.ts';
import type { NewGeneration, Store } from '../store.ts';
import { createFinished, ids, sampleEvent, sampleFence, sampleGeneration, WEBHOOK } from './samples.ts';
import type { SharedStoreTests, StoreTests } from './store-tests.ts';

const { url } = WEBHOOK;

/** Finishes a generation with a webhook; its event has the id `event of …` and is due at 50. */
async function finishHooked(store: Store, id: string, change: Partial<NewGeneration> = {}): Promise<void> {
  const generation = sampleGeneration(id, { webhook: WEBHOOK, ...change });
  await createFinished(store, generation, { webhook: sampleEvent(`event of ${id}`) });
}

const DELIVERY = { type: 'task.completed', at: 50, caller: 'local', url, tries: 0 } as const;

export const webhooks: StoreTests = {
  async 'a finish puts its event in the outbox, and only where there is a webhook'(store) {
    await finishHooked(store, 'g');
    await createFinished(store, sampleGeneration('silent', { webhook: WEBHOOK }));
    await createFinished(store, sampleGeneration('bare'), { webhook: sampleEvent('event of bare') });
    const delivery = { ...DELIVERY, id: 'event of g', generation: 'g' };
    assert.deepEqual(await store.listWebhooks({ limit: 10 }), [{ ...delivery, state: 'waiting', retryAt: 50 }]);
    assert.deepEqual(await store.dueWebhooks(49, 200, 10), []);
    assert.deepEqual(await store.dueWebhooks(50, 200, 10), [delivery]);
    assert.deepEqual((await store.read('g'))?.webhook, WEBHOOK);
  },

  async 'an append that is refused puts nothing in the outbox'(store) {
    await store.create(sampleGeneration('g', { webhook: WEBHOOK }));
    const refused = createFinished(store, sampleGeneration('g', { webhook: WEBHOOK }), { webhook: sampleEvent('e') });
    await assert.rejects(refused);
    await assert.rejects(
      store.append(sampleFence('g', 3), [{ type: 'attempt-started', at: 1, attempt: 1, target: 't' }], {
        ...{ status: 'completed', finishedAt: 50, billed: 'yes', assets: [] },
        webhook: sampleEvent('e'),
      }),
    );
    assert.deepEqual(await store.listWebhooks({ limit: 10 }), []);
  },

  async 'other events go the same way, each once'(store) {
    await store.create(sampleGeneration('g', { webhook: WEBHOOK }));
    await store.create(sampleGeneration('bare'));
    const event = sampleEvent('e', { type: 'task.progress', at: 20 });
    await store.notify('g', event);
    await store.notify('g', event);
    await store.notify('bare', sampleEvent('f'));
    await store.notify('none', sampleEvent('h'));
    assert.deepEqual(await store.dueWebhooks(1_000, 2_000, 10), [
      { ...DELIVERY, id: 'e', generation: 'g', type: 'task.progress', at: 20 },
    ]);
    assert.equal((await store.listWebhooks({ limit: 10 })).length, 1);
  },

  async 'those due longest are taken first, and by nobody else until the instant given'(store) {
    for (const [id, at] of Object.entries({ second: 20, third: 30, first: 10, later: 99 })) {
      await store.create(sampleGeneration(id, { webhook: WEBHOOK }));
      await store.notify(id, sampleEvent(id, { at }));
    }
    assert.deepEqual(ids(await store.dueWebhooks(50, 200, 2)), ['first', 'second']);
    assert.deepEqual(ids(await store.dueWebhooks(50, 200, 10)), ['third']);
    assert.deepEqual(ids(await store.dueWebhooks(199, 300, 10)), ['later']);
    assert.deepEqual(ids(await store.dueWebhooks(200, 300, 10)).toSorted(), ['first', 'second', 'third']);
  },

  async 'a try that failed is due again when it says, and counted'(store) {
    await finishHooked(store, 'g');
    const id = 'event of g';
    await store.dueWebhooks(50, 200, 10);
    await store.settleWebhook(id, { state: 'waiting', at: 60, retryAt: 90, reason: 'HTTP 503' });
    const [row] = await store.listWebhooks({ limit: 1 });
    const failed = { ...DELIVERY, id, generation: 'g', tries: 1 };
    assert.deepEqual(row, { ...failed, state: 'waiting', retryAt: 90, reason: 'HTTP 503' });
    assert.deepEqual(await store.dueWebhooks(89, 200, 10), []);
    assert.deepEqual(await store.dueWebhooks(90, 200, 10), [failed]);
    await store.settleWebhook(id, { state: 'delivered', at: 95, status: 204 });
    assert.deepEqual(await store.listWebhooks({ limit: 1 }), [
      { ...failed, tries: 2, state: 'delivered', settledAt: 95, status: 204 },
    ]);
    assert.deepEqual(await store.dueWebhooks(10_000, 20_000, 10), []);
  },

  async 'what is settled is not tried again by who comes late'(store) {
    for (const id of ['g', 'h']) await finishHooked(store, id);
    await store.settleWebhook('event of g', { state: 'delivered', at: 60, status: 200 });
    await store.settleWebhook('event of g', { state: 'given-up', at: 61, reason: 'late' });
    await store.settleWebhook('event of h', { state: 'given-up', at: 60, reason: 'too many tries' });
    for (const id of ['event of g', 'event of h', 'none']) {
      await store.settleWebhook(id, { state: 'waiting', at: 62, retryAt: 63, reason: 'late' });
    }
    assert.deepEqual(await store.dueWebhooks(1_000, 2_000, 10), []);
    const rows = await store.listWebhooks({ limit: 10 });
    assert.deepEqual(
      rows.map(({ id, state, settledAt, reason }) => [id, state, settledAt, reason]),
      [
        ['event of h', 'given-up', 60, 'too many tries'],
        ['event of g', 'delivered', 60, undefined],
      ],
    );
    await store.settleWebhook('event of h', { state: 'delivered', at: 70, status: 200 });
    assert.equal((await store.listWebhooks({ id: 'event of h', limit: 1 }))[0]?.state, 'delivered');
  },

  async 'an address that is disabled gets nothing, for this caller, until it is delivered to again'(store) {
    await finishHooked(store, 'before');
    await finishHooked(store, 'foreign', { caller: 'other' });
    await finishHooked(store, 'elsewhere', { webhook: { ...WEBHOOK, url: 'https://hooks.test/b' } });
    await finishHooked(store, 'settled');
    await store.settleWebhook('event of settled', { state: 'delivered', at: 55, status: 200 });
    await store.disableEndpoint('local', url, 60);
    await store.disableEndpoint('local', url, 61);
    await finishHooked(store, 'after');
    await store.notify('after', sampleEvent('e', { at: 70 }));
    assert.deepEqual(ids(await store.dueWebhooks(1_000, 2_000, 10)), ['event of foreign', 'event of elsewhere']);
    const given = await store.listWebhooks({ state: 'given-up', limit: 10 });
    assert.deepEqual(
      given.map(({ id, settledAt, reason, retryAt }) => [id, settledAt, reason, retryAt]),
      [
        ['e', 70, DISABLED_REASON, undefined],
        ['event of after', 50, DISABLED_REASON, undefined],
        ['event of before', 60, DISABLED_REASON, undefined],
      ],
    );
    assert.equal(await store.redeliver({ id: 'event of before', limit: 1 }, 3_000), 1);
    await finishHooked(store, 'again');
    assert.deepEqual(ids(await store.dueWebhooks(3_000, 4_000, 10)), [
      'event of again',
      ...['event of foreign', 'event of elsewhere', 'event of before'],
    ]);
  },

  async 'delivering again counts tries from nothing, and takes delivered ones too'(store) {
    await finishHooked(store, 'g');
    await finishHooked(store, 'h');
    await store.settleWebhook('event of g', { state: 'delivered', at: 60, status: 200 });
    await store.settleWebhook('event of h', { state: 'given-up', at: 60, reason: 'too many tries' });
    assert.equal(await store.redeliver({ state: 'waiting', limit: 10 }, 70), 0);
    assert.equal(await store.redeliver({ generation: 'g', limit: 10 }, 70), 1);
    assert.deepEqual(await store.listWebhooks({ generation: 'g', limit: 10 }), [
      { ...DELIVERY, id: 'event of g', generation: 'g', state: 'waiting', retryAt: 70 },
    ]);
    assert.equal(await store.redeliver({ limit: 10 }, 80), 2);
    assert.deepEqual(await store.dueWebhooks(79, 200, 10), []);
    assert.equal((await store.dueWebhooks(80, 200, 10)).length, 2);
  },

  async 'the list is the latest first and filtered'(store) {
    await finishHooked(store, 'a');
    await finishHooked(store, 'b', { caller: 'other' });
    await finishHooked(store, 'c');
    await store.settleWebhook('event of a', { state: 'delivered', at: 60, status: 200 });
    const list = async (filter: object) =>
      (await store.listWebhooks({ limit: 10, ...filter })).map((row) => row.generation);
    assert.deepEqual(await list({}), ['c', 'b', 'a']);
    assert.deepEqual(await list({ limit: 1 }), ['c']);
    assert.deepEqual(await list({ caller: 'local' }), ['c', 'a']);
    assert.deepEqual(await list({ caller: 'local', state: 'waiting' }), ['c']);
    assert.deepEqual(await list({ generation: 'b' }), ['b']);
    assert.deepEqual(await list({ id: 'event of a' }), ['a']);
    assert.deepEqual(await list({ id: 'event of a', caller: 'other' }), []);
    for (const limit of [0, 1.5, 1_001]) {
      await assert.rejects(store.listWebhooks({ limit }), /limit/);
      await assert.rejects(store.redeliver({ limit }, 1), /limit/);
      await assert.rejects(store.dueWebhooks(1, 2, limit), /limit/);
    }
  },

  async 'an address that was disabled before what is kept is forgotten'(store) {
    await store.disableEndpoint('local', url, 60);
    await store.expire({ createdBefore: 60, excessBytes: 0, limit: 10 });
    await finishHooked(store, 'g', { createdAt: 100 });
    assert.equal((await store.listWebhooks({ limit: 1 }))[0]?.state, 'given-up');
    await store.expire({ createdBefore: 61, excessBytes: 0, limit: 10 });
    await finishHooked(store, 'h', { createdAt: 100 });
    assert.equal((await store.listWebhooks({ limit: 1 }))[0]?.state, 'waiting');
  },

  async 'webhooks go with their generation'(store) {
    await finishHooked(store, 'old', { createdAt: 1 });
    await finishHooked(store, 'young', { createdAt: 20 });
    await store.expire({ createdBefore: 20, excessBytes: 0, limit: 10 });
    assert.deepEqual(ids(await store.listWebhooks({ limit: 10 })), ['event of young']);
    assert.deepEqual(ids(await store.dueWebhooks(1_000, 2_000, 10)), ['event of young']);
  },
};

export const sharedWebhooks: SharedStoreTests = {
  async 'two nodes never take the same delivery'(store, other) {
    await Promise.all(Array.from({ length: 40 }, (_, index) => finishHooked(store, `g${index}`)));
    const takes = [store, other, store, other].map((node) => node.dueWebhooks(60, 200, 10));
    const taken = (await Promise.all(takes)).flatMap(ids);
    assert.equal(new Set(taken).size, taken.length);
    const rest = await other.dueWebhooks(60, 200, 100);
    assert.equal(new Set([...taken, ...ids(rest)]).size, 40);
  },
};
