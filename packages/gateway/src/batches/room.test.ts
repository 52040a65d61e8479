import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRoom } from './room.ts';

test('places are given in order, and never more than there are', { timeout: 5_000 }, async () => {
  const room = createRoom(2);
  const { signal } = new AbortController();
  const order: number[] = [];
  const taken = [0, 1, 2, 3].map((one) => room.take(signal).then(() => order.push(one)));
  await Promise.all(taken.slice(0, 2));
  assert.deepEqual(order, [0, 1]);
  room.giveBack();
  await taken[2];
  assert.deepEqual(order, [0, 1, 2]);
  room.giveBack();
  await taken[3];
  room.giveBack();
  room.giveBack();
  assert.ok((await room.take(signal)) && (await room.take(signal)));
});

test('who gives up waiting takes no place', { timeout: 5_000 }, async () => {
  const room = createRoom(1);
  const [impatient, patient] = [new AbortController(), new AbortController()];
  assert.equal(await room.take(patient.signal), true);
  const first = room.take(impatient.signal);
  const second = room.take(patient.signal);
  impatient.abort();
  assert.equal(await first, false);
  assert.equal(await room.take(impatient.signal), false);
  room.giveBack();
  assert.equal(await second, true);
});
