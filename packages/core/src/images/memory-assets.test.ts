import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Asset, AssetStore } from './asset.ts';
import { createMemoryAssets } from './memory-assets.ts';

function asset(hash: string, bytes: number): Asset {
  return { hash, bytes, type: 'png', width: 1, height: 1, animated: false, alpha: false };
}

async function store(assets: AssetStore, hash: string, bytes: number): Promise<void> {
  const writer = assets.create();
  await writer.write(Buffer.alloc(1, hash));
  await writer.write(Buffer.alloc(bytes - 1, hash));
  await writer.commit(asset(hash, bytes));
}

async function read(assets: AssetStore, hash: string): Promise<string> {
  return Buffer.concat(await Array.fromAsync(assets.read(asset(hash, 0)))).toString();
}

test('the oldest images make room, and storing one again makes it young', async () => {
  const assets = createMemoryAssets({ maxBytes: 10 });
  await store(assets, 'a', 4);
  await store(assets, 'b', 4);
  await store(assets, 'a', 4);
  await store(assets, 'c', 5);
  assert.equal(await read(assets, 'a'), 'aaaa');
  assert.equal(await read(assets, 'c'), 'ccccc');
  await assert.rejects(read(assets, 'b'), /image b is not in memory/);
});

test('an image larger than the whole store is refused by name of the setting', async () => {
  const assets = createMemoryAssets({ maxBytes: 10 });
  await store(assets, 'a', 4);
  await assert.rejects(store(assets, 'b', 11), /maxBytes/);
  assert.equal(await read(assets, 'a'), 'aaaa');
});

test('what was discarded was never stored', async () => {
  const assets = createMemoryAssets();
  const writer = assets.create();
  await writer.write(Buffer.from('a'));
  await writer.discard();
  await assert.rejects(read(assets, 'a'));
});
