import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { untilAborted, watchInterrupts } from './interrupts.ts';

test('two interrupts within half a second are one, a later one exits at once', () => {
  const source = new EventEmitter();
  const exits: number[] = [];
  let now = 1_000;
  const signal = watchInterrupts(source, { now: () => now, exit: (code) => exits.push(code) });
  source.emit('SIGINT');
  assert.equal(signal.aborted, true);
  now += 499;
  source.emit('SIGINT');
  assert.deepEqual(exits, []);
  now += 1;
  source.emit('SIGINT');
  assert.deepEqual(exits, [130]);
});

test('a launcher that is gone ends the command', async () => {
  const source = new EventEmitter();
  const signal = watchInterrupts(source, { now: () => 0, exit: () => assert.fail() });
  const ended = untilAborted(signal);
  source.emit('disconnect');
  await ended;
  await untilAborted(signal);
});
