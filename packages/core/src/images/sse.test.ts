import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SseEvent } from '../http.ts';
import { ScanError } from './scan.ts';
import { createSseScanner } from './sse.ts';

interface Read {
  readonly events: readonly SseEvent[];
  readonly blobs: readonly string[];
  readonly truncated: boolean;
}

function read(stream: string | Buffer, cuts: readonly number[] = []): Read {
  const events: SseEvent[] = [];
  const blobs: Buffer[][] = [];
  const scanner = createSseScanner({
    maxBytes: 1_000_000,
    inlineLimit: 16,
    onEvent: (event) => void events.push(event),
    openBlob() {
      const parts: Buffer[] = [];
      const index = blobs.push(parts) - 1;
      return { write: (bytes) => void parts.push(Buffer.from(bytes)), end: () => index };
    },
  });
  const bytes = Buffer.from(stream as string);
  let from = 0;
  for (const cut of [...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    scanner.write(bytes.subarray(from, cut));
    from = cut;
  }
  return { events, blobs: blobs.map((parts) => Buffer.concat(parts).toString()), ...scanner.end() };
}

const PICTURE = 'the bytes of a picture';
const BASE64 = Buffer.from(PICTURE).toString('base64');
const LINES = [
  '\uFEFF: a comment',
  '',
  'event: partial',
  `data: {"index":0,"b64":"${BASE64}"}`,
  'id: 7',
  '',
  'event:no data, not dispatched',
  '',
  'data:{"a":',
  'data: "é"}',
  'unknown-and-rather-long-field: data: 1',
  '',
  'data',
  '',
  'retry: 10',
  'event: done',
  'event: dône',
  'data: [DONE]',
  '',
  'data:  " two spaces"',
  '',
  '',
];
const EVENTS = [
  { event: 'partial', data: { index: 0, b64: { $blob: 0 } } },
  { event: undefined, data: { a: 'é' } },
  { event: undefined, data: undefined },
  { event: 'dône', data: undefined },
  { event: undefined, data: ' two spaces' },
];

test('reads the same events with every line break, wherever the chunks are cut', () => {
  const cuts = fc.array(fc.nat(), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(fc.constantFrom('\n', '\r\n', '\r'), { minLength: 1 }), cuts, (breaks, at) => {
      const stream = LINES.map((line, index) => line + breaks[index % breaks.length]).join('');
      // A CR before a LF would be one break: a mixture that joins them is another stream.
      fc.pre(!/\r\n/.test(stream) || breaks.every((one) => one !== '\r'));
      assert.deepEqual(read(stream, at), { events: EVENTS, blobs: [PICTURE], truncated: false });
    }),
    { numRuns: 1000 },
  );
});

test('reads a stream byte by byte', () => {
  for (const lineBreak of ['\n', '\r\n', '\r']) {
    const stream = LINES.join(lineBreak);
    assert.deepEqual(
      read(
        stream,
        Array.from(Buffer.from(stream), (_, at) => at),
      ).events,
      EVENTS,
    );
  }
});

test('an event without its blank line is dropped, and that is said', () => {
  const event = `event: a\ndata: {"b64":"${BASE64}"}\n`;
  assert.equal(read(`${event}\n`).truncated, false);
  for (let length = 1; length <= event.length; length += 1) {
    const { events, truncated } = read(event.slice(0, length));
    assert.deepEqual([events.length, truncated], [0, true], event.slice(0, length));
  }
  assert.equal(read(': keep-aliv').truncated, false);
});

test('data that is not JSON is undefined, but a picture that ends with its event is an error', () => {
  assert.deepEqual(read('data: upstream } timeout\n\n').events, [{ event: undefined, data: undefined }]);
  assert.throws(() => read(`data: {"b64":"${BASE64}\n\n`), ScanError);
  assert.throws(() => read(`data: {"b64":"${BASE64}!"}\n\n`), ScanError);
});

test('the stream is bounded', () => {
  assert.throws(() => read(':'.repeat(1_000_001)), { reason: 'too_large' });
});

test('the next event waits until the last was taken', async () => {
  const order: string[] = [];
  const scanner = createSseScanner({
    maxBytes: 1_000,
    openBlob: () => assert.fail('no blob in this stream'),
    async onEvent({ data }) {
      order.push(`begin ${data}`);
      await Promise.resolve();
      order.push(`end ${data}`);
    },
  });
  await scanner.write(Buffer.from('data: 1\n\ndata: 2\n\n'));
  assert.deepEqual(order, ['begin 1', 'end 1', 'begin 2', 'end 2']);
});
