import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleLive } from '../testing/sample-live.ts';
import { SAMPLE_TARGET, sampleSnapshot, startedEvent } from '../testing/task-samples.ts';
import { createRunning } from './running.ts';

const GOES_ON = new Promise<void>(() => {});

test('what callers wait for is none of what was taken from the queue and is not sent yet', () => {
  const running = createRunning();
  const { plan } = sampleSnapshot();
  const task = { ...plan, unattended: true as const };
  for (let index = 0; index < 100; index += 1) running.add(sampleLive({ id: `sync_${index}`, plan }), GOES_ON);
  assert.equal(running.unsent(SAMPLE_TARGET), 0);
  running.add(sampleLive({ id: 'waits', plan: task }), GOES_ON);
  running.add(sampleLive({ id: 'sent', plan: task, journals: [[startedEvent()]] }), GOES_ON);
  assert.deepEqual([running.unsent(SAMPLE_TARGET), running.unsent('another/one')], [1, 0]);
});

test('the room of callers is that of the busiest who has some', () => {
  const running = createRunning();
  assert.deepEqual([running.callersWith(3), running.roomBelow(3)], [[], 3]);
  for (const id of ['a1', 'a2', 'a3']) running.add(sampleLive({ id, caller: 'alice' }), GOES_ON);
  assert.deepEqual([running.callersWith(3), running.roomBelow(3)], [['alice'], 3]);
  for (const id of ['b1', 'b2']) running.add(sampleLive({ id, caller: 'bob' }), GOES_ON);
  assert.deepEqual([running.callersWith(3), running.roomBelow(3)], [['alice'], 1]);
  running.remove('a1');
  assert.deepEqual([running.callersWith(3), running.roomBelow(3)], [[], 1]);
});
