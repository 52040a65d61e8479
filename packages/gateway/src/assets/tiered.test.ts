import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Asset } from '@onetake/core';
import { openSqliteStore } from '../store/sqlite.ts';
import { AssetMissingError, type DiskAssets, openDiskAssets } from './disk.ts';
import { createTieredAssets, SMALL_BYTES } from './tiered.ts';

const root = mkdtempSync(join(tmpdir(), 'onetake-tiered-'));
after(() => rmSync(root, { recursive: true }));
let opened = 0;

async function open(directory = join(root, String(opened++))) {
  const files = await openDiskAssets(join(directory, 'assets'));
  const store = await openSqliteStore({ path: join(directory, 'onetake.db') });
  const clock = { now: 1_000 };
  const assets = createTieredAssets({ files, small: store.smallPictures, now: () => clock.now });
  return { assets, directory, clock, close: () => store.close() };
}

async function store(assets: DiskAssets, bytes: Buffer, chunkBytes = 10_000): Promise<Asset> {
  const hash = createHash('sha256').update(bytes).digest('hex');
  const asset = { hash, bytes: bytes.length, type: 'png', width: 1, height: 1, animated: false, alpha: false } as const;
  const writer = assets.create();
  for (let at = 0; at < bytes.length; at += chunkBytes) await writer.write(bytes.subarray(at, at + chunkBytes));
  await writer.commit(asset);
  return asset;
}

async function read(assets: DiskAssets, asset: Asset, options = {}): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(assets.read(asset, options), (chunk) => Buffer.from(chunk)));
}

function filesBelow(directory: string): readonly string[] {
  const entries = readdirSync(join(directory, 'assets'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

test('small pictures share one place and larger ones get a file; both come back after opening again', async () => {
  const first = await open();
  const all = await Promise.all(
    [1, 700, SMALL_BYTES, SMALL_BYTES + 1, 300_000].map(async (size) => {
      const bytes = randomBytes(size);
      return { bytes, asset: await store(first.assets, bytes) };
    }),
  );
  const large = all.slice(3).map(({ asset }) => `${asset.hash}.png`);
  assert.deepEqual([...filesBelow(first.directory)].sort(), large.sort());
  await first.close();
  const again = await open(first.directory);
  for (const { bytes, asset } of all) {
    assert.ok((await read(again.assets, asset)).equals(bytes));
    assert.equal(await again.assets.size(asset.hash, asset.type), bytes.length);
    assert.ok((await read(again.assets, asset, { start: 1, end: 500 })).equals(bytes.subarray(1, 500)));
  }
  await again.close();
});

test('a small picture is removed, unless it was written again since', async () => {
  const { assets, close, clock } = await open();
  const asset = await store(assets, Buffer.from('small'));
  clock.now = 2_000;
  await store(assets, Buffer.from('small'));
  await assets.remove(asset, { writtenBefore: 2_000 });
  assert.equal((await read(assets, asset)).toString(), 'small');
  await assets.remove(asset, { writtenBefore: 2_001 });
  await assets.remove(asset);
  assert.equal(await assets.size(asset.hash, asset.type), undefined);
  await assert.rejects(read(assets, asset), AssetMissingError);
  await close();
});

test('what is discarded, or shorter than announced, is not there', async () => {
  const { assets, directory, close } = await open();
  for (const size of [10, 200_000]) {
    const bytes = randomBytes(size);
    const writer = assets.create();
    await writer.write(bytes);
    await writer.discard();
    const short = assets.create();
    await short.write(bytes.subarray(1));
    const asset = { hash: 'a'.repeat(64), bytes: size, type: 'png', width: 1, height: 1 } as const;
    await assert.rejects(short.commit({ ...asset, animated: false, alpha: false }), /asset\.bytes is/);
    assert.equal(await assets.size(asset.hash, asset.type), undefined);
  }
  assert.deepEqual(filesBelow(directory), []);
  await close();
});

test('what was stored last is handed over without asking the database', async () => {
  const { assets, close } = await open();
  const bytes = randomBytes(500);
  const asset = await store(assets, bytes);
  await close();
  assert.ok((await read(assets, asset)).equals(bytes));
  for (let count = 0; count < 3; count += 1) await assert.rejects(store(assets, randomBytes(10)), /close/);
});
