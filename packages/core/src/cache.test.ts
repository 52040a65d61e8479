import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CachedPictures, cacheable, cachedGeneration, createMemoryCache } from './cache.ts';
import { costOf } from './cost.ts';
import { foldGeneration } from './generation.ts';
import type { Asset } from './images/asset.ts';
import { createMemoryAssets } from './images/memory-assets.ts';
import type { Event, GeneratedImage, Outcome } from './journal.ts';
import type { Plan } from './plan.ts';
import { SAMPLE_ASSET, samplePlan, sampleRequest, sampleTarget } from './testing/samples.ts';

function picture(bytes: number, hash = 'a'): Asset {
  return { ...SAMPLE_ASSET, bytes, hash: hash.repeat(64) };
}

function entry(bytes: number, change: Partial<CachedPictures> = {}): CachedPictures {
  return { images: [{ asset: picture(bytes) }], target: 'a/model', createdAt: 0, ...change };
}

/** Bytes that are always there. */
const STORED = {
  async *read() {
    yield new Uint8Array(1);
  },
};

test('what was put is got again, and nothing else', async () => {
  const cache = createMemoryCache({ assets: STORED });
  await cache.put('k', entry(10, { costUsd: 0.04 }), 0);
  assert.deepEqual(await cache.get('k', 1), entry(10, { costUsd: 0.04 }));
  assert.equal(await cache.get('other', 1), undefined);
});

test('what is too old is a miss, and what is too large is not kept', async () => {
  const cache = createMemoryCache({ assets: STORED, maxAgeMs: 100, maxBytes: 50 });
  await cache.put('k', entry(50), 0);
  await cache.put('large', entry(51), 0);
  assert.ok(await cache.get('k', 99));
  assert.equal(await cache.get('k', 100), undefined);
  assert.equal(await cache.get('large', 1), undefined);
});

test('what was unused for longest goes first', async () => {
  const cache = createMemoryCache({ assets: STORED, maxBytes: 30 });
  for (const key of ['a', 'b', 'c']) await cache.put(key, entry(10), 0);
  await cache.get('a', 1);
  await cache.put('d', entry(10), 1);
  const there = await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => (await cache.get(key, 2)) !== undefined));
  assert.deepEqual(there, [true, false, true, true]);
});

test('neither bytes nor entries ever pass their bounds', async () => {
  const put = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), bytes: fc.nat(60) });
  await fc.assert(
    fc.asyncProperty(fc.array(put, { maxLength: 30 }), async (puts) => {
      const cache = createMemoryCache({ assets: STORED, maxBytes: 100, maxEntries: 3 });
      for (const { key, bytes } of puts) {
        await cache.put(key, entry(bytes), 0);
        assert.deepEqual(await cache.get(key, 0), entry(bytes));
      }
      const left = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => cache.get(key, 0)));
      const kept = left.filter((one) => one !== undefined);
      assert.ok(kept.length <= 3);
      assert.ok(kept.reduce((sum, { images }) => sum + (images[0]?.asset.bytes ?? 0), 0) <= 100);
    }),
  );
});

test('pictures whose bytes were dropped are a miss', async () => {
  const assets = createMemoryAssets({ maxBytes: 10 });
  const write = async (asset: Asset) => {
    const writer = assets.create();
    writer.write(new Uint8Array(asset.bytes));
    await writer.commit(asset);
  };
  const cache = createMemoryCache({ assets });
  const [first, second] = [picture(6, 'a'), picture(6, 'b')];
  await write(first);
  await cache.put('k', entry(6, { images: [{ asset: first }] }), 0);
  assert.ok(await cache.get('k', 1));
  await write(second);
  assert.equal(await cache.get('k', 1), undefined);
});

function planWith(changes: Partial<Plan>): Plan {
  return { ...samplePlan(), ...changes };
}

const PLAN = planWith({ request: sampleRequest({ n: 2 }), targets: [sampleTarget('a'), sampleTarget('b')] });
const IMAGES: readonly GeneratedImage[] = [{ asset: picture(1, 'a') }, { asset: picture(2, 'b') }];

function journal(outcome: Outcome, target = 'a/model'): readonly Event[] {
  return [
    { type: 'attempt-started', at: 1, attempt: 1, target },
    { type: 'attempt-ended', at: 2, attempt: 1, outcome },
    { type: 'finished', at: 3, outcome },
  ];
}

test('a whole result is kept under the target that made it', () => {
  const kept = cacheable(PLAN, foldGeneration([journal({ ok: true, images: IMAGES }, 'b/model')]));
  assert.deepEqual([kept?.target.id, kept?.images], ['b/model', IMAGES]);
  const [one, two] = IMAGES.map((image) => journal({ ok: true, images: [image] }));
  assert.deepEqual(cacheable(PLAN, foldGeneration([one ?? [], two ?? []]))?.images, IMAGES);
  const grid = [{ asset: picture(1), pictures: 2 }];
  assert.ok(cacheable(PLAN, foldGeneration([journal({ ok: true, images: grid })])));
});

const RUNG = { attempt: 1, rung: 'rewrite', index: 0, target: 'a/model', told: 'in milder words' } as const;

test('failures, parts, marked pictures, those of several targets, and what came after a refusal are not kept', () => {
  const failure = { kind: 'empty', certainty: 'completed', message: 'nothing' } as const;
  const [image] = IMAGES;
  assert.ok(image);
  const never: readonly (readonly (readonly Event[])[])[] = [
    [journal({ ok: false, failure })],
    [journal({ ok: true, images: [] })],
    [journal({ ok: true, images: [image] })],
    [journal({ ok: true, images: IMAGES, missing: [failure] })],
    [journal({ ok: true, images: [image, { ...image, flagged: 'nsfw' }] })],
    [journal({ ok: true, images: [image, { ...image, suspect: [{ code: 'black', detail: 'all of it' }] }] })],
    [journal({ ok: true, images: [image] }), journal({ ok: true, images: [image] }, 'b/model')],
    [journal({ ok: true, images: IMAGES }, 'c/model')],
    [journal({ ok: true, images: IMAGES }).slice(0, 1)],
    [[{ type: 'rung-taken', at: 0, ...RUNG }, ...journal({ ok: true, images: IMAGES })]],
  ];
  for (const journals of never) assert.equal(cacheable(PLAN, foldGeneration(journals)), undefined);
});

test('what was made once more, with another seed, is not kept under the key of the first', () => {
  const doubted = journal({ ok: true, images: IMAGES }).slice(0, 2);
  const again = journal({ ok: true, images: IMAGES }).map((event) => ({
    ...event,
    ...('attempt' in event && { attempt: 2 }),
  }));
  assert.equal(cacheable(PLAN, foldGeneration([[...doubted, ...again]])), undefined);
});

test('a hit costs nothing and names who made it', () => {
  const generation = cachedGeneration(entry(10, { costUsd: 0.04 }));
  assert.deepEqual(costOf(PLAN, generation).usd, 0);
  assert.deepEqual([generation.paidAttempts, generation.targets], [0, ['a/model']]);
});
