import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Catalogue, type LimitReport, openai, openaiCompatible, type Price, sandboxProvider } from '@onetake/core';
import { limitsInForce } from './model-limits.ts';
import { modelEntry, modelList } from './models.ts';
import { FailureProblem, RequestProblem } from './problem.ts';

const STARTED_AT = 1_700_000_000_500;
const connection = (id: string, provider: Catalogue['connections'][number]['provider']) => ({
  id,
  provider,
  baseUrl: 'http://x',
  secret: '',
});
const sandbox = sandboxProvider(() => ({ url: 'http://x', refusePort: 1, resetPort: 2 }));
const CATALOGUE: Catalogue = {
  connections: [
    connection('openai', openai),
    connection('again', openai),
    connection('mylab', openaiCompatible),
    connection('sandbox', sandbox),
  ],
  routes: { 'image-best': { targets: ['openai/gpt-image-2'] }, 'gpt-image-1.5': { targets: ['openai/gpt-image-1.5'] } },
  defaultModel: 'image-best',
};

test('routes come first, then every model once, bare where the bare name reaches it', () => {
  const { object, data } = modelList(CATALOGUE, STARTED_AT);
  const owners = new Map(data.map((one) => [one.id, one.owned_by]));
  assert.equal(object, 'list');
  const { onetake, ...first } = data[0] ?? {};
  assert.deepEqual(first, { id: 'image-best', object: 'model', created: 1_700_000_000, owned_by: 'onetake' });
  assert.deepEqual(onetake?.targets, ['openai/gpt-image-2']);
  assert.equal(owners.size, data.length, 'no id twice');
  assert.equal(owners.get('gpt-image-2'), 'openai');
  assert.equal(owners.get('openai/gpt-image-2'), undefined);
  assert.equal(owners.get('again/gpt-image-2'), 'again');
  assert.equal(owners.get('gpt-image-1.5'), 'onetake', 'a route takes the name');
  assert.equal(owners.get('openai/gpt-image-1.5'), 'openai');
  assert.equal(owners.get('sandbox/slow:4'), 'sandbox');
  assert.equal(owners.get('500'), undefined);
});

test('every listed name and every name a request may use can be asked for', () => {
  for (const one of modelList(CATALOGUE, STARTED_AT).data)
    assert.deepEqual(modelEntry(CATALOGUE, one.id, STARTED_AT), one);
  assert.equal(modelEntry(CATALOGUE, 'openai/gpt-image-2', STARTED_AT).owned_by, 'openai');
  assert.equal(modelEntry(CATALOGUE, 'mylab/some/model', STARTED_AT).owned_by, 'mylab');
  assert.equal(modelEntry(CATALOGUE, 'sandbox/500,ok', STARTED_AT).owned_by, 'sandbox');
});

test('an unknown name is a 404 with its neighbours', () => {
  // Without the lab, which may have any model.
  const known = { ...CATALOGUE, connections: CATALOGUE.connections.filter(({ id }) => id !== 'mylab') };
  for (const id of ['gpt-image-3', 'openai/gpt-image-22', '', 'constructor']) {
    assert.throws(() => modelEntry(known, id, STARTED_AT), {
      status: 404,
      code: 'model_not_found',
      param: 'model',
    });
  }
  assert.throws(
    () => modelEntry(CATALOGUE, 'gpt-imge-2', STARTED_AT),
    (error) => {
      assert.ok(error instanceof RequestProblem);
      return /did you mean .*"gpt-image-2"/.test(error.message);
    },
  );
});

test('with an understudy every name is somebody', () => {
  const alone = {
    connections: [connection('sandbox', sandbox)],
    routes: {},
    defaultModel: undefined,
    understudy: 'sandbox',
  };
  assert.equal(modelEntry(alone, 'gpt-image-2', STARTED_AT).owned_by, 'sandbox');
});

test('an entry says what a caller plans by: price, pictures per call, operations, and limits where they are known', () => {
  const limits = { images: [{ count: 5, windowMs: 60_000 }], concurrency: 2 };
  const view = { images: [{ count: 5, window_ms: 60_000 }], concurrency: 2 };
  const limitsOf = (target: string) => (target === 'openai/gpt-image-2' ? limits : undefined);
  const best = modelEntry(CATALOGUE, 'image-best', STARTED_AT, { limitsOf }).onetake;
  assert.ok(best?.price && 'per_million_tokens_usd' in best.price);
  assert.deepEqual([best.max_images_per_call, best.operations, best.limits], [10, ['generate', 'edit'], view]);
  const ok = modelEntry(CATALOGUE, 'sandbox/ok', STARTED_AT, { limitsOf }).onetake;
  assert.deepEqual(
    [ok?.price, ok?.max_images_per_call, ok?.targets, ok?.limits],
    [{ per_image_usd: 0.04 }, 1, ['sandbox/ok'], undefined],
  );
  assert.equal(modelEntry(CATALOGUE, 'mylab/some/model', STARTED_AT).onetake?.price, null, 'unknown, never 0');
});

test('a route costs what its dearest target costs, and nothing that is known where one is unknown', () => {
  const dear: Catalogue['connections'][number]['provider'] = {
    ...openaiCompatible,
    model: (id) => ({ id, maxImagesPerCall: 4, operations: ['generate'], streams: false, price: { perImageUsd: 0.1 } }),
  };
  const priced = (targets: readonly string[]) => {
    const connections = [...CATALOGUE.connections, connection('dear', dear)];
    return modelEntry({ ...CATALOGUE, connections, routes: { r: { targets } } }, 'r', STARTED_AT).onetake?.price;
  };
  assert.deepEqual(priced(['sandbox/ok', 'dear/x']), { per_image_usd: 0.1, lowest_usd: 0.04 });
  assert.equal(priced(['sandbox/ok', 'mylab/x']), null);
  assert.equal(priced(['sandbox/ok', 'openai/gpt-image-2']), null);
});

test('every form of a price is shown, with its date', () => {
  const price = (id: string) => modelEntry(CATALOGUE, id, STARTED_AT).onetake?.price;
  const shown = price('gpt-image-1.5');
  assert.ok(shown && 'output_tokens' in shown);
  assert.equal(shown.as_of, '2026-11-21');
  assert.deepEqual(shown.output_tokens?.[0], { size: '1024x1024', quality: 'low', tokens: 272 });
  const of = (form: Price): Catalogue['connections'][number]['provider'] => ({
    ...openaiCompatible,
    model: (id) => ({ id, maxImagesPerCall: 4, operations: ['generate'], streams: false, price: form }),
  });
  const routed = (...forms: readonly Price[]) => {
    const connections = forms.map((form, index) => connection(`p${index}`, of(form)));
    const targets = forms.map((_, index) => `p${index}/x`);
    const catalogue = { ...CATALOGUE, connections, routes: { r: { targets } } };
    return modelEntry(catalogue, 'r', STARTED_AT).onetake?.price;
  };
  const rates = [{ size: '1024x1024', quality: 'low', usd: 0.01 }, { usd: 0.2 }];
  const table = { perImageUsd: rates, asOf: 'config' };
  assert.deepEqual(routed(table), { per_image_usd: 0.2, lowest_usd: 0.01, rates, as_of: 'config' });
  assert.deepEqual(routed(table, { perImageUsd: 0.3 }), { per_image_usd: 0.3, lowest_usd: 0.01 });
  const area = { perMegapixelUsd: 0.003, autoSize: '1024x768' };
  assert.deepEqual(routed(area), { per_megapixel_usd: 0.003, auto_size: '1024x768' });
  assert.deepEqual(routed(area, { perMegapixelUsd: 0.002 }), { per_megapixel_usd: 0.003, lowest_usd: 0.002 });
  assert.equal(routed(area, table), null);
});

test('the limits of a target are those of its keys together, and what is configured until it was used', () => {
  const used = { requests: 0, images: 0, tokens: 0 };
  const key = (credential: string, limits: LimitReport['limits']): LimitReport => ({
    ...{ target: 'lab/x', credential, limits, used, rates: [], source: 'headers', inFlight: 0, waiting: 0 },
  });
  const perMinute = (count: number) => [{ count, windowMs: 60_000 }];
  const reports = [
    key('a', { images: perMinute(5), requests: perMinute(3), concurrency: 2 }),
    key('b', { images: perMinute(7), concurrency: 2 }),
  ];
  const limitsOf = limitsInForce(
    () => reports,
    () => ({ concurrency: 9 }),
  );
  assert.deepEqual(limitsOf('lab/x'), { images: perMinute(12), concurrency: 4 }, 'requests are not known of b');
  assert.deepEqual(limitsOf('lab/y'), { concurrency: 9 });
});

test('a retired name has the facts of its successor, and says since when; without aliases it is a 404', () => {
  const { owned_by, onetake } = modelEntry(CATALOGUE, 'dall-e-3', STARTED_AT);
  assert.deepEqual([owned_by, onetake?.targets], ['openai', ['openai/gpt-image-2']]);
  assert.deepEqual(onetake?.retired, { on: '2026-05-12', successor: 'gpt-image-2' });
  assert.equal(modelEntry(CATALOGUE, 'gpt-image-2', STARTED_AT).onetake?.retired, undefined);
  const listed = modelList(CATALOGUE, STARTED_AT).data.map(({ id }) => id);
  assert.ok(!listed.includes('dall-e-3'));
  assert.throws(
    () => modelEntry({ ...CATALOGUE, aliases: false }, 'dall-e-3', STARTED_AT),
    (error) => error instanceof FailureProblem && error.failure.kind === 'retired',
  );
});

test('the understudy plays models of chat too, and says what they are for', () => {
  const alone = { ...CATALOGUE, connections: [connection('sandbox', sandbox)], understudy: 'sandbox' };
  const { owned_by, onetake } = modelEntry(alone, 'gpt-4o', STARTED_AT);
  assert.equal(owned_by, 'sandbox');
  assert.deepEqual(onetake?.operations, []);
  assert.deepEqual(onetake?.endpoints, ['chat/completions', 'responses', 'embeddings']);
});

test('a model of chat says where it may be sent, and its price with what comes from the cache', () => {
  const { onetake } = modelEntry(CATALOGUE, 'gpt-5.6-luna', STARTED_AT);
  assert.deepEqual(onetake, {
    targets: ['openai/gpt-5.6-luna'],
    price: { per_million_tokens_usd: { input: 0.2, cached_input: 0.02, output: 1.2 }, as_of: '2026-11-21' },
    operations: [],
    endpoints: ['chat/completions', 'responses'],
    reasoning: true,
  });
  assert.deepEqual(modelEntry(CATALOGUE, 'text-embedding-3-small', STARTED_AT).onetake?.endpoints, ['embeddings']);
  assert.equal(modelEntry(CATALOGUE, 'openai/gpt-of-next-year', STARTED_AT).onetake?.price, null);
  const both = modelEntry(CATALOGUE, 'mylab/some/model', STARTED_AT).onetake;
  assert.deepEqual([both?.operations.length, both?.endpoints?.length], [2, 3]);
  assert.equal(modelEntry(CATALOGUE, 'gpt-image-2', STARTED_AT).onetake?.endpoints, undefined);
});

test('models of chat that a provider lists today are in the list, and what is for something else is not', () => {
  const ids = ['qwen3:8b', 'openai/gpt-oss-20b', 'flux-2-pro', 'whisper-large', ...more(2_000)];
  const lists = (provider: string, model: string) => provider === 'mylab' && ids.includes(model);
  const modelsOf = (provider: string) => (provider === 'mylab' ? ids.map((id) => ({ id })) : []);
  const { data } = modelList({ ...CATALOGUE, lists }, STARTED_AT, { modelsOf });
  const owners = new Map(data.map((one) => [one.id, one.owned_by]));
  assert.equal(owners.get('qwen3:8b'), 'mylab');
  assert.equal(owners.get('mylab/openai/gpt-oss-20b'), 'mylab', 'the bare name would reach another provider');
  assert.equal(owners.get('gpt-5.6-luna'), 'openai');
  assert.equal(owners.get('sandbox/die-mid-stream'), 'sandbox');
  for (const id of ['flux-2-pro', 'whisper-large', 'openai/gpt-oss-20b']) assert.equal(owners.get(id), undefined);
  assert.ok(data.length < 1_200, `${data.length} are too many`);
});

test('a long list is made without comparing its names with all others', () => {
  let comparisons = 0;
  const models = new Proxy(openai.models, {
    get(target, key, receiver) {
      if (key === 'map') comparisons += 1;
      return Reflect.get(target, key, receiver);
    },
  });
  const connections = [connection('openai', { ...openai, models }), connection('mylab', openaiCompatible)];
  const ids = more(1_000);
  const modelsOf = (provider: string) => (provider === 'mylab' ? ids.map((id) => ({ id })) : []);
  const { data } = modelList({ ...CATALOGUE, connections }, STARTED_AT, { modelsOf });
  assert.ok(data.filter(({ owned_by }) => owned_by === 'mylab').length === 1_000);
  assert.ok(comparisons < 10, `${comparisons} comparisons`);
});

function more(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `model-${index}`);
}
