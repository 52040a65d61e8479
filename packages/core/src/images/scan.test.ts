import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../json.ts';
import { type BlobTarget, createJsonScanner, ScanError } from './scan.ts';

/** Small, yet long enough for the front of a data URL. */
const LIMIT = 32;
const MAX_BYTES = 1_000_000;

/** Targets that collect, answering every write with a promise when `slow`. */
function collector(slow = false) {
  const blobs: Buffer[][] = [];
  let busy = false;
  const openBlob = (): BlobTarget => {
    const parts: Buffer[] = [];
    blobs.push(parts);
    const index = blobs.length - 1;
    return {
      write(bytes) {
        assert.equal(busy, false, 'written to while it asked to wait');
        parts.push(Buffer.from(bytes));
        if (!slow) return;
        busy = true;
        return Promise.resolve().then(() => {
          busy = false;
        });
      },
      end: () => index,
    };
  };
  return { openBlob, contents: () => blobs.map((parts) => Buffer.concat(parts)) };
}

function pieces(text: string | Buffer, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text as string);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((to, index) => bytes.subarray(places[index], to));
}

function scan(text: string, cuts: readonly number[] = [], inlineLimit = LIMIT) {
  const { openBlob, contents } = collector();
  const scanner = createJsonScanner({ openBlob, maxBytes: MAX_BYTES, inlineLimit });
  for (const piece of pieces(text, cuts)) scanner.write(piece);
  return { value: scanner.end(), blobs: contents() };
}

function reason(text: string, cuts?: readonly number[]): string {
  try {
    scan(text, cuts);
    return 'none';
  } catch (error) {
    assert.ok(error instanceof ScanError, String(error));
    return error.reason;
  }
}

/** What the scanner promises, in a few slow lines; blobs are shown by their content, whatever their indices. */
function expected(json: string): JsonValue {
  return JSON.parse(json, (_, found) => {
    if (typeof found !== 'string' || found.length <= LIMIT) return found;
    const digits = found.replace(/^data:[^,]*;base64,|[\r\n]/g, '');
    return /^[\w+/-]*=*$/.test(digits) ? shown(Buffer.from(digits, 'base64')) : found;
  });
}

function withBlobsShown({ value, blobs }: ReturnType<typeof scan>): JsonValue {
  return JSON.parse(JSON.stringify(value), (_, found) => shown(blobs[found?.$blob]) ?? found);
}

function shown(blob: Buffer | undefined): string | undefined {
  return blob && `blob ${blob.toString('hex')}`;
}

const base64 = fc.uint8Array({ minLength: 25, maxLength: 120 }).chain((bytes) => {
  const whole = Buffer.from(bytes).toString('base64');
  const lines = whole.replace(/.{20}/g, '$&\r\n');
  const forms = [
    whole,
    Buffer.from(bytes).toString('base64url'),
    whole.replace(/=+$/, ''),
    `data:image/png;base64,${whole}`,
  ];
  return fc.constantFrom(...forms, lines);
});
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"\\', 'a'.repeat(LIMIT), 'two words, and more than the limit'),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), text, base64),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), base64), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const cuts = fc.array(fc.nat(), { maxLength: 8 });

/** JSON as different encoders write it: plain, with PHP's escaped slashes, with Go's and Google's escapes. */
const WRITERS = [
  (json: string) => json,
  (json: string) => json.replaceAll('/', '\\/'),
  (json: string) => json.replace(/[=+/]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`),
];

test('is JSON.parse with every large base64 value replaced, wherever the chunks are cut', () => {
  fc.assert(
    fc.property(tree, cuts, fc.constantFrom(...WRITERS), fc.constantFrom(0, 2), (value, at, write, indent) => {
      const json = write(JSON.stringify(value, undefined, indent));
      assert.deepEqual(withBlobsShown(scan(json, at)), expected(json));
    }),
    { numRuns: 2000 },
  );
});

test('references stand where the strings stood, and keys never become one', () => {
  const picture = Buffer.from('the bytes of a picture, more or less').toString('base64');
  const { value, blobs } = scan(`{"a":["${picture}"],"${picture}":"data:image/png;base64,${picture}","b":"short"}`);
  assert.deepEqual(value, { a: [{ $blob: 0 }], [picture]: { $blob: 1 }, b: 'short' });
  assert.deepEqual(blobs.map(String), ['the bytes of a picture, more or less', 'the bytes of a picture, more or less']);
});

test('the limit is inclusive, and what only begins like base64 within it stays', () => {
  assert.equal(scan(`"${'A'.repeat(LIMIT)}"`).value, 'A'.repeat(LIMIT));
  assert.deepEqual(scan(`"${'A'.repeat(LIMIT + 2)}"`).value, { $blob: 0 });
  const prose = `${'A'.repeat(LIMIT)} and words`;
  assert.equal(scan(`"${prose}"`).value, prose);
  assert.equal(scan('"https://example.com/a/long/path.png"').value, 'https://example.com/a/long/path.png');
});

test('a blob that holds anything else is malformed, wherever the chunks are cut', () => {
  const good = Buffer.alloc(60, 'x').toString('base64');
  const bad = ['!', ' ', '=AAA', '\\n!', '\\u0041\\u00e9', '\\"', '\\\\', '\n', 'é', '===', 'A'].map(
    (tail) => good + tail,
  );
  const every = fc.array(fc.nat(), { maxLength: 4 });
  fc.assert(fc.property(fc.constantFrom(...bad), every, (digits, at) => reason(`["${digits}"]`, at) === 'malformed'));
  assert.equal(reason(`["${good}="]`), 'none');
});

test('every proper front of an answer is truncated, and other text is malformed', () => {
  const json = `{"a":[1,{"b":"${'QUJD'.repeat(20)}"}],"c":"\\u00e9\\""}`;
  for (let length = 0; length < json.length; length += 1) assert.equal(reason(json.slice(0, length)), 'truncated');
  assert.equal(reason(json), 'none');
  assert.equal(reason(`\uFEFF${json}`), 'none');
  for (const other of ['<html></html>', '{"a":1}{"b":2}', '{"a":1]', '}', 'data: 1'])
    assert.equal(reason(other), 'malformed', other);
});

test('bounds: the answer, its depth, what stays of it', () => {
  assert.equal(reason(' '.repeat(MAX_BYTES + 1)), 'too_large');
  assert.equal(reason('['.repeat(513)), 'too_large');
  const { openBlob } = collector();
  const scanner = createJsonScanner({ openBlob, maxBytes: 10_000_000 });
  assert.throws(() => scanner.write(Buffer.from(`"${'words '.repeat(800_000)}"`)), { reason: 'too_large' });
});

test('waits for the target before it gives more', async () => {
  const { openBlob, contents } = collector(true);
  const scanner = createJsonScanner({ openBlob, maxBytes: MAX_BYTES, inlineLimit: LIMIT });
  const bytes = Buffer.alloc(3_000, 'picture');
  const digits = bytes.toString('base64');
  for (const piece of pieces(JSON.stringify([digits, digits]), [100, 1_001, 2_002])) await scanner.write(piece);
  assert.deepEqual(scanner.end(), [{ $blob: 0 }, { $blob: 1 }]);
  assert.deepEqual(contents(), [bytes, bytes]);
});
