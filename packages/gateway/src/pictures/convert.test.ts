import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Asset, createIntake, createMemoryAssets } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import sharp, { type Sharp } from 'sharp';
import { photoPixels } from '../testing/corpus.ts';
import { type Converted, convertKeeping, createConverter, type NotConverted } from './convert.ts';
import { createDecoder } from './decoder.ts';

const [WIDTH, HEIGHT] = [640, 400];
const pixels = photoPixels(WIDTH, HEIGHT);

function photo(): Sharp {
  return sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
}

function open() {
  const assets = createMemoryAssets();
  const converter = createConverter(createDecoder({ assets, io: createVirtualClock() }), assets);
  return {
    ...converter,
    async store(bytes: Buffer): Promise<Asset> {
      const intake = createIntake(assets);
      const blob = intake.openBlob();
      await blob.write(bytes);
      const settled = await intake.settle(blob.end());
      assert.ok(settled.ok, settled.ok ? '' : settled.detail);
      return settled.asset;
    },
    read: async (asset: Asset) => Buffer.concat(await Array.fromAsync(assets.read(asset))),
  };
}

function done(result: Converted | NotConverted): Converted {
  assert.ok(result.ok, result.ok ? '' : result.detail);
  return result;
}

/** A JUMBF superbox of a C2PA manifest store, with nothing in it. */
const MANIFEST = Buffer.from(
  '000000266a756d620000001e6a756d64' + '6332706100110010800000aa00389b71' + '0363327061000000',
  'hex',
);

/** JPEG's APP11, where C2PA has its place: CI `JP`, instance 1, packet 1, then the boxes. */
function withManifest(jpeg: Buffer): Buffer {
  const head = Buffer.from([0xff, 0xeb, 0, MANIFEST.length + 10, 0x4a, 0x50, 0, 1, 0, 0, 0, 1]);
  return Buffer.concat([jpeg.subarray(0, 2), head, MANIFEST, jpeg.subarray(2)]);
}

test('a picture is written in any of four formats, and stored whole under its own hash', async () => {
  const { store, convert, read } = open();
  const original = await store(await photo().jpeg().toBuffer());
  for (const format of ['png', 'webp', 'avif'] as const) {
    const { asset, lost, flattened } = done(await convert(original, format));
    assert.deepEqual([asset.type, asset.width, asset.height], [format, WIDTH, HEIGHT]);
    assert.deepEqual([lost, flattened], [[], false]);
    assert.equal((await read(asset)).length, asset.bytes);
  }
  assert.equal((await read(original)).length, original.bytes);
});

test('a picture that has the format already stays the same asset', async () => {
  const { store, convert } = open();
  const original = await store(withManifest(await photo().jpeg().toBuffer()));
  assert.deepEqual(await convert(original, 'jpeg'), { ok: true, asset: original, lost: [], flattened: false });
});

test('quality is kept to, and PNG loses nothing', async () => {
  const { store, convert, read } = open();
  const original = await store(await photo().png().toBuffer());
  const [poor, good] = [
    await convert(original, 'jpeg', { quality: 20 }),
    await convert(original, 'jpeg', { quality: 95 }),
  ];
  assert.ok(done(poor).asset.bytes * 2 < done(good).asset.bytes);
  const lossless = await store(await photo().webp({ lossless: true }).toBuffer());
  const { asset } = done(await convert(lossless, 'png'));
  assert.ok(
    (
      await sharp(await read(asset))
        .removeAlpha()
        .raw()
        .toBuffer()
    ).equals(pixels),
  );
});

test('a C2PA manifest cannot be carried over, and that is said', async () => {
  const { store, convert, resize } = open();
  const original = await store(withManifest(await photo().jpeg().toBuffer()));
  assert.deepEqual(done(await convert(original, 'png')).lost, ['c2pa']);
  assert.deepEqual(done(await resize(original, 64)).lost, ['c2pa']);
});

test('profile, XMP and EXIF are kept, and a turned picture is written upright', async () => {
  const { store, convert, read } = open();
  const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><trainedAlgorithmicMedia/></x:xmpmeta>';
  const bytes = await photo()
    .withIccProfile('p3')
    .withExif({ IFD0: { Software: 'a model' } })
    .withXmp(xmp)
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  const original = await store(bytes);
  const before = await sharp(bytes).metadata();
  for (const format of ['png', 'webp', 'avif'] as const) {
    const { asset } = done(await convert(original, format));
    const after = await sharp(await read(asset)).metadata();
    assert.deepEqual([asset.width, asset.height], [HEIGHT, WIDTH]);
    assert.ok(before.icc && after.icc?.equals(before.icc), `${format} has its profile`);
    assert.match(String(after.xmp), /trainedAlgorithmicMedia/);
    assert.match(String(after.exif), /a model/);
  }
});

test('inks become sRGB', async () => {
  const { store, convert, read } = open();
  const original = await store(await photo().toColourspace('cmyk').jpeg().toBuffer());
  const { asset } = done(await convert(original, 'png'));
  const { space, channels } = await sharp(await read(asset)).metadata();
  assert.deepEqual([space, channels], ['srgb', 3]);
  const { channels: tones } = await sharp(await read(asset)).stats();
  const { channels: originals } = await photo().stats();
  for (const [index, { mean }] of tones.entries()) assert.ok(Math.abs(mean - (originals[index]?.mean ?? 0)) < 20);
});

test('transparency is laid over white for JPEG, and that is said', async () => {
  const { store, convert, read } = open();
  const background = { r: 0, g: 0, b: 0, alpha: 0 };
  const original = await store(
    await sharp({ create: { width: 8, height: 8, channels: 4, background } })
      .png()
      .toBuffer(),
  );
  const { asset, flattened } = done(await convert(original, 'jpeg'));
  assert.equal(flattened, true);
  assert.deepEqual(
    [
      ...(
        await sharp(await read(asset))
          .raw()
          .toBuffer()
      ).subarray(0, 3),
    ],
    [255, 255, 255],
  );
  assert.equal(done(await convert(original, 'webp')).flattened, false);
});

test('an animation is not converted, and its thumbnail is its first picture', async () => {
  const { store, convert, resize } = open();
  const frames = [await photo().png().toBuffer(), await photo().negate().png().toBuffer()];
  const original = await store(
    await sharp(frames, { join: { animated: true } })
      .webp()
      .toBuffer(),
  );
  assert.equal(original.animated, true);
  const refused = await convert(original, 'png');
  assert.equal(refused.ok || refused.problem, 'animated');
  const { asset } = done(await resize(original, 64));
  assert.deepEqual([asset.type, asset.width, asset.height, asset.animated], ['webp', 64, 40, false]);
});

test('a thumbnail is as wide as asked for and never wider than the picture', async () => {
  const { store, resize } = open();
  const original = await store(await photo().png().toBuffer());
  assert.deepEqual(done(await resize(original, 100, { format: 'avif' })).asset.height, 63);
  assert.deepEqual(done(await resize(original, 2_048)).asset.width, WIDTH);
});

test('a strip becomes no thumbnail of its length, and what would take too long to write is refused', async () => {
  const { store, convert, resize } = open();
  const background = { r: 9, g: 99, b: 200 };
  const strip = await sharp({ create: { width: 100, height: 20_000, channels: 3, background } })
    .png()
    .toBuffer();
  const { asset } = done(await resize(await store(strip), 100));
  assert.deepEqual([asset.width, asset.height], [20, 4_096]);
  const large = await sharp({ create: { width: 2_100, height: 2_000, channels: 3, background } })
    .png()
    .toBuffer();
  const refused = await convert(await store(large), 'avif');
  assert.equal(refused.ok || refused.problem, 'too_large');
});

test('for those who asked for a format a picture is written in it, unless that would lose its manifest', async () => {
  const { store, read, ...converter } = open();
  const keeping = convertKeeping(converter);
  const jpeg = await photo().jpeg().toBuffer();
  const converted = await keeping(await store(jpeg), 'png');
  assert.equal(converted?.type, 'png');
  assert.equal((await read(converted ?? assert.fail())).length, converted.bytes);
  assert.equal(await keeping(await store(jpeg), 'gif'), undefined);
  assert.equal(await keeping(await store(withManifest(jpeg)), 'png'), undefined);
  const marked = await converter.convert(await store(withManifest(jpeg)), 'png', { keepMarks: true });
  assert.equal(marked.ok || marked.problem, 'marked');
  const svg = await store(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>'));
  assert.equal(await keeping(svg, 'png'), undefined);
});

test('what cannot be written anew says why', async () => {
  const { store, convert } = open();
  const svg = await store(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>'));
  const refused = await convert(svg, 'png');
  assert.deepEqual(refused, { ok: false, problem: 'not_looked_at', detail: 'SVG is never rendered here' });
  const jpeg = await photo().jpeg().toBuffer();
  const cut = await convert(await store(Buffer.concat([jpeg.subarray(0, 2_000), jpeg.subarray(-2)])), 'png');
  assert.equal(cut.ok || cut.problem, 'undecodable');
});

test('widths and qualities out of bounds are named', async () => {
  const { store, convert, resize } = open();
  const original = await store(await photo().png().toBuffer());
  for (const width of [15, 2_049, 99.5, Number.NaN]) {
    await assert.rejects(resize(original, width), /width is .*; it must be a whole number from 16 to 2048/);
  }
  for (const quality of [0, 101, 50.5]) {
    await assert.rejects(
      convert(original, 'jpeg', { quality }),
      /quality is .*; it must be a whole number from 1 to 100/,
    );
  }
});
