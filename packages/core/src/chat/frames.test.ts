import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ScanError } from '../images/scan-error.ts';
import { createFrames } from './frames.ts';

/** Where events end, told by reading byte after byte as the standard says; after CR LF and already after its CR. */
function eventEnds(bytes: Buffer): ReadonlySet<number> {
  const ends = new Set<number>();
  let isEmpty = true;
  let isBlank = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    const isPaired = byte === 0x0a && at > 0 && bytes[at - 1] === 0x0d;
    if (byte !== 0x0a && byte !== 0x0d) {
      isEmpty = false;
      continue;
    }
    if (!isPaired) isBlank = isEmpty;
    if (isBlank) ends.add(at + 1);
    isEmpty = true;
  }
  return ends;
}

function chunked(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted(
    (a, b) => a - b,
  );
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place));
}

function framed(chunks: readonly Buffer[]): { slices: Buffer[]; tail: Buffer | undefined } {
  const frames = createFrames();
  const slices = chunks.flatMap((chunk) => frames.push(chunk) ?? []);
  return { slices, tail: frames.flush() };
}

const lineBreak = fc.constantFrom('\n', '\r\n', '\r');
const line = fc.oneof(
  fc.constantFrom('data: [DONE]', ': keep-alive', 'event: error', 'id: 1', 'data', 'retry: 5', '\uFEFFdata: x', ''),
  fc.string({ unit: 'binary', maxLength: 30 }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, '')}`),
);
const stream = fc
  .array(fc.tuple(line, lineBreak), { maxLength: 40 })
  .map((lines) => Buffer.from(lines.map(([text, end]) => text + end).join('')));
const anyBytes = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const breaksOnly = fc
  .string({ unit: fc.constantFrom('\r', '\n', 'a'), maxLength: 40 })
  .map((text) => Buffer.from(text));
const cuts = fc.array(fc.nat({ max: 2_000 }), { maxLength: 60 });

test('for any chunking of any stream the bytes out are the bytes in, and only the last slice may end inside an event', () => {
  fc.assert(
    fc.property(fc.oneof(stream, breaksOnly, anyBytes), cuts, (bytes, places) => {
      const { slices, tail } = framed(chunked(bytes, places));
      assert.deepEqual(Buffer.concat([...slices, tail ?? Buffer.alloc(0)]), bytes);
      const ends = eventEnds(bytes);
      let at = 0;
      for (const slice of slices) {
        at += slice.length;
        assert.ok(
          ends.has(at),
          `a slice ends at ${at}, inside an event of ${JSON.stringify(bytes.toString('latin1'))}`,
        );
      }
    }),
    { numRuns: 3_000 },
  );
});

test('nothing whole is held back: what is held at any moment holds no end of an event', () => {
  fc.assert(
    fc.property(fc.oneof(stream, breaksOnly), cuts, (bytes, places) => {
      const ends = eventEnds(bytes);
      const frames = createFrames();
      let [came, out] = [0, 0];
      for (const chunk of chunked(bytes, places)) {
        came += chunk.length;
        out += frames.push(chunk)?.length ?? 0;
        for (let at = out + 1; at <= came; at += 1) assert.ok(!ends.has(at), `an event that ended at ${at} is held`);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('events of one chunk pass as one slice, which is the chunk itself', () => {
  const chunk = Buffer.from('data: a\n\ndata: b\n\n');
  assert.equal(createFrames().push(chunk), chunk);
});

test('an event of many chunks is copied a few times, not once for each', () => {
  const frames = createFrames();
  const piece = Buffer.alloc(64, 'a');
  const began = performance.now();
  for (let index = 0; index < 200_000; index += 1) assert.equal(frames.push(piece), undefined);
  const whole = frames.push(Buffer.from('\n\n'));
  assert.equal(whole?.length, 200_000 * 64 + 2);
  assert.ok(performance.now() - began < 5_000);
});

test('an event above the bound is refused, however it is cut', () => {
  const frames = createFrames({ maxEventBytes: 100 });
  assert.equal(frames.push(Buffer.alloc(60, 'a')), undefined);
  assert.throws(
    () => frames.push(Buffer.alloc(60, 'a')),
    (error) => error instanceof ScanError && error.reason === 'too_large',
  );
});
