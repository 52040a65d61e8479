import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDirectorySync } from './directory-sync.ts';

function open() {
  const syncs: { path: string; end: (error?: Error) => void }[] = [];
  const directorySync = createDirectorySync((path) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    syncs.push({ path, end: (error) => (error ? reject(error) : resolve()) });
    return promise;
  });
  return { syncs, directorySync };
}

test('whoever comes while a sync runs waits for the next one, and shares it', async () => {
  const { syncs, directorySync } = open();
  const first = directorySync('a');
  const late = [directorySync('a'), directorySync('a')];
  const other = directorySync('b');
  assert.deepEqual(
    syncs.map((sync) => sync.path),
    ['a', 'b'],
  );
  syncs[0]?.end();
  syncs[1]?.end();
  await Promise.all([first, other]);
  assert.deepEqual(
    syncs.map((sync) => sync.path),
    ['a', 'b', 'a'],
  );
  const later = directorySync('a');
  syncs[2]?.end();
  await Promise.all(late);
  syncs[3]?.end();
  await later;
  assert.equal(syncs.length, 4);
});

test('a failure is told to those who waited for that sync, and the next one is tried', async () => {
  const { syncs, directorySync } = open();
  const failing = directorySync('a');
  const next = directorySync('a');
  syncs[0]?.end(new Error('EIO'));
  await assert.rejects(failing, /EIO/);
  syncs[1]?.end();
  await next;
});
