import assert from 'node:assert/strict';
import type { SharedStoreTests, StoreTests } from './store-tests.ts';

export const cells: StoreTests = {
  async 'a cell is written where nobody was faster, and versions count from 1'(store) {
    assert.equal(await store.readCell('k'), undefined);
    assert.equal(await store.swapCell('k', 1, 'too early'), false);
    assert.equal(await store.swapCell('k', 0, { tat: 1.5, words: ['🦊', null] }), true);
    assert.deepEqual(await store.readCell('k'), { key: 'k', version: 1, value: { tat: 1.5, words: ['🦊', null] } });
    assert.equal(await store.swapCell('k', 0, 'again'), false);
    assert.equal(await store.swapCell('k', 2, 'ahead'), false);
    assert.equal(await store.swapCell('k', 1, null), true);
    assert.deepEqual(await store.readCell('k'), { key: 'k', version: 2, value: null });
  },

  async 'cells are read by the beginning of their keys, in order'(store) {
    for (const key of [
      'limit/b',
      'limit/a',
      'limit',
      'limits',
      'limit/%',
      'breaker/a',
      'Limit/c',
      'limit/\u{10ffff}',
    ]) {
      await store.swapCell(key, 0, key);
    }
    const keys = async (prefix: string) => (await store.readCells(prefix)).map((cell) => cell.key);
    assert.deepEqual(await keys('limit/'), ['limit/%', 'limit/a', 'limit/b', 'limit/\u{10ffff}']);
    assert.deepEqual(await keys('limit/%'), ['limit/%']);
    assert.deepEqual(await keys('none'), []);
    assert.equal((await keys('')).length, 8);
  },

  async 'of many swaps at once one wins'(store) {
    const swaps = Array.from({ length: 20 }, (_, index) => store.swapCell('k', 0, index));
    const won = (await Promise.all(swaps)).flatMap((swapped, index) => (swapped ? [index] : []));
    assert.equal(won.length, 1);
    assert.deepEqual(await store.readCell('k'), { key: 'k', version: 1, value: won[0] });
  },
};

export const sharedCells: SharedStoreTests = {
  async 'a count that two nodes raise at once loses nothing'(store, other) {
    const raise = async (node: typeof store) => {
      for (;;) {
        const cell = await node.readCell('count');
        if (await node.swapCell('count', cell?.version ?? 0, Number(cell?.value ?? 0) + 1)) return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => raise(index % 2 === 0 ? store : other)));
    assert.deepEqual(await other.readCell('count'), { key: 'count', version: 20, value: 20 });
  },
};
