import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { CHANNELS, type DrawnPng, drawPng } from '../testing/draw-png.ts';
import type { Asset, AssetStore } from './asset.ts';
import { createIntake } from './intake.ts';
import { repaintMask } from './mask.ts';
import { createMemoryAssets } from './memory-assets.ts';

async function stored(bytes: Uint8Array, assets: AssetStore): Promise<Asset> {
  const intake = createIntake(assets);
  const blob = intake.openBlob();
  await blob.write(bytes);
  const settled = await intake.settle(blob.end());
  assert.ok(settled.ok, JSON.stringify(settled));
  return settled.asset;
}

async function bytesOf(asset: Asset, assets: AssetStore): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const piece of assets.read(asset)) chunks.push(piece);
  return Buffer.concat(chunks);
}

/** The grey values, row by row, of a PNG whose rows have no filter. */
function greys(whole: Buffer, { width, height }: Asset): number[][] {
  const data: Buffer[] = [];
  for (let at = 8; at < whole.length; at += 12 + whole.readUInt32BE(at)) {
    if (whole.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(whole.subarray(at + 8, at + 8 + whole.readUInt32BE(at)));
  }
  const rows = inflateSync(Buffer.concat(data));
  assert.equal(rows.length, height * (width + 1));
  return Array.from({ length: height }, (_, y) => {
    assert.equal(rows[y * (width + 1)], 0);
    return [...rows.subarray(y * (width + 1) + 1, (y + 1) * (width + 1))];
  });
}

async function repainted(bytes: Uint8Array, mark: 'white' | 'black', assets = createMemoryAssets()) {
  const mask = await stored(bytes, assets);
  const done = await repaintMask(mask, mark, assets);
  assert.ok('asset' in done, JSON.stringify(done));
  return { mask, asset: done.asset, rows: greys(await bytesOf(done.asset, assets), done.asset) };
}

async function refused(bytes: Uint8Array) {
  const assets = createMemoryAssets();
  const done = await repaintMask(await stored(bytes, assets), 'white', assets);
  assert.ok('failure' in done);
  return done.failure;
}

const KINDS = [
  ...[1, 2, 4, 8].map((depth) => ({ colour: 3, depth })),
  ...[1, 2, 4, 8, 16].map((depth) => ({ colour: 0, depth })),
  ...[2, 4, 6].flatMap((colour) => [8, 16].map((depth) => ({ colour, depth }))),
];

const DRAWN: fc.Arbitrary<{ readonly drawn: DrawnPng; readonly alphas: number[][] }> = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    width: fc.integer({ min: 1, max: 13 }),
    height: fc.integer({ min: 1, max: 6 }),
    filters: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }),
    seed: fc.array(fc.nat(65_535), { minLength: 1, maxLength: 40 }),
    extra: fc.constantFrom(0, 0, 3, 30_000),
  })
  .map(({ kind: { colour, depth }, width, height, filters, seed, extra }) => {
    const channels = CHANNELS[colour] ?? 1;
    const top = 2 ** depth - 1;
    const samples = Array.from({ length: height }, (_, y) =>
      Array.from({ length: width * channels }, (_, x) => (seed[(y * width * channels + x) % seed.length] ?? 0) & top),
    );
    const key = (samples[0] ?? []).slice(0, channels);
    const palette = Array.from(
      { length: Math.min(2 ** depth, 5) },
      (_, index) => (seed[index % seed.length] ?? 0) & 255,
    );
    const alphaOf = (row: readonly number[], x: number): number => {
      const pixel = row.slice(x * channels, (x + 1) * channels);
      if (colour === 3) return palette[pixel[0] ?? 0] ?? 255;
      if (colour === 0 || colour === 2) return pixel.every((one, at) => one === key[at]) ? 0 : 255;
      return Math.round(((pixel.at(-1) ?? 0) * 255) / top);
    };
    const words = key.flatMap((one) => [one >> 8, one & 255]);
    const transparency = colour === 3 ? palette : colour < 4 ? words : undefined;
    const drawn = { width, height, depth, colour, samples, filters, extra, ...(transparency && { transparency }) };
    return { drawn, alphas: samples.map((row) => Array.from({ length: width }, (_, x) => alphaOf(row, x))) };
  });

test('white, or black, is what was transparent; in between it is linear: every colour type, depth and row filter', async () => {
  await fc.assert(
    fc.asyncProperty(DRAWN, async ({ drawn, alphas }) => {
      const whole = drawPng(drawn);
      const white = await repainted(whole, 'white');
      assert.deepEqual(
        white.rows,
        alphas.map((row) => row.map((alpha) => 255 - alpha)),
      );
      const black = await repainted(whole, 'black');
      assert.deepEqual(black.rows, alphas);
      const { type, width, height, alpha } = white.asset;
      assert.deepEqual(
        { type, width, height, alpha },
        { type: 'png', width: drawn.width, height: drawn.height, alpha: false },
      );
    }),
    { numRuns: 300 },
  );
});

/** A hole with a soft edge in the middle of noise, as if drawn on the picture itself. */
function hole(side: number): DrawnPng {
  const samples = Array.from({ length: side }, (_, y) => {
    const row = new Array<number>(side * 4);
    for (let x = 0; x < side; x += 1) {
      const distance = Math.hypot(x - side / 2, y - side / 2) - side / 4;
      const alpha = Math.max(0, Math.min(255, Math.round(128 + distance * 8)));
      for (const [channel, value] of [(x * y) & 255, x & 255, y & 255, alpha].entries()) row[x * 4 + channel] = value;
    }
    return row;
  });
  return { width: side, height: side, depth: 8, colour: 6, samples, filters: [4, 3, 1, 2] };
}

test('the same mask is the same asset, however the store hands it out, and the original stays', async () => {
  const whole = drawPng(hole(300));
  const assets = createMemoryAssets();
  const first = await repainted(whole, 'white', assets);
  const piecewise: AssetStore = {
    ...assets,
    async *read(asset) {
      for await (const piece of assets.read(asset))
        for (let at = 0; at < piece.length; at += 777) yield piece.subarray(at, at + 777);
    },
  };
  const again = await repainted(whole, 'white', piecewise);
  assert.deepEqual(again.asset, first.asset);
  assert.notEqual((await repainted(whole, 'black', assets)).asset.hash, first.asset.hash);
  assert.ok((await bytesOf(first.mask, assets)).equals(whole));
});

test('others have their turn after every 64 KiB of rows', async () => {
  const assets = createMemoryAssets();
  const mask = await stored(drawPng(hole(512)), assets);
  let turns = 0;
  let ended = false;
  const turn = () => {
    turns += 1;
    if (!ended) setImmediate(turn);
  };
  setImmediate(turn);
  assert.ok('asset' in (await repaintMask(mask, 'white', assets)));
  ended = true;
  assert.ok(turns >= (512 * 512 * 4) / 65_536, `${turns} turns`);
});

const FLAT: DrawnPng = {
  width: 2,
  height: 2,
  depth: 8,
  colour: 6,
  samples: [
    [0, 0, 0, 0, 1, 1, 1, 9],
    [0, 0, 0, 0, 1, 1, 1, 9],
  ],
  filters: [0],
};

test('what cannot be told is refused before anything is sent, and says what to do', async () => {
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [drawPng({ ...FLAT, interlace: 1 }), /interlaced; save it without/],
    [
      drawPng({
        ...FLAT,
        colour: 2,
        samples: [
          [1, 2, 3, 4, 5, 6],
          [1, 2, 3, 4, 5, 6],
        ],
      }),
      /no transparency; make transparent/,
    ],
    [drawPng({ ...FLAT, cutRows: 1 }), /ends early/],
    [drawPng({ ...FLAT, extra: 300_000 }), /goes on after its last row/],
    [drawPng({ ...FLAT, filters: [7] }), /row filter 7/],
    [
      drawPng({
        ...FLAT,
        colour: 0,
        samples: [
          [1, 2],
          [3, 4],
        ],
        transparency: [0],
      }),
      /tRNS chunk is too short/,
    ],
  ];
  for (const [whole, message] of cases) {
    const failure = await refused(whole);
    assert.deepEqual([failure.kind, failure.certainty, failure.param], ['image_format', 'not_sent', 'mask']);
    assert.match(failure.message, message);
  }
});

test('a mask that is no PNG, or larger than any, is refused unread', async () => {
  const assets: AssetStore = { ...createMemoryAssets(), read: () => assert.fail('it was read') };
  const mask: Asset = {
    hash: 'a'.repeat(64),
    bytes: 9,
    type: 'png',
    width: 9,
    height: 9,
    animated: false,
    alpha: true,
  };
  const cases: readonly (readonly [Partial<Asset>, RegExp])[] = [
    [{ type: 'webp' }, /it is webp; save it as a PNG/],
    [{ width: 60_000, height: 60_000 }, /60000x60000, more than 67108864 pixels/],
    [{ bytes: 1e9 }, /1000000000 bytes, more than/],
  ];
  for (const [changes, message] of cases) {
    const done = await repaintMask({ ...mask, ...changes }, 'black', assets);
    assert.ok('failure' in done);
    assert.match(done.failure.message, message);
  }
});

test('damage inside the compressed data is the mask’s fault; a store that fails is not', async () => {
  const whole = drawPng({ ...FLAT, transparency: [] });
  const assets = createMemoryAssets();
  const damaged = Buffer.from(whole);
  const at = damaged.indexOf('IDAT') + 4;
  damaged.fill(0xff, at, at + 4);
  const mask = await stored(whole, assets);
  const broken: AssetStore = {
    ...assets,
    async *read() {
      yield damaged;
    },
  };
  const done = await repaintMask(mask, 'white', broken);
  assert.ok('failure' in done);
  const gone: AssetStore = { ...assets, read: () => assert.fail('retention removed it') };
  await assert.rejects(repaintMask(mask, 'white', gone), /retention removed it/);
});
