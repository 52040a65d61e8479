import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readModel, readModelFile } from './model-data.ts';
import type { Model } from './provider.ts';

const KNOWN: Model = { id: 'm', maxImagesPerCall: 1, operations: ['generate'], streams: false };

function fileOf(models: object) {
  return { as_of: '2026-11-21', sources: ['the reference page'], models };
}

test('a file of models becomes models, in its order, with everything it says', () => {
  const { asOf, models } = readModelFile(
    fileOf({
      big: {
        ...{ operations: ['generate', 'edit'], max_images_per_call: 4, fast: true, first_byte_timeout_ms: 90_000 },
        ...{ shutdown_date: '2027-01-31', price: { per_image_usd: 0.04 }, limits: { images: '5/60s', concurrency: 2 } },
        ...{ size: { kind: 'pixels', min_side: 64, max_side: 2048, multiple_of: 16, max_ratio: 3, auto: true } },
        ...{ quality: ['low', 'high'], formats: ['png'], compression: true, background: ['transparent'] },
        ...{ max_seed: 9, negative_prompt: true, references: { max: 3, as: 'link' }, mask: 'white' },
      },
      plain: {},
    }),
  );
  assert.equal(asOf, '2026-11-21');
  assert.deepEqual(models[0], {
    ...{ id: 'big', maxImagesPerCall: 4, operations: ['generate', 'edit'], streams: false, fast: true },
    ...{ firstByteMs: 90_000, shutdownDate: '2027-01-31', price: { perImageUsd: 0.04, asOf: '2026-11-21' } },
    limits: { images: [{ count: 5, windowMs: 60_000 }], concurrency: 2 },
    capabilities: {
      size: { kind: 'pixels', multipleOf: 16, minSide: 64, maxSide: 2048, maxRatio: 3, auto: true },
      ...{ quality: ['low', 'high'], formats: ['png'], compression: true, background: ['transparent'] },
      ...{ maxSeed: 9, negativePrompt: true, references: { max: 3, as: 'link' }, mask: 'white' },
    },
  });
  assert.deepEqual(models[1], { ...KNOWN, id: 'plain' }, 'nothing known is nothing promised');
});

test('a model like another has its facts, but for what it says itself', () => {
  const { models } = readModelFile(
    fileOf({ a: { size: { kind: 'fixed' }, fast: true }, b: { like: 'a', fast: false }, c: { like: 'b' } }),
  );
  assert.deepEqual(
    models.map(({ fast, capabilities }) => [fast, capabilities?.size.kind]),
    [
      [true, 'fixed'],
      [false, 'fixed'],
      [false, 'fixed'],
    ],
  );
});

test('what a user says goes over what is known, and what is left out stays', () => {
  const model = readModel('m', { price: { per_image_usd: 1 } }, { ...KNOWN, fast: true }, 'models.x/m');
  assert.deepEqual(model, { ...KNOWN, fast: true, price: { perImageUsd: 1, asOf: 'config' } });
});

const PRICES: readonly (readonly [said: object, price: object])[] = [
  [{ per_image_usd: 0 }, { perImageUsd: 0 }],
  [
    { per_image_usd: [{ size: '1024x1024', quality: 'low', usd: 0.01 }, { resolution: '4K', usd: 0.2 }, { usd: 0.1 }] },
    {
      perImageUsd: [{ size: '1024x1024', quality: 'low', usd: 0.01 }, { resolution: '4K', usd: 0.2 }, { usd: 0.1 }],
    },
  ],
  [
    { per_megapixel_usd: 0.003, auto_size: '1024x768' },
    { perMegapixelUsd: 0.003, autoSize: '1024x768' },
  ],
  [
    { per_million_tokens_usd: { input: 1, output: 2 }, output_tokens: 7_000, reference_tokens: 900 },
    {
      perMillionTokensUsd: { textInput: 1, imageInput: 1, output: 2 },
      ...{ outputTokens: [{ tokens: 7_000 }], referenceTokens: 900 },
    },
  ],
  [
    {
      per_million_tokens_usd: { text_input: 5, cached_input: 1, image_input: 8, output: 30 },
      output_tokens: [{ size: 'auto', quality: 'low', tokens: 200 }],
    },
    {
      perMillionTokensUsd: { textInput: 5, cachedInput: 1, imageInput: 8, output: 30 },
      outputTokens: [{ size: 'auto', quality: 'low', tokens: 200 }],
    },
  ],
];

test('a price by the picture, by its size or by tokens is read, with where it is from', () => {
  for (const [said, price] of PRICES) {
    const { models } = readModelFile(fileOf({ a: { price: said }, b: { price: { ...said, as_of: '2026-01-31' } } }));
    assert.deepEqual(
      models.map((model) => model.price),
      [
        { ...price, asOf: '2026-11-21' },
        { ...price, asOf: '2026-01-31' },
      ],
    );
    assert.deepEqual(readModel('m', { price: said }, KNOWN, 'models.x/m').price, { ...price, asOf: 'config' });
  }
});

test('a price that a user leaves alone keeps its date', () => {
  const known = { ...KNOWN, price: { perImageUsd: 1, asOf: '2026-11-21' } };
  assert.deepEqual(readModel('m', { fast: true }, known, 'models.x/m').price, known.price);
});

const FAULTS: readonly (readonly [facts: object, message: string])[] = [
  [{ sizes: [] }, 'models.x.sizes: expected one of operations, '],
  [{ max_images_per_call: 0 }, 'models.x.max_images_per_call: expected a whole number above 0, got 0'],
  [{ operations: ['draw'] }, 'models.x.operations: expected one of generate, edit, variation, upscale, got "draw"'],
  [{ size: { kind: 'round' } }, 'models.x.size.kind: expected one of any, list, pixels, ratio, fixed, got "round"'],
  [{ limits: { images: 'often' } }, 'models.x.limits.images: expected a count and a window such as 5/60s, got "often"'],
  [{ price: 1 }, 'models.x.price: expected an object, got 1'],
  [{ price: {} }, 'models.x.price: expected one of per_image_usd, per_megapixel_usd, per_million_tokens_usd, got {}'],
  [{ price: { per_image_usd: 1, per_megapixel_usd: 1 } }, 'models.x.price: expected one of per_image_usd, '],
  [{ price: { per_image_usd: [] } }, 'models.x.price.per_image_usd: expected a list of 1 to 100 rows, got []'],
  [{ price: { per_image_usd: -1 } }, 'models.x.price.per_image_usd: expected an amount of dollars, got -1'],
  [
    { price: { per_image_usd: [{ usd: 1 }, { n: 2, usd: 1 }] } },
    'models.x.price.per_image_usd[1].n: expected one of size, quality, resolution, got "n"',
  ],
  [{ price: { per_image_usd: [{ size: 'a' }] } }, 'models.x.price.per_image_usd[0].usd: expected an amount of dollars'],
  [
    { price: { per_image_usd: 1, output_tokens: 7 } },
    'models.x.price.output_tokens: expected beside per_image_usd one of as_of, got "output_tokens"',
  ],
  [{ price: { per_megapixel_usd: 1, auto_size: '0x9' } }, 'models.x.price.auto_size: expected a size such as 1024x768'],
  [{ price: { per_image_usd: 1, as_of: 'today' } }, 'models.x.price.as_of: expected an ISO date, got "today"'],
  [
    { price: { per_million_tokens_usd: { input: 1, output: 1 }, output_tokens: [{ tokens: 0 }] } },
    'models.x.price.output_tokens[0].tokens: expected a whole number above 0, got 0',
  ],
  [{ like: 'y' }, 'models.x.like: expected a model, got "y"'],
];

for (const [facts, message] of FAULTS) {
  test(message, () => {
    assert.throws(
      () => readModelFile(fileOf({ x: facts })),
      (error) => error instanceof TypeError && error.message.startsWith(message),
    );
  });
}

test('a file without a date or sources is refused', () => {
  assert.throws(() => readModelFile({ sources: ['a'], models: {} }), /as_of: expected an ISO date/);
  assert.throws(() => readModelFile({ as_of: '2026-11-21', sources: [], models: {} }), /sources: expected a list/);
});
