import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '@onetake/core/testing';
import type { BookedLine } from '../store/ledger.ts';
import { createAnsweredBook } from './answered-before.ts';

const ANSWERED = {
  caller: 'app',
  route: 'best',
  requestId: 'req_1',
  generation: 'gen_1',
  target: 'lab/m',
  costUsd: 0.04,
};

function world(book?: (lines: readonly BookedLine[]) => Promise<void>) {
  const clock = createVirtualClock(1_000);
  const written: (readonly BookedLine[])[] = [];
  const lost: number[] = [];
  const answered = createAnsweredBook({
    store: {
      async book(lines) {
        written.push(lines);
        await book?.(lines);
      },
    },
    io: clock,
    onError: (_error, lines) => lost.push(lines),
  });
  const pass = (ms: number) =>
    clock.drive(new Promise<void>((resolve) => clock.timer(clock.now() + ms, () => setImmediate(resolve))));
  return { answered, clock, written, lost, pass };
}

test('what was saved is written together, a moment later', async () => {
  const { answered, written, pass } = world();
  answered.note(ANSWERED);
  answered.note({ ...ANSWERED, requestId: 'req_2', costUsd: undefined, target: undefined });
  assert.equal(written.length, 0);
  await pass(1_100);
  const line = {
    ...{ caller: 'app', route: 'best', generation: 'gen_1', run: 0, attempt: 0, startedAt: 1_000, endedAt: 1_000 },
    ...{ role: 'cached', images: 0, spentMicroUsd: 0, possibleMicroUsd: 0, possibleImages: 0, priced: 'none' },
  };
  assert.deepEqual(written, [
    [
      { ...line, requestId: 'req_1', target: 'lab/m', savedMicroUsd: 40_000 },
      { ...line, requestId: 'req_2', savedMicroUsd: null },
    ],
  ]);
  answered.note(ANSWERED);
  await pass(1_100);
  assert.equal(written.length, 2);
});

test('the end writes what was noted', async () => {
  const { answered, written } = world();
  answered.note(ANSWERED);
  await answered.close();
  assert.equal(written.flat().length, 1);
});

test('a store that does not take it loses so many, and no answer waits for it', async () => {
  const { answered, lost, pass } = world(() => Promise.reject(new Error('away')));
  for (let one = 0; one < 10_005; one += 1) answered.note(ANSWERED);
  await pass(1_100);
  assert.deepEqual([lost[0], lost.reduce((sum, lines) => sum + lines, 0)], [5, 10_005]);
});
