import assert from 'node:assert/strict';
import { LostRunError, type QueueState, type Store } from '../store.ts';
import {
  ids,
  LEASE,
  PLACE,
  sampleFence,
  sampleGeneration,
  samplePlan,
  sampleSummary,
  sampleWaiting,
  started,
} from './samples.ts';
import type { SharedStoreTests, StoreTests } from './store-tests.ts';

const ALL = { queue: 'q', most: 1_000, exceptCallers: [] } as const;

async function fill(store: Store): Promise<void> {
  await store.create(sampleWaiting('late', 30));
  await store.create(sampleWaiting('first', 10, { images: 4 }));
  await store.create(sampleWaiting('tied', 10));
  await store.create(sampleWaiting('between', 20.5, { priority: 'batch', cost: 100 }, { caller: 'other' }));
  await store.create(sampleWaiting('elsewhere', 1, { queue: 'r' }));
}

/** Without the order, which a store may choose. */
function sorted(queues: readonly QueueState[]): readonly QueueState[] {
  const lane = ({ caller, priority }: { readonly caller: string; readonly priority: string }) =>
    `${caller} ${priority}`;
  return queues
    .map((one) => ({ ...one, lanes: one.lanes.toSorted((a, b) => lane(a).localeCompare(lane(b))) }))
    .sort((a, b) => a.queue.localeCompare(b.queue));
}

export const queues: StoreTests = {
  async 'what waits is read with its place, in a state of its own, and belongs to nobody'(store) {
    const webhook = { url: 'https://hooks.test/a?b=ж', events: ['task.completed', 'task.failed'] };
    const waiting = sampleWaiting('g', 12.25, { cost: 1.5, priority: 'batch', images: 3 }, { runs: 2, webhook });
    const { begin: _, assets: __, runs: ___, ...created } = waiting;
    assert.deepEqual(await store.create(waiting), { kind: 'created' });
    const expected = {
      ...created,
      ...{ route: 'image-best', prompt: 'a red fox', status: 'pending', journals: [[], []] },
      place: { ...PLACE, tag: 12.25, cost: 1.5, priority: 'batch', images: 3 },
      tag: 12.25,
    };
    assert.deepEqual(await store.read('g'), expected);
    await assert.rejects(store.append(sampleFence('g', 0), [started(1)]), LostRunError);
    assert.deepEqual(await store.claim('worker-b', 8_999, 9_500, 10), []);
  },

  async 'the lowest tag goes first, and of equal tags the first created'(store) {
    await fill(store);
    const first = await store.claimWaiting({ ...ALL, most: 1 }, LEASE);
    assert.deepEqual(first.next, { tag: 10, images: 1 });
    assert.equal((await store.read('late'))?.status, 'pending');
    const others = await store.claimWaiting(ALL, LEASE);
    assert.deepEqual([...ids(first.claimed), ...ids(others.claimed)], ['first', 'tied', 'between', 'late']);
    assert.equal(others.next, undefined);
    assert.deepEqual(await store.claimWaiting(ALL, LEASE), { claimed: [], next: undefined });
    assert.deepEqual(ids((await store.claimWaiting({ ...ALL, queue: 'r' }, LEASE)).claimed), ['elsewhere']);
    assert.deepEqual(await store.claimWaiting({ ...ALL, queue: 'none' }, LEASE), { claimed: [], next: undefined });
  },

  async 'what was claimed is processing under the lease, waits no more, and is given as it is read'(store) {
    await store.create(sampleWaiting('g', 1, {}, { runs: 2, plan: samplePlan('ж'.repeat(10_000)) }));
    const { claimed } = await store.claimWaiting(ALL, { worker: 'worker-b', until: 200 });
    const stored = await store.read('g');
    assert.deepEqual(claimed, [stored]);
    assert.equal(stored?.status, 'processing');
    assert.equal(stored?.place, undefined);
    assert.equal(await store.place('g'), undefined);
    assert.deepEqual(await store.queues(), []);
    await assert.rejects(store.append(sampleFence('g', 0), [started(1)]), LostRunError);
    await store.append(sampleFence('g', 0, { worker: 'worker-b' }), [started(1)]);
    assert.deepEqual(await store.claim('worker-c', 199, 900, 10), []);
    assert.deepEqual(ids(await store.claim('worker-c', 200, 900, 10)), ['g']);
  },

  async 'callers may be passed over, and tags from one on left'(store) {
    await fill(store);
    const other = await store.claimWaiting({ ...ALL, exceptCallers: ['local', 'nobody'] }, LEASE);
    assert.deepEqual(ids(other.claimed), ['between']);
    assert.equal(other.next, undefined);
    const before = await store.claimWaiting({ ...ALL, beforeTag: 30 }, LEASE);
    assert.deepEqual(ids(before.claimed), ['first', 'tied']);
    assert.deepEqual(before.next, { tag: 30, images: 1 });
    assert.deepEqual(ids((await store.claimWaiting({ ...ALL, beforeTag: 30.5 }, LEASE)).claimed), ['late']);
  },

  async 'one that waits is taken by its id, once'(store) {
    await fill(store);
    await store.create(sampleGeneration('held'));
    const taken = await store.take('late', { worker: 'worker-b', until: 200 });
    assert.deepEqual(taken, await store.read('late'));
    assert.equal(taken?.status, 'processing');
    for (const id of ['late', 'held', 'none']) assert.equal(await store.take(id, LEASE), undefined);
    await store.append(
      sampleFence('late', 0, { worker: 'worker-b' }),
      [started(1)],
      sampleSummary({ status: 'canceled', code: 'canceled', billed: 'no' }),
    );
    assert.equal((await store.read('late'))?.status, 'canceled');
    assert.deepEqual(ids((await store.claimWaiting(ALL, LEASE)).claimed), ['first', 'tied', 'between']);
  },

  async 'a place is how many go before in the queue and what they cost'(store) {
    await fill(store);
    assert.deepEqual(await store.place('first'), { ahead: 0, aheadCost: 0 });
    assert.deepEqual(await store.place('tied'), { ahead: 1, aheadCost: 10 });
    assert.deepEqual(await store.place('late'), { ahead: 3, aheadCost: 120 });
    assert.deepEqual(await store.place('elsewhere'), { ahead: 0, aheadCost: 0 });
    assert.equal(await store.place('none'), undefined);
    await store.claimWaiting({ ...ALL, most: 2 }, LEASE);
    assert.deepEqual(await store.place('late'), { ahead: 1, aheadCost: 100 });
  },

  async 'every queue is told with its head and its lanes'(store) {
    assert.deepEqual(await store.queues(), []);
    await fill(store);
    await store.create(sampleWaiting('batch', 15, { priority: 'batch', cost: 3 }));
    assert.deepEqual(sorted(await store.queues()), [
      {
        queue: 'q',
        head: { tag: 10, images: 4 },
        lanes: [
          { caller: 'local', priority: 'batch', waiting: 1, lastFinish: 18 },
          { caller: 'local', priority: 'interactive', waiting: 3, lastFinish: 40 },
          { caller: 'other', priority: 'batch', waiting: 1, lastFinish: 120.5 },
        ],
      },
      {
        queue: 'r',
        head: { tag: 1, images: 1 },
        lanes: [{ caller: 'local', priority: 'interactive', waiting: 1, lastFinish: 11 }],
      },
    ]);
  },

  async 'what waited until its deadline is claimed with the rest, oldest first, and waits no more'(store) {
    await store.create(sampleWaiting('dear', 5, { deadlineAt: 99 }, { createdAt: 12 }));
    await store.create(sampleGeneration('held', { createdAt: 13 }));
    await store.create(sampleWaiting('gone', 6, { deadlineAt: 100 }, { createdAt: 11 }));
    await store.create(sampleWaiting('patient', 1, { deadlineAt: 101 }, { createdAt: 10 }));
    assert.deepEqual(ids(await store.claim('worker-b', 98, 200, 10)), []);
    assert.deepEqual(ids(await store.claim('worker-b', 100, 200, 2)), ['gone', 'dear']);
    const claimed = await store.claim('worker-b', 100, 200, 2);
    assert.deepEqual(claimed, [await store.read('held')]);
    const gone = await store.read('gone');
    assert.equal(gone?.status, 'processing');
    assert.equal(gone?.place, undefined);
    assert.deepEqual(ids((await store.claimWaiting(ALL, LEASE)).claimed), ['patient']);
    await store.append(sampleFence('gone', 0, { worker: 'worker-b' }), [started(1)], sampleSummary());
  },

  async 'an idempotency key finds what waits'(store) {
    const idempotency = { key: 'k', expiresAt: 900 };
    await store.create(sampleWaiting('g', 1, {}, { idempotency }));
    const again = await store.create(sampleWaiting('h', 2, {}, { idempotency }));
    assert.deepEqual(again, { kind: 'existing', id: 'g', fingerprint: 'fingerprint of g' });
    assert.deepEqual(await store.place('h'), undefined);
    assert.deepEqual(ids((await store.claimWaiting(ALL, LEASE)).claimed), ['g']);
  },

  async 'a wish to cancel is noted until the end, and told to whoever renews'(store) {
    await store.create(sampleGeneration('running'));
    await store.create(sampleGeneration('foreign', { begin: { lease: { ...LEASE, worker: 'worker-b' } } }));
    await store.create(sampleGeneration('calm'));
    await store.create(sampleWaiting('waiting', 1));
    for (const id of ['running', 'foreign', 'waiting']) assert.equal(await store.requestCancel(id, 60), 'noted');
    assert.equal(await store.requestCancel('running', 70), 'noted');
    assert.equal(await store.requestCancel('none', 60), 'unknown');
    assert.equal((await store.read('running'))?.cancelRequestedAt, 60);
    assert.equal((await store.read('waiting'))?.status, 'pending');
    assert.deepEqual(await store.renew(LEASE.worker, ['calm', 'running', 'foreign', 'waiting', 'none'], 500), [
      'running',
    ]);
    assert.equal((await store.claimWaiting(ALL, LEASE)).claimed[0]?.cancelRequestedAt, 60);
    await store.append(sampleFence('running', 0), [started(1)], sampleSummary({ status: 'canceled' }));
    assert.equal(await store.requestCancel('running', 80), 'finished');
    assert.equal((await store.read('running'))?.cancelRequestedAt, 60);
    assert.deepEqual(await store.renew(LEASE.worker, ['running', 'calm'], 600), []);
  },

  async 'claims at once never share a generation'(store) {
    const names = Array.from({ length: 40 }, (_, index) => `g${index}`);
    await Promise.all(names.map((name, index) => store.create(sampleWaiting(name, index))));
    const claims = Array.from({ length: 10 }, () => store.claimWaiting({ ...ALL, most: 5 }, LEASE));
    const claimed = (await Promise.all(claims)).flatMap((claim) => ids(claim.claimed));
    assert.deepEqual([...claimed].sort(), [...names].sort());
  },

  async 'a claim takes from 1 to 1000'(store) {
    for (const most of [0, -1, 1.5, 1_001, Number.NaN]) {
      await assert.rejects(store.claimWaiting({ ...ALL, most }, LEASE), /most/);
    }
  },
};

export const sharedQueues: SharedStoreTests = {
  async 'two nodes that claim at once share no generation and leave none'(store, other) {
    const names = Array.from({ length: 100 }, (_, index) => `g${index}`);
    await Promise.all(names.map((name, index) => store.create(sampleWaiting(name, index))));
    const claimed: string[] = [];
    for (let round = 0; claimed.length < names.length; round += 1) {
      assert.ok(round < names.length, 'claims leave some behind');
      const claims = [store, other, store, other].map((node) => node.claimWaiting({ ...ALL, most: 5 }, LEASE));
      claimed.push(...(await Promise.all(claims)).flatMap((claim) => ids(claim.claimed)));
    }
    assert.deepEqual(claimed.sort(), names.sort());
    assert.deepEqual(await other.queues(), []);
  },

  async 'one that two nodes take at once goes to one of them'(store, other) {
    for (let round = 0; round < 10; round += 1) {
      await store.create(sampleWaiting(`g${round}`, round));
      const takes = await Promise.all([store, other].map((node) => node.take(`g${round}`, LEASE)));
      assert.equal(takes.filter((taken) => taken !== undefined).length, 1);
    }
  },

  async 'leases that ended are claimed by one of two nodes, and the other is shut out'(store, other) {
    const names = Array.from({ length: 40 }, (_, index) => `g${index}`);
    await Promise.all(names.map((name) => store.create(sampleGeneration(name))));
    const [mine, theirs] = await Promise.all([
      store.claim('worker-b', 100, 200, 40),
      other.claim('worker-c', 100, 200, 40),
    ]);
    const rest = await store.claim('worker-b', 100, 200, 40);
    assert.deepEqual([...ids(mine), ...ids(theirs), ...ids(rest)].sort(), names.sort());
    for (const { id } of theirs.slice(0, 3)) {
      await assert.rejects(store.append(sampleFence(id, 0, { worker: 'worker-b' }), [started(1)]), LostRunError);
    }
  },

  async 'of two appends of two nodes at one place one wins'(store, other) {
    await store.create(sampleGeneration('g'));
    for (let length = 0; length < 10; length += 1) {
      const appends = [store, other].map((node) => node.append(sampleFence('g', length), [started(length)]));
      const results = await Promise.allSettled(appends);
      assert.deepEqual(results.map((result) => result.status).sort(), ['fulfilled', 'rejected']);
    }
    assert.equal((await other.read('g'))?.journals[0]?.length, 10);
  },

  async 'of twenty requests with one key at two nodes exactly one is created'(store, other) {
    const idempotency = { key: 'k', expiresAt: 900 };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? store : other).create(sampleWaiting(`g${index}`, index, {}, { idempotency })),
      ),
    );
    assert.equal(answers.filter((answer) => answer.kind === 'created').length, 1);
    assert.equal((await other.list({ limit: 100 })).length, 1);
  },
};
