import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { joined, moveOf, toggled } from './moves.ts';

const GRID = { count: 10, columns: 4, rowsPerPage: 2 };
const KEYS = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'];

test('keys lead through the grid and stop at its edges', () => {
  assert.deepEqual(
    KEYS.map((key) => moveOf(key, 5, GRID)),
    [4, 6, 1, 9, 1, 9, 0, 9],
  );
  assert.deepEqual(
    KEYS.map((key) => moveOf(key, 1, GRID)),
    [0, 2, 1, 5, 1, 9, 0, 9],
  );
  assert.equal(moveOf('a', 5, GRID), undefined);
  assert.equal(moveOf('End', 0, { ...GRID, count: 0 }), undefined);
});

test('no key leads out of the grid', () => {
  const grids = fc.record({
    count: fc.integer({ min: 1, max: 100 }),
    columns: fc.integer({ min: 1, max: 9 }),
    rowsPerPage: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(
    fc.property(grids, fc.nat(99), fc.constantFrom(...KEYS), (grid, from, key) => {
      const to = moveOf(key, from % grid.count, grid) ?? -1;
      assert.ok(to >= 0 && to < grid.count);
    }),
  );
});

test('a selection holds each picture once, and the newest where it is full', () => {
  assert.deepEqual(toggled(['a', 'b'], 'a', 3), ['b']);
  assert.deepEqual(toggled(['a', 'b'], 'c', 2), ['b', 'c']);
  assert.deepEqual(joined(['a', 'b'], ['b', 'c', 'd'], 3), ['b', 'c', 'd']);
});
