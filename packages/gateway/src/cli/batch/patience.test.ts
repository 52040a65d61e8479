import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askPatiently, type Clock, StopError, UNREACHABLE_MS } from './patience.ts';
import type { Answered } from './task-calls.ts';

function virtual(): Clock & { readonly at: () => number } {
  let now = 0;
  return {
    now: () => now,
    at: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
}
const signal = new AbortController().signal;
const scripted = (...answers: Answered<number>[]) => {
  let asked = 0;
  const ask = async () => answers[Math.min(asked++, answers.length - 1)] ?? answers[0];
  return { ask: ask as () => Promise<Answered<number>>, asked: () => asked };
};
const LOST: Answered<number> = { kind: 'unreachable', message: 'ECONNREFUSED' };
const TOLD: Answered<number> = { kind: 'told', value: 7 };

test('a wait is as long as the gateway says, for every line', async () => {
  const clock = virtual();
  const gate = { notBefore: 0 };
  const script = scripted({ kind: 'wait', ms: 30_000, message: 'full' }, TOLD);
  assert.deepEqual(await askPatiently(script.ask, { clock, gate, signal }), TOLD);
  assert.deepEqual([clock.at(), gate.notBefore], [30_000, 30_000]);
});

test('a gateway that is away for less than a minute is waited for; then the batch stops', async () => {
  const clock = virtual();
  const script = scripted(LOST, LOST, LOST, TOLD);
  assert.deepEqual(await askPatiently(script.ask, { clock, gate: { notBefore: 0 }, signal }), TOLD);
  const away = scripted(LOST);
  const startedAt = clock.at();
  await assert.rejects(
    askPatiently(away.ask, { clock, gate: { notBefore: 0 }, signal }),
    (error) => error instanceof StopError && /no answer for 60 seconds: ECONNREFUSED/.test(error.message),
  );
  assert(clock.at() - startedAt >= UNREACHABLE_MS && clock.at() - startedAt < UNREACHABLE_MS + 10_000);
  assert(away.asked() < 20, 'with pauses that grow');
});

test('a gateway that says to wait is there: the minute begins anew', async () => {
  const clock = virtual();
  const wait: Answered<number> = { kind: 'wait', ms: 120_000, message: 'full' };
  const script = scripted(LOST, wait, LOST, TOLD);
  assert.deepEqual(await askPatiently(script.ask, { clock, gate: { notBefore: 0 }, signal }), TOLD);
});

test('what makes every line useless stops at once, an interrupt ends without a word', async () => {
  const clock = virtual();
  const wrongKey = scripted({ kind: 'useless', message: 'wrong key' });
  await assert.rejects(askPatiently(wrongKey.ask, { clock, gate: { notBefore: 0 }, signal }), /wrong key/);
  const stop = new AbortController();
  const waiting = scripted({ kind: 'wait', ms: 5_000, message: '' });
  const ended = askPatiently(waiting.ask, {
    clock,
    gate: { notBefore: 0 },
    signal: stop.signal,
    onSetback: () => stop.abort(),
  });
  assert.equal(await ended, undefined);
});
