import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheKey, wantsCache } from './cache-key.ts';
import type { Catalogue, PolicySettings } from './model-names.ts';
import { openaiCompatible } from './providers/openai.ts';
import type { Model, Provider } from './providers/provider.ts';
import type { ImageRequest } from './request.ts';
import { fieldsFor } from './request-for.ts';
import { planImage, splitPlan } from './route.ts';
import { withSentSeed } from './seed.ts';
import { SAMPLE_ASSET, sampleRequest } from './testing/samples.ts';

const DRAWN = 1_234_567;

const BLANK: Model = {
  ...{ id: 'm', maxImagesPerCall: 1, operations: ['generate', 'edit', 'variation'], streams: false },
};

function catalogueOf(changes: Partial<Model>, drawsSeeds = false): Catalogue {
  return modelCatalogue(
    { ...BLANK, capabilities: { size: { kind: 'any' }, maxSeed: 2 ** 32 - 1 }, ...changes },
    drawsSeeds,
  );
}

function modelCatalogue(model: Model, drawsSeeds = false): Catalogue {
  const provider: Provider = {
    ...openaiCompatible,
    models: [model],
    model: (id) => (id === 'm' ? model : undefined),
    ...(drawsSeeds && { drawsSeeds: true }),
  };
  const connections = [{ id: 'lab', provider, baseUrl: 'http://x', secret: '' }];
  return { connections, routes: {}, defaultModel: undefined };
}

function planned(catalogue: Catalogue, request: Partial<ImageRequest> = {}, settings: PolicySettings = {}) {
  const done = planImage(sampleRequest(request), 'lab/m', catalogue, settings, 0, DRAWN);
  assert.ok(done.ok, done.ok ? '' : done.failure.message);
  const [target] = done.plan.targets;
  assert.ok(target);
  return { plan: done.plan, target };
}

test('a model that takes seeds is sent one that was drawn, and nothing is said to have changed', () => {
  const { plan, target } = planned(catalogueOf({}), {}, { strict: true });
  assert.equal(fieldsFor(plan, target).seed, DRAWN);
  assert.equal(plan.request.seed, undefined);
  assert.equal(target.adapted, undefined);
});

test('a seed of the caller stays, and one that was drawn fits into those of the model', () => {
  const own = planned(catalogueOf({}), { seed: 7 });
  assert.equal(fieldsFor(own.plan, own.target).seed, 7);
  assert.equal(own.target.seedDrawn, undefined);
  const few = planned(catalogueOf({ capabilities: { size: { kind: 'any' }, maxSeed: 9 } }));
  assert.equal(fieldsFor(few.plan, few.target).seed, DRAWN % 10);
});

test('no seed is drawn for a model without them, one nobody knows, a variation, or a server that draws its own', () => {
  const seedOf = ({ plan, target }: ReturnType<typeof planned>) => fieldsFor(plan, target).seed;
  assert.equal(seedOf(planned(catalogueOf({ capabilities: { size: { kind: 'any' } } }))), undefined);
  assert.equal(seedOf(planned(modelCatalogue(BLANK))), undefined);
  const source = { target: 'lab/m', handle: { job: '1' }, index: 1 };
  assert.equal(seedOf(planned(catalogueOf({}), { operation: 'variation', source })), undefined);
  assert.equal(seedOf(planned(catalogueOf({}, true))), undefined);
});

test('the calls of a split request have seeds that count up, and begin again at 0 after the last', () => {
  const { plan } = planned(catalogueOf({ capabilities: { size: { kind: 'any' }, maxSeed: 8 } }), { n: 4 });
  const seeds = splitPlan(plan).map((child) => child.targets.map((target) => fieldsFor(child, target).seed));
  // 1,234,567 is 1 modulo 9.
  assert.deepEqual(seeds, [[1], [2], [3], [4]]);
  const late = planned(catalogueOf({ capabilities: { size: { kind: 'any' }, maxSeed: DRAWN } }), { n: 2 });
  const wrapped = splitPlan(late.plan).map((child) => child.targets.map((target) => fieldsFor(child, target).seed));
  assert.deepEqual(wrapped, [[DRAWN], [0]]);
});

test('a drawn seed neither turns the cache on nor is part of its key', () => {
  const { plan, target } = planned(catalogueOf({}));
  assert.equal(wantsCache(plan, {}), false);
  const other = planImage(sampleRequest(), 'lab/m', catalogueOf({}), {}, 0, DRAWN + 1);
  const plain = planImage(sampleRequest(), 'lab/m', catalogueOf({}), {}, 0);
  assert.ok(other.ok && plain.ok);
  const keys = [other.plan, plain.plan].map(
    (one) => one.targets[0] && cacheKey(one, one.targets[0], { caller: 'ann' }),
  );
  assert.deepEqual(keys, [cacheKey(plan, target, { caller: 'ann' }), keys[0]]);
  const asked = planned(catalogueOf({}), { seed: DRAWN });
  assert.notEqual(cacheKey(asked.plan, asked.target, { caller: 'ann' }), keys[0]);
  assert.equal(wantsCache(asked.plan, {}), true);
});

test('the seed that was sent is told of the one picture of a call, unless the provider says another', () => {
  const { plan, target } = planned(catalogueOf({}));
  const image = { asset: SAMPLE_ASSET };
  assert.deepEqual(withSentSeed([image], plan, target), [{ ...image, seed: DRAWN }]);
  assert.deepEqual(withSentSeed([{ ...image, seed: 3 }], plan, target), [{ ...image, seed: 3 }]);
  const two = planned(catalogueOf({ maxImagesPerCall: 4 }), { n: 2 });
  assert.deepEqual(withSentSeed([image, image], two.plan, two.target), [image, image]);
});

test('the default list of a route is told to models with a negative prompt, beside what the caller says', () => {
  const catalogue = catalogueOf({ capabilities: { size: { kind: 'any' }, negativePrompt: true } });
  const listed = planned(catalogue, { negativePrompt: 'hats' }, { negativePrompt: 'default' });
  const sent = fieldsFor(listed.plan, listed.target).negativePrompt ?? '';
  assert.ok(sent.startsWith('hats, ') && sent.includes('watermark'), sent);
  const [told] = listed.target.adapted ?? [];
  assert.deepEqual([told?.field, told?.action, told?.from], ['negative_prompt', 'mapped', 'hats']);
  const strict = planned(catalogue, {}, { negativePrompt: 'default', strict: true });
  assert.equal(fieldsFor(strict.plan, strict.target).negativePrompt, undefined);
  const without = planned(catalogueOf({}), {}, { negativePrompt: 'default' });
  assert.equal(fieldsFor(without.plan, without.target).negativePrompt, undefined);
  assert.equal(without.target.adapted, undefined);
});
