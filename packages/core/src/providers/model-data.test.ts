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
    ...{ firstByteMs: 90_000, shutdownDate: '2027-01-31', price: { perImageUsd: 0.04 } },
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
  assert.deepEqual(model, { ...KNOWN, fast: true, price: { perImageUsd: 1 } });
});

const FAULTS: readonly (readonly [facts: object, message: string])[] = [
  [{ sizes: [] }, 'models.x.sizes: expected one of operations, '],
  [{ max_images_per_call: 0 }, 'models.x.max_images_per_call: expected a whole number above 0, got 0'],
  [{ operations: ['draw'] }, 'models.x.operations: expected one of generate, edit, variation, upscale, got "draw"'],
  [{ size: { kind: 'round' } }, 'models.x.size.kind: expected one of any, list, pixels, ratio, fixed, got "round"'],
  [{ limits: { images: 'often' } }, 'models.x.limits.images: expected a count and a window such as 5/60s, got "often"'],
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
