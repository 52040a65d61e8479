import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GAP, layoutFor, rowsAt, scrollToShow } from './window.ts';

const WIDTHS = fc.integer({ min: 280, max: 1_440 });

test('columns fill the width and never pass it', () => {
  assert.deepEqual([layoutFor(336).columns, layoutFor(1_200).columns], [2, 6]);
  fc.assert(
    fc.property(WIDTHS, (width) => {
      const { columns, tileWidth } = layoutFor(width);
      const used = columns * tileWidth + (columns - 1) * GAP;
      assert.ok(used <= width && used > width - columns);
    }),
  );
});

test('what is in the window is drawn, wherever it stands, in few tiles and always as many places', () => {
  const views = fc.record({
    width: WIDTHS,
    viewHeight: fc.integer({ min: 300, max: 2_160 }),
    rows: fc.integer({ min: 0, max: 5_000 }),
    scrolled: fc.integer({ min: -400, max: 1_200_000 }),
  });
  fc.assert(
    fc.property(views, ({ width, viewHeight, rows, scrolled }) => {
      const layout = layoutFor(width);
      const { first, end, places } = rowsAt(layout, { scrolled, viewHeight, rows });
      const firstSeen = Math.floor(Math.max(0, scrolled) / layout.rowHeight);
      const lastSeen = Math.floor((Math.max(0, scrolled) + viewHeight) / layout.rowHeight);
      for (const row of [firstSeen, lastSeen]) if (row < rows) assert.ok(first <= row && row < end);
      assert.ok(first >= 0 && end <= rows && end - first <= places);
      assert.ok(end - first === Math.min(rows, places));
      assert.ok(places * layout.columns <= 100, `${places} × ${layout.columns}`);
      assert.equal(rowsAt(layout, { scrolled: 0, viewHeight, rows }).places, places);
    }),
  );
});

test('a row is scrolled to only as far as it takes to see it whole', () => {
  const layout = { columns: 4, tileWidth: 160, rowHeight: 200 };
  const view = { scrolled: 1_000, height: 800 };
  assert.equal(scrollToShow(6, layout, view), 0);
  assert.equal(scrollToShow(4, layout, view), -200);
  assert.equal(scrollToShow(9, layout, view), 200);
  assert.equal(scrollToShow(9, layout, { ...view, below: 50 }), 250);
  assert.equal(scrollToShow(5, layout, { ...view, above: 10 }), -10);
  assert.equal(scrollToShow(9, layout, { ...view, height: 100 }), 800);
});
