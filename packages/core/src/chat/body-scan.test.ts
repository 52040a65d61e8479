import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isObject } from '../json.ts';
import { createBodyScan } from './body-scan.ts';

function scanned(bytes: Buffer, cuts: readonly number[]) {
  const scan = createBodyScan();
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  let from = 0;
  for (const place of places) {
    scan.write(bytes.subarray(from, place));
    from = place;
  }
  return scan.members((start, end) => bytes.subarray(start, end));
}

const cuts = fc.array(fc.nat({ max: 500 }), { maxLength: 20 });
const space = fc.constantFrom(undefined, 1, '\t');

test('of any whole object the members are found, however it is cut', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), space, cuts, (value, spacing, places) => {
      const text = JSON.stringify(value, undefined, spacing);
      assert.deepEqual(scanned(Buffer.from(text), places), JSON.parse(text));
    }),
    { numRuns: 1_000 },
  );
});

test('what is cut off at any byte is found out', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), cuts, (value, at, places) => {
      const bytes = Buffer.from(JSON.stringify(value));
      assert.equal(scanned(bytes.subarray(0, at % bytes.length), places), undefined);
    }),
    { numRuns: 1_000 },
  );
});

test('what is no object is none, nor is what goes on after it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const found = scanned(Buffer.from(JSON.stringify(value)), []);
      assert.equal(found !== undefined, isObject(value));
    }),
  );
  for (const text of ['', '<html></html>', '{}{}', '{} x', 'x{}', '{"a":1}}', '{"a"}', '{"a":}', '{a:1}']) {
    assert.equal(scanned(Buffer.from(text), []), undefined, text);
  }
});

test('a mark of the byte order and white space change nothing', () => {
  assert.deepEqual(scanned(Buffer.from('\uFEFF {"a":1}\n'), [1, 2]), { a: 1 });
});

test('large members stand as empty ones, small ones beside them are read', () => {
  const value = {
    data: Array.from({ length: 20_000 }, (_, index) => index),
    text: 'x'.repeat(70_000),
    usage: { n: 1 },
  };
  assert.deepEqual(scanned(Buffer.from(JSON.stringify(value)), []), { data: [], text: '', usage: { n: 1 } });
});
