import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnswerReader } from './exchange.ts';
import { exchange } from './exchange.ts';
import type { HttpRequest } from './http.ts';
import { createScriptedIo } from './testing/scripted-io.ts';

const REQUEST: HttpRequest = { method: 'POST', url: 'https://api.test/v1/images', headers: {} };
const [IDLE_MS, FIRST_BYTE_MS] = [60_000, 300_000];

/** One answer in pieces, each so long after the one before it; read as a whole. */
async function read(contentType: string, gapsMs: readonly number[], by: 'end' | 'silence' = 'end') {
  const pieces = gapsMs.map((afterMs) => ({ afterMs, body: ': still here\n\n' }));
  const headers = { 'content-type': contentType };
  const io = createScriptedIo(() => ({ kind: 'stream', afterMs: 10, headers, pieces, by }));
  const reader: AnswerReader = { write: () => {}, end: () => ({ status: 200, headers, body: null, text: '' }) };
  const done = await io.drive(
    exchange(io, REQUEST, {
      ...{ firstByteMs: FIRST_BYTE_MS, idleMs: IDLE_MS, connectMs: 1_000, deadlineAt: 900_000, totalMs: 900_000 },
      ...{ harvestMs: () => 0, onClock: () => {}, cancel: new AbortController().signal, reach: 'configured' },
      readAsset: () => assert.fail('there is no picture in the request'),
      openReader: () => reader,
    }),
  );
  return { done, at: io.now() };
}

test('events of a picture may be as far apart as an answer may take to begin', async () => {
  for (const gapsMs of [[290_000], [1_000, 290_000], [5_000, 100_000, 100_000]])
    assert.equal((await read('text/event-stream; charset=utf-8', gapsMs)).done.ok, true, String(gapsMs));
  const { done, at } = await read('text/event-stream', [1_000], 'silence');
  assert.ok(!done.ok);
  assert.deepEqual(done.failure.clock, { name: 'idle', afterMs: FIRST_BYTE_MS, setting: 'first_byte_timeout_ms' });
  assert.equal(at, 10 + 1_000 + FIRST_BYTE_MS);
});

test('any other answer that has begun may not stand still for so long', async () => {
  const { done, at } = await read('application/json', [1_000, 61_000]);
  assert.ok(!done.ok);
  assert.deepEqual(done.failure.clock, { name: 'idle', afterMs: IDLE_MS, setting: 'idle_timeout_ms' });
  assert.equal(at, 10 + 1_000 + IDLE_MS);
});
