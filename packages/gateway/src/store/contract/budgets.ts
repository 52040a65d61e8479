import assert from 'node:assert/strict';
import type { Hold, Window } from '../ledger.ts';
import type { Store } from '../store.ts';
import {
  createFinished,
  DAY,
  doubtfulLine,
  sampleFence,
  sampleGeneration,
  sampleHold,
  sampleLine,
  sampleSummary,
  started,
} from './samples.ts';
import type { SharedStoreTests, StoreTests } from './store-tests.ts';

const HELD = { kind: 'held' } as const;
const IMAGES: Window = { name: 'images total', unit: 'images', since: 0 };

async function use(store: Store, window: Window = DAY, caller = 'local') {
  const [found] = await store.uses(caller, [window]);
  return found && [found.spent, found.held];
}

async function finish(store: Store, id: string, lines = [sampleLine()]): Promise<void> {
  await store.append(sampleFence(id, 0), [started(1)], sampleSummary({ lines }));
}

/** Two hundred calls of 0.05 dollars at a budget of 5 dollars, alternately at each of the nodes. */
async function askAtOnce(nodes: readonly Store[]): Promise<void> {
  const bounds = [{ ...DAY, most: 5_000_000 }];
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const store = nodes[index % nodes.length];
      await store?.create(sampleGeneration(`g${index}`));
      return store?.hold(sampleHold(`g${index}`, { bounds }));
    }),
  );
  assert.equal(answers.filter((answer) => answer?.kind === 'held').length, 100);
  assert.deepEqual(
    answers.find((answer) => answer?.kind === 'refused'),
    { kind: 'refused', window: DAY.name, left: 0 },
  );
  for (const store of nodes) assert.deepEqual(await use(store), [0, 5_000_000]);
}

export const budgets: StoreTests = {
  async 'a budget is held to its last millionth, and what is refused changes nothing'(store) {
    for (const id of ['a', 'b', 'c']) await store.create(sampleGeneration(id));
    assert.deepEqual(await store.hold(sampleHold('a')), HELD);
    const refused = { kind: 'refused', window: DAY.name, left: 50_000 };
    assert.deepEqual(await store.hold(sampleHold('b', { microUsd: 50_001 })), refused);
    assert.deepEqual(await use(store), [0, 50_000]);
    assert.deepEqual(await store.hold(sampleHold('b')), HELD);
    assert.deepEqual(await store.hold(sampleHold('c', { microUsd: 1 })), { ...refused, left: 0 });
    assert.deepEqual(await store.hold(sampleHold('c', { microUsd: 0 })), HELD);
    assert.deepEqual(await use(store), [0, 100_000]);
    assert.deepEqual(await use(store, DAY, 'other'), [0, 0]);
    const less = [{ ...DAY, most: 60_000 }];
    assert.deepEqual(await store.hold(sampleHold('c', { microUsd: 0, bounds: less })), HELD);
    assert.deepEqual(await store.hold(sampleHold('c', { microUsd: 1, bounds: less })), { ...refused, left: 0 });
  },

  async 'a run holds what it asked for last, and the same again changes nothing'(store) {
    await store.create(sampleGeneration('a', { runs: 2 }));
    for (const _ of [1, 2]) assert.deepEqual(await store.hold(sampleHold('a')), HELD);
    assert.deepEqual(await use(store), [0, 50_000]);
    assert.deepEqual(await store.hold(sampleHold('a', { microUsd: 100_000 })), HELD);
    assert.deepEqual(await use(store), [0, 100_000]);
    const refused = { kind: 'refused', window: DAY.name, left: 100_000 };
    assert.deepEqual(await store.hold(sampleHold('a', { microUsd: 100_001 })), refused);
    assert.deepEqual(await store.hold(sampleHold('a', { microUsd: 60_000 })), HELD);
    assert.deepEqual(await store.hold(sampleHold('a', { run: 1, microUsd: 40_000 })), HELD);
    assert.deepEqual(await use(store), [0, 100_000]);
    const tomorrow = { ...DAY, name: 'budget day 2', since: 1_000, until: 2_000 };
    assert.deepEqual(await store.hold(sampleHold('a', { at: 1_001, bounds: [{ ...tomorrow, most: 50_000 }] })), HELD);
    assert.deepEqual(
      [await use(store), await use(store, tomorrow)],
      [
        [0, 40_000],
        [0, 50_000],
      ],
    );
  },

  async 'all bounds hold or none does, and of those that refuse the one that ends last is told'(store) {
    for (const id of ['a', 'b']) await store.create(sampleGeneration(id));
    const month = { ...DAY, name: 'budget month 1', until: 30_000 };
    const bounds: Hold['bounds'] = [
      { ...month, most: 60_000 },
      { ...DAY, most: 55_000 },
      { ...IMAGES, most: 3 },
    ];
    assert.deepEqual(await store.hold(sampleHold('a', { bounds, images: 2 })), HELD);
    const left = { kind: 'refused', window: month.name, left: 10_000 };
    assert.deepEqual(await store.hold(sampleHold('b', { bounds })), left);
    const images = { kind: 'refused', window: IMAGES.name, left: 1 };
    assert.deepEqual(await store.hold(sampleHold('b', { bounds, images: 2, microUsd: 1 })), images);
    for (const [window, held] of [
      [month, 50_000],
      [DAY, 50_000],
      [IMAGES, 2],
    ] as const) {
      assert.deepEqual(await use(store, window), [0, held]);
    }
  },

  async 'a window begins with what its caller spent in it before'(store) {
    await createFinished(store, sampleGeneration('a'), { lines: [sampleLine(), doubtfulLine({ attempt: 2 })] });
    await createFinished(store, sampleGeneration('other', { caller: 'other' }), { lines: [sampleLine()] });
    await createFinished(store, sampleGeneration('later'), { lines: [sampleLine({ startedAt: 1_000 })] });
    assert.deepEqual(await use(store), [40_000, 40_000]);
    await store.create(sampleGeneration('b'));
    const refused = { kind: 'refused', window: DAY.name, left: 20_000 };
    assert.deepEqual(await store.hold(sampleHold('b')), refused);
    assert.deepEqual(await store.hold(sampleHold('b', { microUsd: 20_000 })), HELD);
    assert.deepEqual(await use(store), [40_000, 60_000]);
    assert.deepEqual(await use(store, { ...IMAGES, until: 1_000 }), [1, 1]);
  },

  async 'the summary replaces what its generation held by what its lines say'(store) {
    const bounds = [
      { ...DAY, most: 200_000 },
      { ...IMAGES, most: 10 },
    ];
    await store.create(sampleGeneration('a', { runs: 2 }));
    for (const run of [0, 1]) await store.hold(sampleHold('a', { run, bounds, images: 2 }));
    await finish(store, 'a', [sampleLine(), doubtfulLine({ run: 1, possibleMicroUsd: 7 })]);
    assert.deepEqual(
      [await use(store), await use(store, IMAGES)],
      [
        [40_000, 7],
        [1, 1],
      ],
    );
    await store.create(sampleGeneration('b'));
    await store.hold(sampleHold('b', { bounds }));
    await store.append(sampleFence('b', 0), [started(1)], sampleSummary({ billed: 'no' }));
    assert.deepEqual(await use(store), [40_000, 7]);
  },

  async 'at a price nobody knows what was held for it stays held'(store) {
    await store.create(sampleGeneration('a'));
    await store.hold(sampleHold('a'));
    await finish(store, 'a', [
      sampleLine({ spentMicroUsd: 10_000 }),
      doubtfulLine({ attempt: 2, possibleMicroUsd: null }),
      doubtfulLine({ attempt: 3, possibleMicroUsd: null }),
    ]);
    assert.deepEqual(await use(store), [10_000, 40_000]);
    assert.deepEqual(await use(store, { ...DAY, name: 'another' }), [10_000, 40_000]);
  },

  async 'a line counts where it was held, also when its day ended before it began'(store) {
    const tomorrow = { ...DAY, name: 'budget day 2', since: 1_000, until: 2_000 };
    for (const id of ['a', 'b']) await store.create(sampleGeneration(id));
    await store.hold(sampleHold('b', { at: 1_000, bounds: [{ ...tomorrow, most: 50_000 }] }));
    await store.hold(sampleHold('a'));
    await finish(store, 'a', [sampleLine({ startedAt: 1_001 })]);
    assert.deepEqual(
      [await use(store), await use(store, tomorrow)],
      [
        [40_000, 0],
        [0, 50_000],
      ],
    );
    assert.deepEqual(await use(store, { ...tomorrow, name: 'another' }), [0, 0]);
    assert.deepEqual(await use(store, { ...DAY, name: 'another' }), [40_000, 0]);
  },

  async 'a budget that came while a run was under way has its lines too'(store) {
    for (const id of ['a', 'b']) await store.create(sampleGeneration(id));
    await store.hold(sampleHold('b'));
    await finish(store, 'a');
    assert.deepEqual(await use(store), [40_000, 50_000]);
  },

  async 'nothing is held for what no summary would end'(store) {
    await createFinished(store, sampleGeneration('done'));
    await store.create(sampleGeneration('a'));
    for (const hold of [sampleHold('done'), sampleHold('nowhere'), sampleHold('a', { caller: 'other' })]) {
      await assert.rejects(store.hold(hold), { name: 'LostRunError' });
    }
    assert.deepEqual(await use(store), [0, 0]);
  },

  async 'a hold that no budget can be asked for is refused in words'(store) {
    const bound = { ...DAY, most: 1 };
    await assert.rejects(store.hold(sampleHold('a', { microUsd: 0.5 })), /microUsd is 0\.5/);
    await assert.rejects(store.hold(sampleHold('a', { images: -1 })), /images is -1/);
    await assert.rejects(store.hold(sampleHold('a', { bounds: [] })), /1 to 8/);
    await assert.rejects(store.hold(sampleHold('a', { bounds: Array(9).fill(bound) })), /1 to 8/);
    await assert.rejects(store.hold(sampleHold('a', { bounds: [bound, bound] })), /bound once/);
  },

  async 'of 200 calls of $0.05 at once exactly 100 fit into $5'(store) {
    await askAtOnce([store]);
  },
};

export const sharedBudgets: SharedStoreTests = {
  async 'of 200 calls of $0.05 at two nodes exactly 100 fit into $5'(store, other) {
    await askAtOnce([store, other]);
  },

  async 'what one node holds another ends, and both count it'(store, other) {
    for (const id of ['a', 'b']) await store.create(sampleGeneration(id));
    await store.hold(sampleHold('a'));
    assert.deepEqual(await other.hold(sampleHold('b')), HELD);
    await finish(other, 'a');
    await finish(store, 'b');
    for (const node of [store, other]) assert.deepEqual(await use(node), [80_000, 0]);
  },
};
