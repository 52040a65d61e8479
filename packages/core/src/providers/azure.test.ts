import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import { azure } from './azure.ts';
import fixtures from './fixtures/azure.json' with { type: 'json' };

testProvider(azure, providerFixtures(fixtures));

const CONTEXT = { runId: 'run', attempt: 1, model: 'my pictures', baseUrl: 'https://res.openai.azure.com' };

function build(baseUrl: string, changes: Parameters<typeof sampleRequest>[0] = {}) {
  const built = azure.image?.submit.build(sampleRequest(changes), { ...CONTEXT, baseUrl });
  assert.ok(built);
  return built;
}

const ADDRESSES: readonly (readonly [string, string])[] = [
  ['https://res.openai.azure.com', '/openai/v1/images/generations?api-version=v1'],
  ['https://res.openai.azure.com/openai', '/openai/v1/images/generations?api-version=v1'],
  ['https://res.openai.azure.com/openai/v1', '/openai/v1/images/generations?api-version=v1'],
  ['https://res.openai.azure.com/openai/v1?api-version=preview', '/openai/v1/images/generations?api-version=preview'],
  [
    'https://res.openai.azure.com?api-version=2025-04-01-preview',
    '/openai/deployments/my%20pictures/images/generations?api-version=2025-04-01-preview',
  ],
  [
    'https://res.openai.azure.com/openai/deployments/other?api-version=2024-10-21',
    '/openai/deployments/my%20pictures/images/generations?api-version=2024-10-21',
  ],
  [
    'https://proxy.example/azure/openai/deployments',
    '/azure/openai/deployments/my%20pictures/images/generations?api-version=2025-04-01-preview',
  ],
];

for (const [baseUrl, address] of ADDRESSES) {
  test(`the base URL chooses the form: ${baseUrl}`, () => {
    const { url } = build(baseUrl);
    assert.equal(url, `${new URL(baseUrl).origin}${address}`);
  });
}

test('the deployment is the model in the body, and edits have an address of their own', () => {
  const { body } = build(CONTEXT.baseUrl, { seed: 7 });
  assert.deepEqual(body?.kind === 'json' && body.value, { model: 'my pictures', prompt: 'a lighthouse', n: 1 });
  const edit = build(CONTEXT.baseUrl, { operation: 'edit', images: [SAMPLE_ASSET] });
  assert.equal(edit.url, 'https://res.openai.azure.com/openai/v1/images/edits?api-version=v1');
  assert.ok(edit.body?.kind === 'multipart' && edit.body.parts.some((part) => part.name === 'model'));
});

test('a key goes into api-key, an Entra token into authorization, never both', () => {
  const request = build(CONTEXT.baseUrl);
  const withKey = azure.authorize(request, { id: 'azure', secret: '0123456789abcdef' }).headers;
  assert.deepEqual([withKey['api-key'], withKey.authorization], ['0123456789abcdef', undefined]);
  const withToken = azure.authorize(request, { id: 'azure', secret: 'eyJ0eXAi.eyJhdWQi.c2ln' }).headers;
  assert.deepEqual([withToken['api-key'], withToken.authorization], [undefined, 'Bearer eyJ0eXAi.eyJhdWQi.c2ln']);
});

test('any name is a deployment, and one that holds a model’s id is taken for that model, at Azure’s price', () => {
  assert.deepEqual(azure.model('pictures')?.capabilities, undefined);
  const known = azure.model('Prod-GPT-image-1.5');
  assert.deepEqual(
    [known?.id, known?.capabilities?.size.kind, known?.price],
    ['Prod-GPT-image-1.5', 'list', undefined],
  );
  assert.equal(azure.model('gpt-image-2.5-flare-eu')?.fast, true);
  assert.equal(azure.model('gpt-image-2-eu')?.fast, undefined);
});

test('the request’s id is Azure’s', () => {
  const headers = { 'apim-request-id': 'a', 'x-ms-request-id': 'b', 'x-request-id': 'c' };
  assert.equal(azure.requestId?.({ status: 200, headers, body: {}, text: '' }), 'a');
  assert.ok(isObject(azure.access) && azure.access.baseUrl === undefined);
});
