import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { measure } from './measure.ts';

type Colour = readonly [red: number, green: number, blue: number, opacity: number];
const [WHITE, BLACK, NOTHING] = [
  [255, 255, 255, 255],
  [0, 0, 0, 255],
  [0, 0, 0, 0],
] as const;

function drawn(width: number, height: number, colour: (x: number, y: number) => Colour) {
  const data = new Uint8Array(width * height * 4);
  for (let place = 0; place < width * height; place += 1) {
    data.set(colour(place % width, Math.floor(place / width)), place * 4);
  }
  return measure({ data, width, height });
}

function near(found: number, expected: number, by = 1e-6): void {
  assert.ok(Math.abs(found - expected) <= by, `${found} is not ${expected}`);
}

test('one colour has a luma by Rec. 709 and nothing else', () => {
  const look = drawn(20, 10, () => [255, 0, 0, 255]);
  near(look.meanLuma, 0.2126);
  near(look.peakLuma, 0.2126);
  for (const name of ['deviation', 'colourDeviation', 'alphaDeviation', 'contrast', 'sharpness'] as const)
    near(look[name], 0);
  assert.deepEqual([look.opaqueShare, look.hash], [1, '0000000000000000']);
});

test('half black and half white deviate by a half and reach from end to end', () => {
  const look = drawn(64, 64, (x) => (x < 32 ? BLACK : WHITE));
  near(look.meanLuma, 0.5);
  near(look.deviation, 0.5);
  near(look.contrast, 1);
  assert.match(look.hash, /^(08|10|18)\1{7}$/);
});

test('colours of one luma deviate in colour alone', () => {
  const look = drawn(64, 64, (x) => (x < 32 ? [255, 0, 0, 255] : [0, 76, 0, 255]));
  assert.ok(look.deviation < 0.001 && look.colourDeviation > 0.4);
});

test('what is transparent has no say in the colours, and its share and shape are measured', () => {
  const icon = drawn(100, 100, (x, y) => (x < 20 && y < 50 ? WHITE : NOTHING));
  near(icon.opaqueShare, 0.1);
  near(icon.alphaDeviation, 0.3);
  near(icon.meanLuma, 1);
  near(icon.deviation, 0);
  const empty = drawn(10, 10, () => NOTHING);
  assert.deepEqual(
    [empty.opaqueShare, empty.meanLuma, empty.peakLuma, empty.deviation, empty.contrast],
    [0, 0, 0, 0, 0],
  );
});

test('blur takes sharpness away', () => {
  const sharp = drawn(128, 128, (x, y) => ((x >> 3) % 2 === (y >> 3) % 2 ? BLACK : WHITE));
  const wave = (x: number) => Math.round(127 + 127 * Math.sin((x * Math.PI) / 8));
  const soft = drawn(128, 128, (x) => [wave(x), wave(x), wave(x), 255]);
  assert.ok(sharp.sharpness > 0.9, String(sharp.sharpness));
  assert.ok(soft.sharpness < 0.5, String(soft.sharpness));
});

test('a hash outlives noise, brightness and size', () => {
  const scene = (side: number, lift: number) =>
    drawn(side, side, (x, y) => {
      const level =
        Math.round(60 + lift + 60 * Math.sin((9 * x) / side) * Math.cos((7 * y) / side)) + ((x * 7 + y * 13) % 3);
      return [level, level, level, 255];
    }).hash;
  const bits = (a: string, b: string) => (BigInt(`0x${a}`) ^ BigInt(`0x${b}`)).toString(2).replaceAll('0', '').length;
  const original = scene(256, 0);
  assert.ok(bits(original, scene(256, 60)) <= 2);
  assert.ok(bits(original, scene(90, 20)) <= 3);
});

test('any pixels of any shape are measured within bounds', () => {
  const side = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(side, side, fc.infiniteStream(fc.nat(255)), (width, height, bytes) => {
      const look = drawn(width, height, () => [...bytes.take(4)] as unknown as Colour);
      for (const [name, value] of Object.entries(look)) {
        if (typeof value === 'number') assert.ok(value >= 0 && value <= 1 + 1e-9, `${name} is ${value}`);
      }
      assert.match(look.hash, /^[0-9a-f]{16}$/);
    }),
    { numRuns: 200 },
  );
});

test('pixels that do not fit their sides are refused', () => {
  assert.throws(() => measure({ data: new Uint8Array(7), width: 1, height: 2 }), /holds 7 bytes; 1 × 2 pixels/);
  assert.throws(() => measure({ data: new Uint8Array(0), width: 0, height: 0 }), RangeError);
});
