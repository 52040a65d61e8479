import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { AssetStore } from './asset.ts';
import { createIntake, type IntakeOptions, type Settled } from './intake.ts';
import { createMemoryAssets } from './memory-assets.ts';

const PNG = readFileSync(new URL('./fixtures/alpha.png', import.meta.url));
const ASSET = {
  hash: createHash('sha256').update(PNG).digest('hex'),
  bytes: PNG.length,
  type: 'png',
  width: 7,
  height: 5,
  animated: false,
  alpha: true,
} as const;

/** An intake over a memory store that counts how its writers ended. */
function counted(options?: IntakeOptions) {
  const assets = createMemoryAssets();
  const counts = { created: 0, committed: 0, discarded: 0 };
  const store: AssetStore = {
    ...assets,
    create() {
      counts.created += 1;
      const writer = assets.create();
      return {
        write: writer.write,
        commit(asset) {
          counts.committed += 1;
          return writer.commit(asset);
        },
        discard() {
          counts.discarded += 1;
          return writer.discard();
        },
      };
    },
  };
  return { assets, counts, intake: createIntake(store, options) };
}

function problem(settled: Settled): string {
  return settled.ok ? 'ok' : settled.problem;
}

test('a whole picture is stored under its hash, once', async () => {
  const { assets, counts, intake } = counted();
  const target = intake.openBlob();
  await target.write(PNG.subarray(0, 20));
  await target.write(PNG.subarray(20));
  assert.equal(target.end(), 0);
  assert.deepEqual(await intake.settle(0), { ok: true, asset: ASSET });
  assert.deepEqual(await intake.settle(0), { ok: true, asset: ASSET });
  await intake.discardAll();
  assert.deepEqual(counts, { created: 1, committed: 1, discarded: 0 });
  assert.deepEqual(Buffer.concat(await Array.fromAsync(assets.read(ASSET))), PNG);
});

test('a picture cut off, by its bytes or by the answer, is discarded and says so', async () => {
  const { counts, intake } = counted();
  const short = intake.openBlob();
  await short.write(PNG.subarray(0, -1));
  short.end();
  const open = intake.openBlob();
  await open.write(PNG);
  assert.equal(problem(await intake.settle(0)), 'truncated');
  assert.equal(problem(await intake.settle(1)), 'truncated');
  assert.deepEqual(counts, { created: 2, committed: 0, discarded: 2 });
});

test('short base64 is taken as a picture; what is not base64 is not', async () => {
  const { intake } = counted();
  assert.deepEqual(await intake.take(PNG.toString('base64')), { ok: true, asset: ASSET });
  assert.deepEqual(await intake.take(PNG.toString('base64url')), { ok: true, asset: ASSET });
  assert.equal(problem(await intake.take('not base64!')), 'not_an_image');
  assert.equal(problem(await intake.take('')), 'empty');
});

test('a reference to a blob that does not exist is no picture', async () => {
  const { intake } = counted();
  for (const index of [0, 7, -1, 0.5, Number.NaN]) assert.equal(problem(await intake.settle(index)), 'empty');
});

test('too many blobs and too many bytes cost only themselves', async () => {
  const { counts, intake } = counted({ maxBlobs: 2, maxBlobBytes: PNG.length });
  const [first, second, third, fourth] = [intake.openBlob(), intake.openBlob(), intake.openBlob(), intake.openBlob()];
  for (const target of [first, second, third, fourth]) await target.write(PNG);
  await second.write(PNG);
  const indices = [first, second, third, fourth].map((target) => target.end());
  assert.deepEqual(indices, [0, 1, 2, 2]);
  const settled = await Promise.all(indices.map((index) => intake.settle(index)));
  assert.deepEqual(settled.map(problem), ['ok', 'too_large', 'too_large', 'too_large']);
  assert.equal(problem(await intake.take(PNG.toString('base64'))), 'too_large');
  assert.deepEqual(counts, { created: 2, committed: 1, discarded: 1 });
});

test('discarding ends every open blob once, and takes no more bytes', async () => {
  const { counts, intake } = counted();
  const target = intake.openBlob();
  await target.write(PNG);
  await intake.discardAll();
  await intake.discardAll();
  await target.write(PNG);
  target.end();
  assert.equal(problem(await intake.settle(0)), 'truncated');
  assert.deepEqual(counts, { created: 1, committed: 0, discarded: 1 });
});

test('a picture that could not be committed, or not even removed, does not keep the others from being ended', async () => {
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  let discarded = 0;
  const intake = createIntake({
    ...createMemoryAssets(),
    create: () => ({
      write: () => {},
      commit: () => Promise.reject(full),
      discard() {
        discarded += 1;
        return discarded === 1 ? Promise.reject(full) : Promise.resolve();
      },
    }),
  });
  const targets = [intake.openBlob(), intake.openBlob(), intake.openBlob()];
  for (const target of targets) await target.write(PNG);
  targets[0]?.end();
  await assert.rejects(intake.settle(0), full);
  await intake.discardAll();
  assert.equal(discarded, 2);
  await assert.rejects(intake.settle(0), full);
});
