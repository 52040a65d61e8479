import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foundInSteps, LOOKED_AT_ONCE, MAX_LOOKED, type Step } from './browsing.ts';
import { MAX_SEARCHED_CHARS, searchText } from './search-text.ts';

/** Rows from `total` down to 1, of which every `each`th is wanted; notes from where each step went. */
function rowsOf(total: number, each: number) {
  const steps: (number | undefined)[] = [];
  const take = async (before: number | undefined, limit: number): Promise<Step<number, number>> => {
    steps.push(before);
    const from = (before ?? total + 1) - 1;
    const stoppedAt = from - LOOKED_AT_ONCE + 1;
    const rows: number[] = [];
    for (let row = from; row >= Math.max(1, stoppedAt) && rows.length < limit; row -= 1)
      if (row % each === 0) rows.push(row);
    return { rows, ...(stoppedAt >= 1 && { stoppedAt }) };
  };
  return {
    steps,
    find: (limit: number, before?: number) => foundInSteps({ limit, ...(before && { before }) }, take, Number),
  };
}

test('a page is found in as many steps as it takes, and joins the next without a gap or a repeat', async () => {
  const { find, steps } = rowsOf(35_000, 6_000);
  assert.deepEqual(await find(2), { rows: [30_000, 24_000], next: 24_000 });
  assert.deepEqual(await find(9, 24_000), { rows: [18_000, 12_000, 6_000] });
  assert.deepEqual(steps, [undefined, 25_001, 24_000, 14_000, 4_000]);
});

test('a look has an end, and tells where the next one goes on', async () => {
  const { find, steps } = rowsOf(MAX_LOOKED + 20_000, 1_000_000);
  assert.deepEqual(await find(5), { rows: [], next: 20_001, stoppedAfter: MAX_LOOKED });
  assert.equal(steps.length, MAX_LOOKED / LOOKED_AT_ONCE);
  assert.deepEqual(await find(5, 20_001), { rows: [] });
});

test('what is searched is short, without capitals, and text that every database holds', () => {
  assert.equal(searchText('ÄB\0C\ud800'), 'äbc\ufffd');
  assert.equal(searchText('u\u0308'), 'ü');
  assert.equal(searchText('x'.repeat(40_000)).length, MAX_SEARCHED_CHARS);
});
