import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/sandbox.json' with { type: 'json' };
import { sandboxProvider } from './sandbox.ts';

const ADDRESS = { url: 'http://127.0.0.1:4000', refusePort: 4001, resetPort: 4002 };
const sandbox = sandboxProvider(() => ADDRESS);

testProvider(sandbox, providerFixtures(fixtures), 'http://127.0.0.1:4000/v1');

function urlOf(model: string, provider = sandbox): string | undefined {
  const context = { runId: 'run', attempt: 1, model, baseUrl: 'http://elsewhere.example' };
  return provider.image?.submit.build(sampleRequest(), context).url;
}

test('two model names are ports that break connections; every other goes to the server', () => {
  assert.equal(urlOf('refuse'), 'http://127.0.0.1:4001/v1/images/generations');
  assert.equal(urlOf('reset-before-read'), 'http://127.0.0.1:4002/v1/images/generations');
  assert.equal(urlOf('429:2,ok'), 'http://127.0.0.1:4000/v1/images/generations');
});

test('a sandbox that was restarted is found where it listens now', () => {
  let port = 1;
  const moving = sandboxProvider(() => ({ ...ADDRESS, url: `http://127.0.0.1:${port}` }));
  assert.match(urlOf('ok', moving) ?? '', /:1\//);
  port = 2;
  assert.match(urlOf('ok', moving) ?? '', /:2\//);
});

test('any name is a model, with one picture per call, a price, and a credential of its own', () => {
  const model = sandbox.model('a-model-of-somebody-else');
  assert.equal(model?.maxImagesPerCall, 1);
  assert.ok(model?.price && 'perImageUsd' in model.price);
  assert.equal(sandbox.credentialPerModel, true);
});

test('no key is ever sent to it', () => {
  const request = { method: 'POST', url: ADDRESS.url, headers: {} } as const;
  assert.deepEqual(sandbox.authorize(request, { id: 'openai', secret: 'sk-real' }), request);
});
