import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../json.ts';
import { readControls } from './controls.ts';

test('what a request may set, in JSON and in the texts of headers', () => {
  const set = { totalTimeoutMs: 500, maxPaidAttempts: 2, payment: 'strict', fallback: false };
  for (const [timeout_ms, max_paid_attempts] of [
    [500, 2],
    ['500', '2'],
  ] as const) {
    const read = readControls({ timeout_ms, max_paid_attempts, payment: 'strict', fallback: 'off' });
    assert.deepEqual(read, { ok: true, settings: set });
  }
  for (const nothing of [undefined, null, {}]) assert.deepEqual(readControls(nothing), { ok: true, settings: {} });
});

test('what is wrong is named, and so is what is not known', () => {
  const wrong: readonly JsonObject[] = [
    { timeout_ms: 0 },
    { timeout_ms: '1e3' },
    { timeout_ms: 1.5 },
    { max_paid_attempts: 11 },
    { payment: 'free' },
    { fallback: false },
    { attach: 'off' },
    { constructor: 'x' },
  ];
  for (const body of wrong) {
    const read = readControls(body);
    assert.ok(!read.ok);
    const [name] = Object.keys(body);
    assert.deepEqual([read.failure.kind, read.failure.certainty], ['invalid', 'not_sent']);
    assert.ok(read.failure.message.startsWith(`onetake.${name}: `), read.failure.message);
  }
  assert.ok(!readControls(['strict']).ok);
});
