import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capabilities, SizeRule } from '../capabilities.ts';
import type { ImageRequest } from '../request.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { type AdaptOptions, adapt, type ModelFacts } from './adapt.ts';

const OPTIONS: AdaptOptions = { links: false, isFirst: true, strict: false };
const RATIO: SizeRule = {
  kind: 'ratio',
  ratios: ['1:1', '3:2', '16:9', '9:16'],
  resolutions: [
    ['1K', 1024],
    ['2K', 2048],
  ],
};
const PIXELS: SizeRule = {
  kind: 'pixels',
  multipleOf: 16,
  minSide: 256,
  maxSide: 2048,
  maxPixels: 2 ** 21,
  maxRatio: 3,
};
const LIST: SizeRule = { kind: 'list', sizes: ['auto', '1024x1024', '1536x1024', '1024x1536'] };
const FULL: Capabilities = {
  size: { kind: 'any' },
  quality: ['auto', 'low', 'medium', 'high'],
  formats: ['png', 'jpeg', 'webp'],
  compression: true,
  background: ['auto', 'opaque', 'transparent'],
  moderation: ['auto', 'low'],
  maxSeed: 999,
  negativePrompt: true,
  references: { max: 2, as: 'inline' },
  mask: 'alpha',
  maxPromptChars: 100,
};
const BARE: Capabilities = { size: { kind: 'fixed' } };

function model(capabilities?: Capabilities): ModelFacts {
  return { operations: ['generate', 'edit'], streams: true, ...(capabilities && { capabilities }) };
}

/** What a model of these capabilities makes of a request, one line per field. */
function lines(changes: Partial<ImageRequest>, capabilities?: Capabilities, options: Partial<AdaptOptions> = {}) {
  const { adaptations } = adapt(sampleRequest(changes), model(capabilities), { ...OPTIONS, ...options });
  return adaptations.map(({ field, action, to }) => [field, action, ...(to === undefined ? [] : [to])].join(' '));
}

function adapted(changes: Partial<ImageRequest>, capabilities?: Capabilities, options: Partial<AdaptOptions> = {}) {
  const done = adapt(sampleRequest(changes), model(capabilities), { ...OPTIONS, ...options });
  assert.ok(done.ok, done.ok ? '' : done.reason);
  return done.request;
}

function reason(changes: Partial<ImageRequest>, capabilities?: Capabilities, options: Partial<AdaptOptions> = {}) {
  const done = adapt(sampleRequest(changes), model(capabilities), { ...OPTIONS, ...options });
  assert.ok(!done.ok);
  return `${done.field}: ${done.reason}`;
}

test('a model nobody knows the capabilities of gets the very request, and nothing is reported', () => {
  const request = sampleRequest({ size: '7x7', quality: 'odd', seed: -4, extra: { steps: 3 } });
  const done = adapt(request, model(), OPTIONS);
  assert.ok(done.ok && done.request === request);
  assert.deepEqual(done.adaptations, []);
});

test('only what the caller set is reported', () => {
  assert.deepEqual(lines({}, FULL), []);
  assert.deepEqual(lines({ n: 2, seed: 7 }, FULL), ['n kept', 'seed kept']);
});

test('a size goes to the nearest of a list, in shape and then in area', () => {
  const list = { ...FULL, size: LIST };
  assert.deepEqual(lines({ size: '1792x1024' }, list), ['size mapped 1536x1024']);
  assert.deepEqual(lines({ size: '256x256' }, list), ['size mapped 1024x1024']);
  assert.deepEqual(lines({ size: '1024x1536' }, list), ['size kept']);
  assert.deepEqual(lines({ size: 'auto' }, list), ['size kept']);
  assert.match(reason({ size: '3000x1000' }, list), /^size: .*3000x1000.*another shape/);
});

test('a size is rounded and scaled into bounds, keeping its shape', () => {
  const pixels = { ...FULL, size: PIXELS };
  assert.deepEqual(lines({ size: '1024x768' }, pixels), ['size kept']);
  assert.deepEqual(lines({ size: '1000x700' }, pixels), ['size mapped 1008x704']);
  assert.deepEqual(lines({ size: '100x100' }, pixels), ['size mapped 256x256']);
  assert.deepEqual(lines({ size: '4096x4096' }, pixels), ['size mapped 1440x1440']);
  assert.deepEqual(lines({ size: '2048x2048' }, pixels), ['size mapped 1440x1440'], 'more pixels than there may be');
  assert.deepEqual(lines({ size: 'auto' }, pixels), [], 'silence says the same');
  assert.match(reason({ size: '2000x200' }, pixels), /another shape/);
});

test('a model of ratios is told a ratio and a resolution instead of a size', () => {
  const ratio = { ...FULL, size: RATIO };
  assert.deepEqual(lines({ size: '1024x1024' }, ratio), ['size mapped 1:1 at 1K']);
  const { size, aspectRatio, resolution } = adapted({ size: '3840x2160' }, ratio);
  assert.deepEqual([size, aspectRatio, resolution], [undefined, '16:9', '2K']);
  assert.deepEqual(lines({ aspectRatio: '16:9', resolution: '2K' }, ratio), ['aspect_ratio kept', 'resolution kept']);
  assert.deepEqual(lines({ aspectRatio: '7:4', resolution: '3K' }, ratio), [
    'aspect_ratio mapped 16:9',
    'resolution mapped 2K',
  ]);
  assert.match(reason({ aspectRatio: '5:1' }, ratio), /^aspect_ratio: .*ask for one of 1:1, 3:2/);
});

test('a ratio becomes a size of about a million pixels, or of the resolution', () => {
  const pixels = { ...FULL, size: PIXELS };
  assert.deepEqual(lines({ aspectRatio: '16:9' }, pixels), ['aspect_ratio mapped 1360x768']);
  assert.deepEqual(lines({ aspectRatio: '3:2' }, { ...FULL, size: LIST }), ['aspect_ratio mapped 1536x1024']);
  assert.equal(adapted({ resolution: '0.5K' }, pixels).size, '512x512');
  assert.deepEqual(lines({ aspectRatio: '1:1', resolution: 'huge' }, pixels), [
    'aspect_ratio mapped 1024x1024',
    'resolution dropped',
  ]);
});

test('a size wins over a ratio, and a ratio over "auto"', () => {
  const pixels = { ...FULL, size: PIXELS };
  assert.deepEqual(lines({ size: '1024x1024', aspectRatio: '16:9' }, pixels), ['size kept', 'aspect_ratio dropped']);
  assert.deepEqual(lines({ size: '1024x1024', aspectRatio: '16:9' }, { ...FULL, size: RATIO }), [
    'size mapped 1:1 at 1K',
    'aspect_ratio dropped',
  ]);
  assert.equal(adapted({ size: 'auto', aspectRatio: '1:1' }, { ...FULL, size: LIST }).size, '1024x1024');
});

test('quality goes to the nearest word, and to the cheaper of two', () => {
  assert.deepEqual(lines({ quality: 'hd' }, FULL), ['quality mapped high']);
  assert.deepEqual(lines({ quality: 'standard' }, FULL), ['quality mapped medium']);
  assert.deepEqual(lines({ quality: 'medium' }, { ...FULL, quality: ['high', 'low'] }), ['quality mapped low']);
  assert.deepEqual(lines({ quality: 'high' }, { ...FULL, quality: ['standard', 'hd'] }), ['quality mapped hd']);
  assert.deepEqual(lines({ quality: 'superb' }, FULL), ['quality dropped']);
  assert.deepEqual(lines({ quality: 'auto' }, { ...FULL, quality: ['low'] }), [], 'silence says the same');
  assert.deepEqual(lines({ quality: 'low' }, BARE), ['quality dropped']);
});

test('a format goes to the one that loses least, and never loses transparency', () => {
  const jpegOnly: Capabilities = { ...FULL, formats: ['jpeg'] };
  assert.deepEqual(lines({ outputFormat: 'png' }, { ...FULL, formats: ['jpeg', 'webp'] }), [
    'output_format mapped webp',
  ]);
  assert.deepEqual(lines({ outputFormat: 'png' }, jpegOnly), ['output_format mapped jpeg']);
  assert.match(reason({ outputFormat: 'png', background: 'transparent' }, jpegOnly), /cannot be transparent/);
  assert.match(reason({ outputFormat: 'svg' }, FULL), /makes png, jpeg, webp/);
  assert.deepEqual(lines({ outputFormat: 'png', outputCompression: 50 }, BARE), [
    'output_format dropped',
    'output_compression dropped',
  ]);
});

test('a transparent background is impossible where there is none; others are dropped', () => {
  assert.match(reason({ background: 'transparent' }, BARE), /^background: .*no transparent pictures/);
  assert.deepEqual(lines({ background: 'opaque' }, BARE), ['background dropped']);
});

test('what a model has no setting for is dropped, and a seed beyond its seeds wraps', () => {
  assert.deepEqual(lines({ seed: 1, negativePrompt: 'red', moderation: 'low' }, BARE), [
    'moderation dropped',
    'seed dropped',
    'negative_prompt dropped',
  ]);
  assert.deepEqual([adapted({ seed: 1_001 }, FULL).seed, adapted({ seed: -1 }, FULL).seed], [1, 999]);
});

test('pictures to work from: too many, out of reach, or kept', () => {
  const edit = { operation: 'edit', images: [SAMPLE_ASSET, SAMPLE_ASSET] } as const;
  assert.deepEqual(lines(edit, FULL), ['image kept']);
  assert.match(reason({ ...edit, images: [...edit.images, SAMPLE_ASSET] }, FULL), /works from 2 at most/);
  const linked: Capabilities = { ...FULL, references: { max: 4, as: 'link' } };
  assert.match(reason(edit, linked), /ONETAKE_PUBLIC_URL/);
  assert.deepEqual(lines(edit, linked, { links: true }), ['image kept']);
});

test('a mask is impossible where there is none, and told in the model’s terms', () => {
  const edit = { operation: 'edit', images: [SAMPLE_ASSET], mask: SAMPLE_ASSET } as const;
  assert.deepEqual(lines(edit, FULL), ['image kept', 'mask kept']);
  assert.deepEqual(lines(edit, { ...FULL, mask: 'white' }), ['image kept', 'mask mapped white']);
  assert.match(reason(edit, BARE), /^mask: .*takes no mask/);
});

test('a prompt that is too long is told with the exact limit, in characters and not in halves of them', () => {
  assert.match(reason({ prompt: 'x'.repeat(101) }, FULL), /^prompt: .*101 characters and this model takes 100/);
  assert.deepEqual(lines({ prompt: '🦊'.repeat(100) }, FULL), []);
});

test('an operation that a model does not have is impossible, known capabilities or not', () => {
  assert.match(reason({ operation: 'upscale' }), /^model: .*cannot upscale/);
});

test('fields that Onetake does not know go to the first target only', () => {
  const extra = { steps: 30, cfg: 7 };
  assert.deepEqual(lines({ extra }, FULL), ['steps kept', 'cfg kept']);
  assert.deepEqual(lines({ extra }, undefined, { isFirst: false }), ['steps dropped', 'cfg dropped']);
  assert.equal(adapted({ extra }, undefined, { isFirst: false }).extra, undefined);
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`field${index}`, index]));
  assert.equal(lines({ extra: many }, FULL, { isFirst: false }).length, 21);
});

test('previews are dropped where there are none; a stream is given all the same', () => {
  const facts = { ...model(FULL), streams: false };
  const { adaptations } = adapt(sampleRequest({ stream: true, partialImages: 2 }), facts, OPTIONS);
  assert.deepEqual(
    adaptations.map(({ field, action }) => [field, action]),
    [['partial_images', 'dropped']],
  );
});

test('strict refuses what would be changed, and names it', () => {
  const strict = { strict: true };
  assert.deepEqual(lines({ seed: 7 }, FULL, strict), ['seed kept']);
  assert.match(
    reason({ seed: 7, quality: 'hd' }, { ...FULL, maxSeed: 3 }, strict),
    /^quality: strict allows no change: quality: hd would become high.*; seed: 7 would become 3/,
  );
});
