import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Asset } from '@onetake/core';
import { AssetMissingError, type DiskAssets, openDiskAssets } from './disk.ts';

const root = mkdtempSync(join(tmpdir(), 'onetake-assets-'));
after(() => rmSync(root, { recursive: true }));
let opened = 0;

async function open(): Promise<{ assets: DiskAssets; directory: string }> {
  const directory = join(root, String(opened++));
  return { assets: await openDiskAssets(directory), directory };
}

function assetOf(bytes: Uint8Array, change: Partial<Asset> = {}): Asset {
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { hash, bytes: bytes.length, type: 'png', width: 1, height: 1, animated: false, alpha: false, ...change };
}

async function store(assets: DiskAssets, bytes: Buffer, chunkBytes = 48 * 1024): Promise<Asset> {
  const writer = assets.create();
  for (let at = 0; at < bytes.length; at += chunkBytes) await writer.write(bytes.subarray(at, at + chunkBytes));
  const asset = assetOf(bytes);
  await writer.commit(asset);
  return asset;
}

async function read(assets: DiskAssets, asset: Asset, options = {}): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(assets.read(asset, options)));
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

test('bytes come back as they went in, whatever the chunks', async () => {
  const { assets, directory } = await open();
  for (const [size, chunk] of [
    [1, 1],
    [5_000, 1],
    [262_144, 262_144],
    [262_145, 1_000],
    [3_000_000, 49_152],
  ] as const) {
    const bytes = randomBytes(size);
    const asset = await store(assets, bytes, chunk);
    assert.ok((await read(assets, asset)).equals(bytes));
    assert.equal(await assets.size(asset.hash, 'png'), size);
    assert.equal(statSync(join(directory, asset.hash.slice(0, 2), `${asset.hash}.png`)).mode & 0o777, 0o600);
  }
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
});

test('chunks of a read are multiples of three, and a range is read from its first to before its last byte', async () => {
  const { assets } = await open();
  const bytes = randomBytes(500_000);
  const asset = await store(assets, bytes);
  const chunks = await Array.fromAsync(assets.read(asset));
  assert.deepEqual(
    chunks.map((chunk) => chunk.length),
    [196_608, 196_608, 106_784],
  );
  assert.ok(
    (await read(assets, asset, { start: 10, end: 300_000, chunkBytes: 7_000 })).equals(bytes.subarray(10, 300_000)),
  );
  assert.ok((await read(assets, asset, { start: 499_999, end: 900_000 })).equals(bytes.subarray(499_999)));
  assert.equal((await read(assets, asset, { start: 500_000 })).length, 0);
});

test('a hundred writers at once each hold at most two blocks', async () => {
  const { assets, directory } = await open();
  const chunk = randomBytes(64 * 1024);
  let waits = 0;
  const write = async (index: number) => {
    const writer = assets.create();
    const head = Buffer.from(`${index}`.padEnd(8));
    writer.write(head);
    const hash = createHash('sha256').update(head);
    for (let count = 0; count < 32; count += 1) {
      hash.update(chunk);
      const wait = writer.write(chunk);
      if (wait === undefined) continue;
      waits += 1;
      await wait;
    }
    const asset = { ...assetOf(head), hash: hash.digest('hex'), bytes: 8 + 32 * chunk.length };
    await writer.commit(asset);
    assert.equal(await assets.size(asset.hash, 'png'), asset.bytes);
  };
  await Promise.all(Array.from({ length: 100 }, (_, index) => write(index)));
  // Eight blocks each, and after the first two every further one has to wait for room.
  assert.ok(waits >= 100 * 5, `${waits} waits`);
  rmSync(directory, { recursive: true });
});

test('the same image from many writers is stored once', async () => {
  const { assets, directory } = await open();
  const bytes = randomBytes(300_000);
  await Promise.all(Array.from({ length: 20 }, () => store(assets, bytes)));
  const asset = await store(assets, bytes);
  assert.deepEqual(filesBelow(directory), [`${asset.hash}.png`]);
  assert.ok((await read(assets, asset)).equals(bytes));
});

test('what is discarded, or crashed half-written, leaves nothing', async () => {
  const { assets, directory } = await open();
  const writer = assets.create();
  await writer.write(randomBytes(600_000));
  await writer.discard();
  await assets.create().discard();
  assert.deepEqual(filesBelow(directory), []);
  writeFileSync(join(directory, 'tmp', '0'), 'left over');
  await openDiskAssets(directory);
  assert.deepEqual(filesBelow(directory), []);
});

test('a removed image is missing, and removing it again is no error', async () => {
  const { assets } = await open();
  const asset = await store(assets, randomBytes(10));
  await assets.remove(asset);
  await assets.remove(asset);
  assert.equal(await assets.size(asset.hash, asset.type), undefined);
  await assert.rejects(read(assets, asset), AssetMissingError);
});

test('a name that is no hash reaches no file', async () => {
  const { assets, directory } = await open();
  writeFileSync(join(directory, 'secret.png'), 'secret');
  const bytes = randomBytes(10);
  for (const hash of ['../secret', `${'a'.repeat(63)}/`, 'A'.repeat(64), '', `${'a'.repeat(64)}\n`]) {
    const asset = assetOf(bytes, { hash });
    assert.equal(await assets.size(hash, 'png'), undefined);
    await assert.rejects(read(assets, asset), AssetMissingError);
    await assets.remove(asset);
    const writer = assets.create();
    await writer.write(bytes);
    await assert.rejects(writer.commit(asset), TypeError);
  }
  assert.equal(await assets.size('a'.repeat(64), 'constructor'), undefined);
  assert.deepEqual(filesBelow(directory), ['secret.png']);
});

test('an image of another length than announced is refused', async () => {
  const { assets, directory } = await open();
  const writer = assets.create();
  await writer.write(Buffer.from('abc'));
  await assert.rejects(writer.commit({ ...assetOf(Buffer.from('abc')), bytes: 4 }), /asset\.bytes is 4 and 3/);
  assert.deepEqual(filesBelow(directory), []);
});

test('a disk that takes nothing is reported by write and commit, and leaves nothing under a final name', async () => {
  const { assets, directory } = await open();
  rmSync(join(directory, 'tmp'), { recursive: true });
  const bytes = randomBytes(2_000_000);
  await assert.rejects(store(assets, bytes), { code: 'ENOENT' });
  const small = assets.create();
  await small.write(Buffer.from('abc'));
  await assert.rejects(small.commit(assetOf(Buffer.from('abc'))), { code: 'ENOENT' });
  await small.discard();
  assert.deepEqual(filesBelow(directory), []);
});
