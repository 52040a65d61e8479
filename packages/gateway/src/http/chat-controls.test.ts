import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readChatControls } from './chat-controls.ts';
import { RequestProblem } from './problem.ts';

const SERVER = { fromBrowser: false };

test('chat is canceled when its caller leaves, unless that asked otherwise', () => {
  assert.equal(readChatControls({}, undefined, SERVER).onDisconnect, 'cancel');
  assert.equal(readChatControls({}, { on_disconnect: 'keep' }, SERVER).onDisconnect, 'keep');
});

test('what holds for both is read as for pictures', () => {
  const { settings, priority } = readChatControls(
    { 'x-onetake-timeout-ms': '5000', 'x-onetake-payment': 'strict', 'x-onetake-priority': 'batch' },
    { max_paid_attempts: 2, fallback: 'off' },
    SERVER,
  );
  assert.deepEqual(settings, { totalTimeoutMs: 5_000, payment: 'strict', maxPaidAttempts: 2, fallback: false });
  assert.equal(priority, 'batch');
});

test('what there is for pictures alone is refused, but where it asks for nothing', () => {
  for (const [name, value] of [
    ['attach', 'on'],
    ['cache', 'on'],
    ['degrade', 'on'],
    ['suspect', 'fail'],
    ['webhook-url', 'https://hooks.test/a'],
    ['webhook-events', 'task.completed'],
  ] as const) {
    assert.throws(
      () => readChatControls({ [`x-onetake-${name}`]: value }, undefined, SERVER),
      (error) => error instanceof RequestProblem && error.status === 400 && error.param === `x-onetake-${name}`,
    );
  }
  for (const name of ['attach', 'cache', 'degrade']) readChatControls({}, { [name]: 'off' }, SERVER);
});

test('a page of another origin raises nothing, and a name nobody knows is an error', () => {
  const browser = { fromBrowser: true };
  assert.throws(() => readChatControls({ 'x-onetake-payment': 'available' }, undefined, browser), /browser/);
  assert.throws(() => readChatControls({ 'x-onetake-resume': 'on' }, undefined, SERVER), /no such control/);
});
