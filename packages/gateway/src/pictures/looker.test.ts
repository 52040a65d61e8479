import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Asset } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import { testPng } from '../testing/pictures.ts';
import type { DecoderOptions } from './decoder.ts';
import { createDecoder } from './decoder.ts';
import { lookThrough } from './looker.ts';

const PNG = testPng({ width: 40, height: 30, alpha: false });

function assetOf(hash: string, change: Partial<Asset> = {}): Asset {
  return { hash, bytes: PNG.length, type: 'png', width: 40, height: 30, animated: false, alpha: false, ...change };
}

/** A store that reads what begins with `whole`, never ends reading what begins with `stuck`, and has nothing else. */
function open(options: Partial<DecoderOptions> = {}) {
  const clock = createVirtualClock(1_000);
  const assets = {
    async *read({ hash }: Pick<Asset, 'hash'>) {
      if (hash.startsWith('stuck')) await new Promise(() => {});
      if (!hash.startsWith('whole')) throw new Error(`the image ${hash} is not stored here`);
      yield PNG.subarray(0, 20);
      yield PNG.subarray(20);
    },
  };
  const decoder = createDecoder({ assets, io: clock, timeoutMs: 2_000, ...options });
  const looker = lookThrough(decoder);
  const look = async (asset: Asset) => {
    const seen = await looker.look(asset);
    return 'problem' in seen ? seen.problem : `${seen.width}x${seen.height}`;
  };
  return { clock, decoder, look };
}

test('a picture is measured in the size it has', async () => {
  const { look, decoder } = open();
  assert.equal(await look(assetOf('whole')), '40x30');
  assert.deepEqual([decoder.running, decoder.waiting], [0, 0]);
});

test('SVG, too many pixels and too many bytes are told before anything is read', async () => {
  const { look } = open({ maxPixels: 1_200, maxBytes: PNG.length });
  assert.equal(await look(assetOf('absent', { type: 'svg' })), 'not_looked_at');
  assert.equal(await look(assetOf('absent', { width: 41 })), 'too_large');
  assert.equal(await look(assetOf('absent', { type: 'avif', width: 20, height: 16 })), 'too_large');
  assert.equal(await look(assetOf('absent', { type: 'avif', width: 20, height: 15 })), 'missing');
  assert.equal(await look(assetOf('absent', { bytes: PNG.length + 1 })), 'too_large');
  assert.equal(await look(assetOf('whole')), '40x30');
});

test('a picture that is gone, longer or shorter than its asset is missing', async () => {
  const { look } = open();
  assert.equal(await look(assetOf('absent')), 'missing');
  assert.equal(await look(assetOf('whole', { bytes: PNG.length + 1 })), 'missing');
  assert.equal(await look(assetOf('whole', { bytes: PNG.length - 1 })), 'missing');
});

test('a size that the file exceeds is found by the decoder too', async () => {
  const { look } = open({ maxPixels: 1_000 });
  assert.equal(await look(assetOf('whole', { width: 1, height: 1 })), 'too_large');
});

test('who waits is bounded, and told so at once', async () => {
  const { clock, decoder, look } = open({ concurrency: 1, maxWaiting: 2 });
  const first = look(assetOf('stuck 1'));
  const second = look(assetOf('whole 2'));
  const third = look(assetOf('whole 3'));
  assert.deepEqual([decoder.running, decoder.waiting], [1, 2]);
  assert.equal(await look(assetOf('whole 4')), 'busy');
  assert.equal(await clock.drive(first), 'timeout');
  await Promise.all([second, third]);
  assert.deepEqual([decoder.running, decoder.waiting], [0, 0]);
});

test('what waits in line as long as the limit is told that nothing was free', async () => {
  const { clock, decoder, look } = open({ concurrency: 1 });
  const stuck = look(assetOf('stuck'));
  const waiting = look(assetOf('whole'));
  const answers = await clock.drive(Promise.all([stuck, waiting]));
  assert.equal(answers[0], 'timeout');
  assert.equal(decoder.waiting, 0);
  assert.equal(await look(assetOf('whole')), '40x30');
});

test('reads that never end take no thread away for good', async () => {
  const { clock, look } = open({ concurrency: 2 });
  for (let round = 0; round < 5; round += 1) {
    const stuck = [look(assetOf(`stuck ${round}a`)), look(assetOf(`stuck ${round}b`))];
    assert.deepEqual(await clock.drive(Promise.all(stuck)), ['timeout', 'timeout']);
  }
  assert.equal(await look(assetOf('whole')), '40x30');
});

test('decoding that outlasts its limit is answered for, and keeps its place until it ends', async () => {
  const { clock, decoder } = open({ concurrency: 1 });
  const { promise, resolve } = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<void>();
  const slow = decoder.decode(assetOf('whole'), () => {
    begun.resolve();
    return promise;
  });
  await begun.promise;
  const late = await clock.drive(slow);
  assert.equal(late.ok || late.problem, 'timeout');
  assert.equal(decoder.running, 1);
  const next = decoder.decode(assetOf('whole'), async () => 'next');
  assert.equal(decoder.waiting, 1);
  resolve('at last');
  assert.deepEqual(await next, { ok: true, result: 'next' });
  assert.equal(decoder.running, 0);
});
