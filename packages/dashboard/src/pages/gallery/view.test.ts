import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { actualSize, FITTED, fittedSize, MAX_ZOOM, moved, transformOf, zoomed } from './view.ts';

const FRAME = { width: 400, height: 300 };

test('a picture is fitted whole', () => {
  assert.deepEqual(fittedSize({ width: 1_000, height: 1_000 }, FRAME), { width: 300, height: 300 });
  assert.deepEqual(fittedSize({ width: 100, height: 50 }, FRAME), { width: 400, height: 200 });
});

/** Where a point of the picture (0 to 1) is in the frame, px from its middle. */
const placeOf = (view: typeof FITTED, point: number, size: number) => (point - view.x) * size * view.zoom;

test('the point under the pointer stays under it while one zooms in', () => {
  const from = fc.record({ x: fc.integer({ min: -150, max: 150 }), y: fc.integer({ min: -150, max: 150 }) });
  const fitted = fittedSize({ width: 1_000, height: 1_000 }, FRAME);
  fc.assert(
    fc.property(from, fc.double({ min: 1, max: 4, noNaN: true }), (pointer, factor) => {
      const view = zoomed(FITTED, 2, fitted);
      const point = view.x + pointer.x / (fitted.width * view.zoom);
      const after = zoomed(view, factor, fitted, pointer);
      assert.ok(Math.abs(placeOf(after, point, fitted.width) - pointer.x) < 1e-6);
    }),
  );
});

test('nobody zooms or draws the picture out of the frame', () => {
  const fitted = fittedSize({ width: 1_000, height: 500 }, FRAME);
  assert.deepEqual(zoomed(FITTED, 0.5, fitted), FITTED);
  assert.deepEqual(moved(FITTED, { x: 90, y: -20 }, fitted), FITTED);
  assert.equal(zoomed(FITTED, 1_000, fitted).zoom, MAX_ZOOM);
  assert.deepEqual(moved(zoomed(FITTED, 2, fitted), { x: 9_999, y: -9_999 }, fitted), { x: 0.25, y: 0.75, zoom: 2 });
  const back = zoomed(moved(zoomed(FITTED, 2, fitted), { x: 50, y: 50 }, fitted), 0.5, fitted);
  assert.deepEqual(back, FITTED);
});

test('at its actual size one pixel is one pixel', () => {
  const picture = { width: 1_600, height: 1_200 };
  assert.deepEqual(actualSize(FITTED, picture, fittedSize(picture, FRAME)), { ...FITTED, zoom: 4 });
  assert.equal(transformOf({ x: 0.25, y: 0.5, zoom: 2 }), 'translate(50.000%, 0.000%) scale(2.0000)');
});
