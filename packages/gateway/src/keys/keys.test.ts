import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createVirtualClock, type VirtualClock } from '@onetake/core/testing';
import { createFakeCells } from '../testing/fake-cells.ts';
import { digestOf } from './admin-key.ts';
import { MAX_KEYS, openKeys } from './keys.ts';

const NOW = 1_000_000;

async function opened(cells = createFakeCells(), ownership: 'exclusive' | 'shared' = 'shared') {
  const clock = createVirtualClock(NOW);
  const errors: unknown[] = [];
  const store = { ...cells.store, ownership };
  const keys = await openKeys({ store, io: clock, reserved: ['ann', 'local'], onError: (error) => errors.push(error) });
  return { cells, clock, keys, errors };
}

function pass(clock: VirtualClock, ms: number): Promise<void> {
  return clock.drive(new Promise((resolve) => void clock.timer(clock.now() + ms, resolve)));
}

async function made(keys: Awaited<ReturnType<typeof opened>>['keys'], name = 'app', more: object = {}) {
  const created = await keys.create({ name, ...more });
  assert.ok(created.kind === 'created');
  return created;
}

test('a key is known by its digest and its name, and nothing of it is kept but that and its beginning', async () => {
  const { cells, keys } = await opened();
  assert.equal(keys.areInUse(), false);
  const { key, secret } = await made(keys, 'app', { rpm: 60 });
  assert.deepEqual(key, {
    ...{ name: 'app', rpm: 60, digest: digestOf(secret), hint: secret.slice(0, 15), createdAt: NOW },
  });
  assert.deepEqual(keys.find(digestOf(secret)), key);
  assert.deepEqual(keys.named('app'), key);
  assert.deepEqual(keys.list(), [key]);
  assert.equal(keys.areInUse(), true);
  assert.deepEqual(cells.valueOf('key/app'), key);
  assert.ok(!JSON.stringify(cells.valueOf('key/app')).includes(secret.slice(15)));
});

test('a name is given once, for ever, and never one that stands for somebody', async () => {
  const { cells, keys } = await opened();
  await made(keys);
  for (const name of ['app', 'ann', 'local']) assert.deepEqual(await keys.create({ name }), { kind: 'name_taken' });
  await keys.revoke('app');
  assert.deepEqual(await keys.create({ name: 'app' }), { kind: 'name_taken' });
  cells.beforeSwap.push(() => cells.put('key/race', { name: 'race', digest: 'd', hint: 'h', createdAt: 1 }));
  assert.deepEqual(await keys.create({ name: 'race' }), { kind: 'name_taken' });
  assert.equal(keys.named('race')?.digest, 'd');
});

test('revoked, a key is known as that, and only that opens the gateway again', async () => {
  const { keys, clock } = await opened();
  const { secret } = await made(keys, 'app', { expiresAt: NOW + 10 });
  await pass(clock, 1_000);
  assert.equal(keys.areInUse(), true, 'an expiry alone lets nobody in');
  const revoked = await keys.revoke('app');
  assert.equal(revoked?.revokedAt, clock.now());
  assert.equal(keys.find(digestOf(secret))?.revokedAt, clock.now());
  assert.equal(keys.areInUse(), false);
  await pass(clock, 1_000);
  assert.deepEqual(await keys.revoke('app'), revoked, 'once');
  assert.equal(await keys.revoke('nobody'), undefined);
});

test('a swap that somebody else won is made again', async () => {
  const { keys, cells } = await opened();
  const { key } = await made(keys);
  cells.beforeSwap.push(() => cells.put('key/app', { ...key, rpm: 7 }));
  const revoked = await keys.revoke('app');
  assert.deepEqual([revoked?.revokedAt, revoked?.rpm], [NOW, 7]);
});

test('another node hears of a key at once, or by reading again', async () => {
  const cells = createFakeCells();
  const [one, other] = [await opened(cells), await opened(cells)];
  await made(one.keys);
  await setImmediate();
  assert.ok(other.keys.named('app'));
  await one.keys.revoke('app');
  await setImmediate();
  assert.equal(other.keys.named('app')?.revokedAt, NOW);
  const quiet = createFakeCells();
  const deaf = await openKeys({
    store: { ...quiet.store, onChange: () => () => {}, ownership: 'shared' },
    ...{ io: other.clock, reserved: [], onError: (error) => assert.fail(String(error)) },
  });
  quiet.put('key/late', { name: 'late', digest: 'd', hint: 'h', createdAt: 1 });
  await pass(other.clock, 29_999);
  assert.equal(deaf.named('late'), undefined);
  await pass(other.clock, 1);
  await setImmediate();
  assert.equal(deaf.named('late')?.digest, 'd');
  deaf.close();
});

test('an older reading never undoes a newer one', async () => {
  const cells = createFakeCells();
  const { keys } = await opened(cells);
  const { key } = await made(keys);
  const before = await cells.store.readCell('key/app');
  const late = await openKeys({
    store: { ...cells.store, ownership: 'shared', readCell: async () => before },
    ...{ io: createVirtualClock(NOW), reserved: [], onError: (error) => assert.fail(String(error)) },
  });
  await keys.revoke('app');
  await late.create({ name: 'app' });
  assert.ok(late.named('app'));
  assert.equal(keys.named('app')?.revokedAt, NOW);
  cells.tell({ kind: 'cell', key: 'key/app' });
  await setImmediate();
  assert.equal(keys.named('app')?.revokedAt, NOW);
  assert.equal(key.revokedAt, undefined);
});

test('origins of browser keys are open as long as one of them can be used', async () => {
  const { keys } = await opened();
  const origin = 'https://app.example';
  const browser = { origins: [origin] };
  await made(keys, 'short', { browser, expiresAt: NOW + 10 });
  await made(keys, 'long', { browser, expiresAt: NOW + 20 });
  assert.deepEqual([keys.hasOrigin(origin, NOW + 19), keys.hasOrigin(origin, NOW + 20)], [true, false]);
  assert.equal(keys.hasOrigin('https://other.example', NOW), false);
  await keys.revoke('long');
  assert.deepEqual([keys.hasOrigin(origin, NOW + 9), keys.hasOrigin(origin, NOW + 10)], [true, false]);
});

test('what stands there and is no key is passed over; a name of ONETAKE_API_KEYS that has one is told of', async () => {
  const { keys } = await opened(createFakeCells({ 'key/a': 'x', 'key/b': { name: 'b' } }));
  assert.deepEqual(keys.list(), []);
  const cells = createFakeCells({ 'key/ann': { name: 'ann', digest: 'd', hint: 'h', createdAt: 1 } });
  await assert.rejects(opened(cells), /ONETAKE_API_KEYS: "ann" is the name of a key/);
});

test('there are at most so many', async () => {
  const value = (index: number) => ({ name: `k${index}`, digest: `${index}`, hint: 'h', createdAt: 1 });
  const all = Object.fromEntries(Array.from({ length: MAX_KEYS }, (_, index) => [`key/k${index}`, value(index)]));
  const { keys } = await opened(createFakeCells(all), 'exclusive');
  assert.deepEqual(await keys.create({ name: 'one-more' }), { kind: 'too_many' });
});
