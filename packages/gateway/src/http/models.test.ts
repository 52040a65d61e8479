import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Catalogue, openai, openaiCompatible, sandboxProvider } from '@onetake/core';
import { modelEntry, modelList } from './models.ts';
import { RequestProblem } from './problem.ts';

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
  assert.deepEqual(data[0], { id: 'image-best', object: 'model', created: 1_700_000_000, owned_by: 'onetake' });
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
  for (const id of ['gpt-image-3', 'openai/gpt-image-22', '', 'constructor']) {
    assert.throws(() => modelEntry(CATALOGUE, id, STARTED_AT), {
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
