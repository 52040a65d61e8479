import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeGateway, type Reply } from '../testing/fake-gateway.ts';
import { problem } from '../testing/fake-tasks.ts';
import { estimate } from './estimate.ts';
import { askModels, type ModelFacts, picturePrice } from './model-facts.ts';

const NONE = { images: [], requests: [] };
const perImage = (lowUsd: number, highUsd: number, limits: ModelFacts['limits'] = NONE): ModelFacts => ({
  price: { kind: 'per-image', lowUsd, highUsd },
  limits,
});

test('prices add up over models, and one unknown price makes the sum unknown', () => {
  const models = new Map([
    ['a', perImage(0.1, 0.2)],
    ['b', perImage(0.01, 0.01)],
    ['c', { price: { kind: 'tokens' }, limits: NONE } as const],
  ]);
  const bodies = [{ model: 'a' }, { model: 'a', n: 2 }, { model: 'b' }];
  assert.deepEqual(estimate(bodies, models).price_usd, { low: 0.31, high: 0.61 });
  assert.equal(estimate([...bodies, { model: 'c' }], models).price_usd, null);
  assert.equal(estimate([], models).price_usd, null);
});

test('a price by the megapixel counts a begun one whole, and needs a size', () => {
  const price = { kind: 'per-megapixel', lowUsd: 0.01, highUsd: 0.02, autoSize: '1024x768' } as const;
  const models = new Map([['a', { price, limits: NONE }]]);
  const bodies = [{ model: 'a' }, { model: 'a', size: '1024x1024', n: 2 }, { model: 'a', size: '2048x2048' }];
  assert.deepEqual(estimate(bodies, models).price_usd, { low: 0.07, high: 0.14 });
  assert.equal(picturePrice(price, { image: 'a.png' }), undefined, 'what is made of a picture has its size');
  assert.equal(picturePrice(price, { size: '0x0' }), undefined);
  const { autoSize: _, ...unsized } = price;
  assert.equal(picturePrice(unsized, {}), undefined);
  assert.equal(picturePrice({ kind: 'unknown' }, {}), undefined);
});

test('the tightest limit of the slowest model is how long it takes', () => {
  const limits = {
    images: [
      { count: 5, windowMs: 60_000 },
      { count: 1_000, windowMs: 3_600_000 },
    ],
    requests: [{ count: 100, windowMs: 60_000 }],
  };
  const models = new Map([
    ['a', perImage(1, 1, limits)],
    ['b', perImage(1, 1)],
  ]);
  const five = Array.from({ length: 500 }, () => ({ model: 'a' }));
  assert.equal(estimate(five, models).time_ms, 6_000_000, '500 at 5 a minute: 100 minutes');
  const [, other] = estimate([...five, { model: 'b' }], models).models;
  assert.equal(other?.time_ms, null);
  assert.equal(estimate([{ model: 'b' }], models).time_ms, null, 'unknown, not 0');
});

test('what a gateway says of a model; limits are those of its targets where the model says none', async (t) => {
  const rows = [
    { id: 'lab/x', limits: { images: [{ count: 5, window_ms: 60_000 }], concurrency: 2 } },
    { id: 'lab/x', limits: { images: [{ count: 5, window_ms: 60_000 }], concurrency: 1 } },
    { id: 'lab/y', limits: { concurrency: 9 } },
  ];
  const { url, received } = await fakeGateway(t, ({ url: path }): Reply => {
    if (path === '/v1/targets') return { body: { data: rows } };
    if (path.endsWith('/table'))
      return {
        body: { onetake: { limits: {}, price: { per_image_usd: 0.2, lowest_usd: 0.01, rates: [{ usd: 0.2 }] } } },
      };
    if (path.endsWith('/area'))
      return { body: { onetake: { limits: {}, price: { per_megapixel_usd: 0.003, auto_size: '1024x768' } } } };
    if (path.endsWith('/none')) return problem(404, 'model_not_found', 'did you mean "x"?');
    return { body: { id: 'x', onetake: { targets: ['lab/x'], price: { per_image_usd: 0.04 } } } };
  });
  const gateway = { url, headers: {}, own: false, close: async () => {} };
  const models = await askModels(gateway, new Set(['lab/x', 'none']), new AbortController().signal);
  assert.deepEqual(models.get('lab/x'), {
    price: { kind: 'per-image', lowUsd: 0.04, highUsd: 0.04 },
    limits: { images: [{ count: 10, windowMs: 60_000 }], requests: [], concurrency: 3 },
  });
  assert.deepEqual(models.get('none'), { code: 'model_not_found', message: 'did you mean "x"?' });
  assert.deepEqual(
    received.map((one) => one.url),
    ['/v1/models/lab/x', '/v1/targets', '/v1/models/none'],
  );
  const others = await askModels(gateway, new Set(['table', 'area']), new AbortController().signal);
  const priceOf = (name: string) => Object.entries(others.get(name) ?? {}).find(([key]) => key === 'price')?.[1];
  assert.deepEqual(priceOf('table'), { kind: 'per-image', lowUsd: 0.01, highUsd: 0.2 });
  const area = { kind: 'per-megapixel', lowUsd: 0.003, highUsd: 0.003, autoSize: '1024x768' };
  assert.deepEqual(priceOf('area'), area);
  const many = new Set(Array.from({ length: 101 }, (_, index) => `m${index}`));
  await assert.rejects(askModels(gateway, many, new AbortController().signal), /the lines name 101 models/);
});
