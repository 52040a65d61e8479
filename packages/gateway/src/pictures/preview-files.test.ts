import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openPreviewFiles, type PreviewFilesOptions } from './preview-files.ts';

const KILOBYTE = 1_000;

async function open(context: TestContext, options: Partial<PreviewFilesOptions> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'onetake-previews-'));
  context.after(() => rmSync(root, { recursive: true }));
  const directory = join(root, 'previews');
  const clock = { now: 1_700_000_000_000 };
  const now = () => (clock.now += 1_000);
  const all = { directory, maxBytes: 100 * KILOBYTE, now, ...options };
  const files = await openPreviewFiles(all);
  return { files, directory, reopen: () => openPreviewFiles(all) };
}

function nameOf(number: number, key = 'w64-webp-auto') {
  return { hash: number.toString(16).padStart(64, '0'), key };
}

function stored(directory: string): { readonly files: number; readonly bytes: number } {
  const sizes = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

test('what is put is found, whole and in part, also after a restart', async (context) => {
  const { files, directory, reopen } = await open(context);
  const bytes = randomBytes(5_000);
  assert.equal(await files.find(nameOf(1)), undefined);
  await files.put(nameOf(1), bytes);
  assert.equal(await files.find(nameOf(1, 'w128-webp-auto')), undefined);
  const found = (await (await reopen()).find(nameOf(1))) ?? assert.fail();
  assert.equal(found.bytes, 5_000);
  assert.deepEqual(Buffer.concat(await Array.fromAsync(found.read(0, 5_000))), bytes);
  assert.deepEqual(Buffer.concat(await Array.fromAsync(found.read(10, 20))), bytes.subarray(10, 20));
  assert.equal(statSync(directory).mode & 0o777, 0o700);
});

test('the bound holds at every moment, and what was used last stays', async (context) => {
  const { files, directory } = await open(context);
  for (let number = 0; number < 300; number += 1) {
    await files.put(nameOf(number), randomBytes(KILOBYTE));
    assert.ok(await files.find(nameOf(0)), `the one in use, after ${number}`);
    assert.ok(stored(directory).bytes <= 100 * KILOBYTE);
  }
  assert.ok(stored(directory).bytes >= 85 * KILOBYTE);
  assert.ok(await files.find(nameOf(299)));
  assert.equal(await files.find(nameOf(1)), undefined);
  assert.equal(readdirSync(directory).length, stored(directory).files, 'no empty directories');
});

test('many at once, a smaller bound at the next start, and as many files as allowed', async (context) => {
  const { files, directory } = await open(context, { maxFiles: 50 });
  await Promise.all(Array.from({ length: 120 }, (_, number) => files.put(nameOf(number), Buffer.alloc(1))));
  await files.put(nameOf(200), Buffer.alloc(1));
  assert.ok(stored(directory).files <= 51, `${stored(directory).files} files`);
  await openPreviewFiles({ directory, maxBytes: 20, now: Date.now });
  assert.ok(stored(directory).bytes <= 20);
});

test('one that is larger than a tenth of the bound is not kept, and what was made of a picture can be forgotten', async (context) => {
  const { files, directory } = await open(context);
  await files.put(nameOf(1), randomBytes(11 * KILOBYTE));
  assert.equal(stored(directory).files, 0);
  await files.put(nameOf(2), randomBytes(10));
  await files.put(nameOf(2, 'whole-jpeg-auto'), randomBytes(10));
  await files.put(nameOf(3), randomBytes(10));
  await files.forget(nameOf(2).hash);
  assert.equal(stored(directory).files, 1);
  await files.forget(nameOf(2).hash);
});

test('a name that is none reaches no file', async (context) => {
  const { files } = await open(context);
  for (const name of [
    nameOf(1, '../x'),
    nameOf(1, ''),
    { hash: '../..', key: 'a' },
    { hash: 'A'.repeat(64), key: 'a' },
  ]) {
    await assert.rejects(files.find(name), TypeError);
    await assert.rejects(files.put(name, Buffer.alloc(1)), TypeError);
  }
});
