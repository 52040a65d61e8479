import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import {
  type Asset,
  createIntake,
  type ImageType,
  type Look,
  type Settled,
  suspicions,
  systemIo,
  type Unseen,
} from '@onetake/core';
import type { Specimen } from '../testing/corpus.ts';
import { hostilePictures } from '../testing/corpus-hostile.ts';
import { wholePictures } from '../testing/corpus-whole.ts';
import { createLooker } from './looker.ts';

const MAX_FILE_MS = 2_000;
/** Between two turns of the event loop; what is measured is some 20 ms, and the machine may be busy. */
const MAX_STALL_MS = 400;
const MAX_GROWTH_BYTES = 300 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

/** Bytes by hash, also those that the verifier would never have let in. */
const stored = new Map<string, Buffer>();
const assets = {
  async *read({ hash }: Pick<Asset, 'hash'>) {
    yield stored.get(hash) ?? assert.fail(hash);
  },
};
const looker = createLooker({ assets, io: systemIo(), timeoutMs: MAX_FILE_MS });

/** Through the intake as from a wire, in pieces between which others have their turn. */
async function verify(bytes: Buffer): Promise<Settled> {
  const intake = createIntake({
    create: () => ({ write() {}, commit: async ({ hash }) => void stored.set(hash, bytes), discard: async () => {} }),
    read: assets.read,
  });
  const blob = intake.openBlob();
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    await blob.write(bytes.subarray(at, at + PIECE_BYTES));
    await new Promise(setImmediate);
  }
  return intake.settle(blob.end());
}

/** As if the verifier had let it pass. */
function lookAt(bytes: Buffer, type: ImageType): Promise<Look | Unseen> {
  const hash = createHash('sha256').update(bytes).digest('hex');
  stored.set(hash, bytes);
  const asset = { hash, bytes: bytes.length, type, width: 96, height: 64, animated: false, alpha: false };
  return looker.look(asset).finally(() => stored.delete(hash));
}

/** Runs it, and fails when it took too long, held the event loop up, or grew the process. */
async function bounded<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const peak = () => process.resourceUsage().maxRSS * 1024;
  const [before, begun] = [peak(), performance.now()];
  delay.enable();
  const result = await work();
  delay.disable();
  const took = performance.now() - begun;
  assert.ok(took < MAX_FILE_MS, `${name} took ${took} ms`);
  assert.ok(delay.max / 1e6 < MAX_STALL_MS, `${name} held the event loop up for ${delay.max / 1e6} ms`);
  assert.ok(peak() - before < MAX_GROWTH_BYTES, `${name} grew the process by ${peak() - before} bytes`);
  return result;
}

async function judge({ name, bytes, verdict, look, is = {}, suspect }: Specimen): Promise<void> {
  const settled = await verify(bytes);
  assert.equal(settled.ok ? settled.asset.type : settled.problem, verdict, name);
  if (!settled.ok) return;
  const { asset } = settled;
  assert.deepEqual({ ...asset, ...is }, asset, name);
  const seen = await looker.look(asset);
  assert.equal('problem' in seen ? seen.problem : 'seen', look, `${name}: ${JSON.stringify(seen)}`);
  const found = suspicions({ request: {}, asset, look: seen }).map(({ code }) => code);
  assert.deepEqual(found, suspect ?? (look === 'undecodable' ? ['undecodable'] : []), name);
}

for (const [kind, make] of [
  ['whole', wholePictures],
  ['hostile', hostilePictures],
] as const) {
  test(`${kind} pictures are judged right, in bounded time and memory`, async (t) => {
    for (const specimen of await make()) {
      await t.test(specimen.name, () => bounded(specimen.name, () => judge(specimen)));
    }
  });
}

test('a night is none of the suspects, nor an icon, when transparency was asked for', async () => {
  const request = { background: 'transparent', size: '96x64', outputFormat: 'png' };
  for (const { name, bytes, suspect } of await wholePictures()) {
    const settled = await verify(bytes);
    if (suspect !== undefined || !settled.ok || settled.asset.type !== 'png') continue;
    const look = await looker.look(settled.asset);
    assert.deepEqual(suspicions({ request, asset: settled.asset, look }), [], name);
  }
});

/** One of each format, and what a cut in each hundredth of it may be called. */
async function oneOfEach(): Promise<readonly (Specimen & { readonly verdict: ImageType })[]> {
  const names = ['PNG', 'JPEG', 'JPEG, progressive', 'WebP', 'WebP, lossless', 'GIF', 'AVIF', 'SVG'];
  const all = await wholePictures();
  return all.filter((one): one is Specimen & { verdict: ImageType } => names.includes(one.name));
}

test('a picture cut at any hundredth is no picture, and does the looker no harm', async () => {
  for (const { name, bytes, verdict } of await oneOfEach()) {
    await bounded(name, async () => {
      for (let percent = 0; percent < 100; percent += 1) {
        const cut = bytes.subarray(0, Math.floor((bytes.length * percent) / 100));
        const settled = await verify(cut);
        assert.equal(settled.ok, false, `${name} at ${percent} %`);
        const seen = await lookAt(cut, verdict);
        if ('problem' in seen) assert.ok(['undecodable', 'not_looked_at'].includes(seen.problem), JSON.stringify(seen));
      }
    });
  }
});

test('a picture with any byte changed is refused, or looked at within bounds', async () => {
  for (const { name, bytes, verdict } of await oneOfEach()) {
    await bounded(name, async () => {
      for (let at = 1; at < bytes.length; at += Math.ceil(bytes.length / 100)) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ (1 + (at % 255));
        await verify(damaged);
        const seen = await lookAt(damaged, verdict);
        if ('problem' in seen) assert.notEqual(seen.problem, 'timeout', `${name} at ${at}`);
      }
    });
  }
});

test('bytes of another format than verified are looked at or refused, and SVG is never rendered', async () => {
  const all = await oneOfEach();
  const svg = all.find(({ verdict }) => verdict === 'svg') ?? assert.fail();
  for (const { verdict } of all) assert.deepEqual(Object.keys(await lookAt(svg.bytes, verdict)), ['problem', 'detail']);
});

test('an AVIF sequence, which no decoder here reads, is no suspect', async () => {
  const bytes = readFileSync(new URL('../../../core/src/images/fixtures/animated.avif', import.meta.url));
  const settled = await verify(bytes);
  assert.ok(settled.ok && settled.asset.animated);
  const look = await looker.look(settled.asset);
  assert.equal('problem' in look && look.problem, 'not_looked_at');
  assert.deepEqual(suspicions({ request: {}, asset: settled.asset, look }), []);
});

test('a hundred pictures at once are looked at two by two', async () => {
  const [one] = await oneOfEach();
  const settled = await verify(one?.bytes ?? assert.fail());
  assert.ok(settled.ok);
  const looks = await Promise.all(Array.from({ length: 102 }, () => looker.look(settled.asset)));
  assert.ok(looks.every((look) => !('problem' in look)));
});
