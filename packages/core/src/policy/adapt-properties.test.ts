import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Adaptation, Capabilities, SizeRule } from '../capabilities.ts';
import type { ImageType } from '../images/asset.ts';
import type { ImageRequest } from '../request.ts';
import { SAMPLE_ASSET } from '../testing/samples.ts';
import { adapt, type ModelFacts } from './adapt.ts';

const word = (words: readonly string[]) => fc.option(fc.constantFrom(...words), { nil: undefined });
const FORMATS: readonly ImageType[] = ['png', 'jpeg', 'webp', 'gif', 'svg', 'avif'];
const QUALITY = ['auto', 'low', 'medium', 'high', 'hd', 'standard', 'xhigh', 'odd'];
const BACKGROUNDS = ['auto', 'opaque', 'transparent', 'blue'];
const side = fc.integer({ min: 1, max: 16_384 });
const anySize = fc.tuple(side, side).map(([width, height]) => `${width}x${height}`);
const anyRatio = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 })).map((two) => two.join(':'));

const requests = fc
  .record({
    size: fc.option(fc.oneof(anySize, fc.constant('auto'), fc.string({ maxLength: 12 })), { nil: undefined }),
    aspectRatio: fc.option(fc.oneof(anyRatio, fc.string({ maxLength: 6 })), { nil: undefined }),
    resolution: word(['1K', '2K', '4K', '0.5K', '1MP', 'odd', '512']),
    quality: word(QUALITY),
    outputFormat: word([...FORMATS, 'bmp', 'constructor']),
    outputCompression: fc.option(fc.nat(100), { nil: undefined }),
    background: word(BACKGROUNDS),
    moderation: word(['auto', 'low']),
    seed: fc.option(fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }), { nil: undefined }),
    negativePrompt: word(['red', 'x'.repeat(500)]),
    stream: fc.constantFrom(true, undefined),
    partialImages: fc.option(fc.nat(3), { nil: undefined }),
    images: fc.constantFrom(undefined, undefined, [SAMPLE_ASSET], [SAMPLE_ASSET, SAMPLE_ASSET]),
    mask: fc.constantFrom(undefined, undefined, SAMPLE_ASSET),
    extra: fc.constantFrom(undefined, { steps: 3 }),
    prompt: fc.string({ minLength: 1, maxLength: 40 }),
    n: fc.integer({ min: 1, max: 10 }),
    operation: fc.constantFrom('generate', 'edit', 'generate', 'variation'),
  })
  .map(
    (all) =>
      Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as unknown as ImageRequest,
  );

const sizeRules: fc.Arbitrary<SizeRule> = fc.oneof(
  fc.constant({ kind: 'any' } as const),
  fc.constant({ kind: 'fixed' } as const),
  fc
    .array(anySize, { minLength: 1, maxLength: 6 })
    .map((sizes): SizeRule => ({ kind: 'list', sizes: ['auto', ...sizes] })),
  fc
    .record({
      multipleOf: fc.constantFrom(1, 8, 16, 64),
      minSide: fc.integer({ min: 1, max: 512 }),
      maxSide: fc.integer({ min: 512, max: 4_096 }),
      maxPixels: fc.constantFrom(undefined, 2 ** 20, 2 ** 22),
      minPixels: fc.constantFrom(undefined, 2 ** 16, 2 ** 19),
      maxRatio: fc.constantFrom(undefined, 2, 3),
      auto: fc.constantFrom(undefined, true as const),
    })
    .map((rule) => JSON.parse(JSON.stringify({ kind: 'pixels', ...rule })) as SizeRule),
  fc.array(anyRatio, { minLength: 1, maxLength: 6 }).map((ratios): SizeRule => ({ kind: 'ratio', ratios })),
  fc.constant({
    kind: 'ratio',
    ratios: ['1:1', '16:9'],
    resolutions: [
      ['1K', 1024],
      ['2K', 2048],
    ],
  } as const),
);

const models: fc.Arbitrary<ModelFacts> = fc
  .record({
    size: sizeRules,
    quality: fc.option(fc.uniqueArray(fc.constantFrom(...QUALITY), { minLength: 1 }), { nil: undefined }),
    formats: fc.option(fc.uniqueArray(fc.constantFrom(...FORMATS), { minLength: 1 }), { nil: undefined }),
    compression: fc.constantFrom(undefined, true),
    background: fc.option(fc.uniqueArray(fc.constantFrom(...BACKGROUNDS), { minLength: 1 }), { nil: undefined }),
    moderation: fc.constantFrom(undefined, ['auto']),
    maxSeed: fc.constantFrom(undefined, 1, 2 ** 31 - 1, 2 ** 32 - 1),
    negativePrompt: fc.constantFrom(undefined, true),
    references: fc.constantFrom(undefined, { max: 1, as: 'inline' }, { max: 4, as: 'link' }),
    mask: fc.constantFrom(undefined, 'alpha', 'white', 'black'),
    maxPromptChars: fc.constantFrom(undefined, undefined, 20),
  })
  .map((all) => JSON.parse(JSON.stringify(all)) as Capabilities)
  .chain((capabilities) =>
    fc.boolean().map((streams) => ({ operations: ['generate', 'edit'], streams, capabilities })),
  );

const WIRE: Readonly<Record<string, readonly string[]>> = {
  size: ['size', 'aspect_ratio', 'resolution'],
  aspectRatio: ['size', 'aspect_ratio'],
  resolution: ['size', 'resolution', 'aspect_ratio'],
  quality: ['quality'],
  outputFormat: ['output_format'],
  outputCompression: ['output_compression'],
  background: ['background'],
  moderation: ['moderation'],
  seed: ['seed'],
  negativePrompt: ['negative_prompt'],
  partialImages: ['partial_images'],
  extra: ['steps'],
};

const isChanged = ({ action }: Adaptation) => action === 'mapped' || action === 'dropped';
const options = fc.record({ links: fc.boolean(), isFirst: fc.boolean(), strict: fc.constant(false) });

test('it always ends, and no field changes without an entry that says so', () => {
  fc.assert(
    fc.property(requests, models, options, (request, facts, told) => {
      const done = adapt(request, facts, told);
      if (!done.ok)
        return assert.ok(done.reason.length > 0 && done.adaptations.some((one) => one.action === 'impossible'));
      const before = Object.entries({ ...request, ...done.request }).map(([key]) => key as keyof ImageRequest);
      for (const key of before) {
        if (JSON.stringify(request[key]) === JSON.stringify(done.request[key])) continue;
        if (request[key] === 'auto' && done.request[key] === undefined) continue;
        const fields = WIRE[key];
        assert.ok(fields, `${key} must never change`);
        assert.ok(
          done.adaptations.some((one) => fields.includes(one.field) && isChanged(one)),
          key,
        );
      }
    }),
    { numRuns: 3_000 },
  );
});

test('a request in a model’s terms stays as it is, and the model takes it', () => {
  fc.assert(
    fc.property(requests, models, options, (request, facts, told) => {
      const once = adapt(request, facts, told);
      if (!once.ok) return;
      const twice = adapt(once.request, facts, told);
      assert.ok(twice.ok, twice.ok ? '' : twice.reason);
      assert.deepEqual(twice.request, once.request);
      assert.deepEqual(
        twice.adaptations
          .filter(isChanged)
          .map(({ field }) => field)
          .filter((field) => field !== 'mask'),
        [],
      );
      if (facts.capabilities) assertLegal(once.request, facts.capabilities);
    }),
    { numRuns: 3_000 },
  );
});

function assertLegal(request: ImageRequest, { size: rule, quality, formats, maxSeed = -1 }: Capabilities): void {
  const { size, aspectRatio, resolution } = request;
  const [width = 0, height = 0] = (size ?? '').split('x').map(Number);
  if (rule.kind === 'fixed') assert.deepEqual([size, aspectRatio, resolution], [undefined, undefined, undefined]);
  if (rule.kind === 'list' && size !== undefined) assert.ok(rule.sizes.includes(size));
  if (rule.kind === 'ratio' && aspectRatio !== undefined) assert.ok(rule.ratios.includes(aspectRatio));
  if (rule.kind === 'ratio') assert.equal(size, undefined);
  if (rule.kind === 'pixels' && size === 'auto') assert.equal(rule.auto, true);
  else if (rule.kind === 'pixels' && size !== undefined) {
    const { multipleOf, minSide, maxSide, minPixels = 0, maxPixels = Number.POSITIVE_INFINITY, maxRatio = 1e9 } = rule;
    assert.deepEqual([width % multipleOf, height % multipleOf], [0, 0]);
    assert.ok(Math.min(width, height) >= minSide && Math.max(width, height) <= maxSide);
    assert.ok(width * height >= minPixels && width * height <= maxPixels);
    assert.ok(Math.max(width, height) / Math.min(width, height) <= maxRatio);
  }
  if (request.quality !== undefined) assert.ok(quality?.includes(request.quality));
  if (request.outputFormat !== undefined) assert.ok(formats?.some((format) => format === request.outputFormat));
  if (request.seed !== undefined) assert.ok(request.seed >= 0 && request.seed <= maxSeed);
}

/** To leave a choice to the model may be said by `auto` or by silence. */
function withoutAuto(request: ImageRequest) {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== 'auto'));
}

test('strict never changes anything: it passes the very request, or refuses', () => {
  fc.assert(
    fc.property(requests, models, options, (request, facts, told) => {
      const done = adapt(request, facts, { ...told, strict: true });
      if (done.ok) {
        assert.deepEqual(withoutAuto(done.request), withoutAuto(request));
        return;
      }
      assert.ok(adapt(request, facts, told).adaptations.some(({ action }) => action !== 'kept'));
    }),
  );
});
