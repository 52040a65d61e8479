import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Price, type PricedRequest, picturesAheadMicroUsd, picturesMicroUsd } from './price.ts';
import { SAMPLE_ASSET } from './testing/samples.ts';

const asked = (changes: Partial<PricedRequest> = {}): PricedRequest => ({ prompt: 'a fox', ...changes });
const one = [undefined];

const TABLE: Price = {
  perImageUsd: [
    { size: '1024x1024', quality: 'low', usd: 0.01 },
    { size: '1024x1024', usd: 0.05 },
    { resolution: '4K', usd: 0.24 },
    { quality: 'auto', usd: 0.1 },
  ],
};

test('of a table the first row that matches counts, and what was not asked for is auto', () => {
  const micro = (changes: Partial<PricedRequest>) => picturesMicroUsd(TABLE, asked(changes), one);
  assert.equal(micro({ size: '1024x1024', quality: 'low' }), 10_000);
  assert.equal(micro({ size: '1024x1024', quality: 'high' }), 50_000);
  assert.equal(micro({ resolution: '4K', quality: 'low' }), 240_000);
  assert.equal(micro({}), 100_000);
  assert.equal(micro({ size: '512x512', quality: 'auto' }), 100_000);
  assert.equal(micro({ size: '512x512', quality: 'low' }), undefined, 'no row, no price');
});

test('a begun megapixel counts whole, of what was made before what was asked for', () => {
  const price: Price = { perMegapixelUsd: 0.01 };
  const micro = (size: string | undefined, made?: { width: number; height: number }) =>
    picturesMicroUsd(price, asked(size === undefined ? {} : { size }), [made]);
  assert.equal(micro('1024x1024'), 10_000);
  assert.equal(micro('1024x1040'), 20_000);
  assert.equal(micro('64x64'), 10_000);
  assert.equal(micro('1024x1024', { width: 2_048, height: 2_048 }), 40_000);
  for (const size of [undefined, 'auto', '0x0', '16:9']) assert.equal(micro(size), undefined, String(size));
  const sized: Price = { ...price, autoSize: '2048x1024' };
  assert.equal(picturesMicroUsd(sized, asked(), one), 20_000);
  assert.equal(picturesMicroUsd(sized, asked({ size: 'auto' }), one), 20_000);
  assert.equal(
    picturesMicroUsd(sized, asked({ images: [SAMPLE_ASSET] }), one),
    undefined,
    'it has the reference’s size',
  );
});

test('ahead, tokens are those of a table, for each picture, with the prompt and what goes in', () => {
  const price: Price = {
    perMillionTokensUsd: { textInput: 5, imageInput: 8, output: 30 },
    outputTokens: [{ quality: 'low', tokens: 200 }, { tokens: 7_000 }],
  };
  const prompt = 'x'.repeat(20);
  assert.equal(picturesAheadMicroUsd(price, { prompt, quality: 'low' }, 2), 10 * 5 + 2 * 200 * 30);
  assert.equal(picturesAheadMicroUsd(price, { prompt }, 1), 10 * 5 + 7_000 * 30);
  assert.equal(picturesAheadMicroUsd(price, { prompt, partialImages: 3 }, 2), 10 * 5 + 2 * (7_000 + 300) * 30);
  const edit = { prompt, images: [SAMPLE_ASSET, SAMPLE_ASSET], mask: SAMPLE_ASSET };
  assert.equal(picturesAheadMicroUsd(price, edit, 1), undefined, 'nobody knows what goes in');
  const known = { ...price, referenceTokens: 1_000 };
  assert.equal(picturesAheadMicroUsd(known, edit, 1), 10 * 5 + 3 * 1_000 * 8 + 7_000 * 30);
  const untold: Price = { perMillionTokensUsd: price.perMillionTokensUsd };
  assert.equal(picturesAheadMicroUsd(untold, { prompt }, 1), undefined);
  assert.equal(picturesMicroUsd(price, { prompt }, one), undefined, 'a picture has no price by itself');
});

test('fractions of a millionth are rounded once', () => {
  assert.equal(picturesMicroUsd({ perImageUsd: 1 / 3 }, asked(), [undefined, undefined, undefined]), 1_000_000);
  assert.equal(picturesMicroUsd({ perImageUsd: 0.067 }, asked(), one), 67_000);
});
