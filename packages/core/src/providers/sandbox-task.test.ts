import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpRequest } from '../http.ts';
import { isObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/sandbox-task.json' with { type: 'json' };
import type { CallContext } from './provider.ts';
import { sandboxTaskProvider } from './sandbox-task.ts';

const ADDRESS = { url: 'http://127.0.0.1:4000', refusePort: 4001, resetPort: 4002 };
const CONTEXT: CallContext = { runId: 'run', attempt: 1, model: 'slow:20', baseUrl: 'http://elsewhere.example' };
const provider = sandboxTaskProvider(() => ADDRESS);

testProvider(provider, providerFixtures(fixtures), ADDRESS.url);

function submitted(changes: Parameters<typeof sampleRequest>[0] = {}, context: Partial<CallContext> = {}): HttpRequest {
  const built = provider.image?.submit.build(sampleRequest(changes), { ...CONTEXT, ...context });
  assert.ok(built);
  return built;
}

function fieldsOf({ body }: HttpRequest) {
  if (body?.kind === 'json' && isObject(body.value)) return body.value;
  if (body?.kind !== 'multipart') return {};
  return Object.fromEntries(body.parts.flatMap((part) => ('value' in part ? [[part.name, part.value]] : [])));
}

test('a job is submitted with the fields of the Images API and its model under the prefix of jobs', () => {
  const request = submitted({ seed: 7, stream: true, partialImages: 2 });
  assert.deepEqual([request.method, request.url], ['POST', 'http://127.0.0.1:4000/tasks']);
  assert.deepEqual(fieldsOf(request), { model: 'sandbox-task/slow:20', prompt: 'a lighthouse', n: 1, seed: 7 });
});

test('an edit is the same job with files', () => {
  const request = submitted({ operation: 'edit', images: [SAMPLE_ASSET] });
  assert.equal(request.url, 'http://127.0.0.1:4000/tasks');
  assert.equal(fieldsOf(request).model, 'sandbox-task/slow:20');
  assert.ok(request.body?.kind === 'multipart' && request.body.parts.some((part) => 'asset' in part));
});

test('the webhook is ours or none, never one from the request', () => {
  const extra = { webhook_url: 'http://127.0.0.1:22/', steps: 4 };
  assert.equal(fieldsOf(submitted({ extra })).webhook_url, undefined);
  assert.equal(fieldsOf(submitted({ extra })).steps, 4);
  const webhookUrl = 'http://127.0.0.1:8484/news/run';
  assert.equal(fieldsOf(submitted({ extra }, { webhookUrl })).webhook_url, webhookUrl);
});

test('a job is looked up and given up where the sandbox listens now', () => {
  let port = 1;
  const moving = sandboxTaskProvider(() => ({ ...ADDRESS, url: `http://127.0.0.1:${port}` }));
  const handle = { job: 'job_1' };
  assert.equal(moving.image?.poll?.build(handle, CONTEXT).url, 'http://127.0.0.1:1/tasks/job_1');
  port = 2;
  assert.equal(moving.image?.poll?.build(handle, CONTEXT).url, 'http://127.0.0.1:2/tasks/job_1');
  const cancel = moving.image?.cancel?.build(handle, CONTEXT);
  assert.deepEqual([cancel?.method, cancel?.url], ['POST', 'http://127.0.0.1:2/tasks/job_1/cancel']);
});

test('the two ports that break connections break a submit too', () => {
  assert.equal(submitted({}, { model: 'refuse' }).url, 'http://127.0.0.1:4001/tasks');
  assert.equal(submitted({}, { model: 'reset-before-read' }).url, 'http://127.0.0.1:4002/tasks');
});

test('where the sandbox says nothing of the next look, nothing is made up', () => {
  const response = { status: 200, headers: {}, body: { id: 'job_1', status: 'running' }, text: '' };
  assert.deepEqual(provider.image?.poll?.parse(response, { job: 'job_1' }, CONTEXT), {
    kind: 'waiting',
    handle: { job: 'job_1' },
    stage: 'running',
  });
});

test('any name is a model that does not stream, with one picture per call, a price, and a credential of its own', () => {
  const model = provider.model('a-model-of-somebody-else');
  assert.deepEqual([model?.maxImagesPerCall, model?.streams, model?.price], [1, false, { perImageUsd: 0.04 }]);
  assert.equal(provider.credentialPerModel, true);
});
