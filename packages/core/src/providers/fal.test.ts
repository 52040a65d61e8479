import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf } from '../classify.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import { fal } from './fal.ts';
import fixtures from './fixtures/fal.json' with { type: 'json' };
import type { CallContext } from './provider.ts';

testProvider(fal, providerFixtures(fixtures));

const CONTEXT: CallContext = { runId: 'run', attempt: 1, model: '', baseUrl: 'https://queue.fal.run' };

function submitted(
  model: string,
  changes: Parameters<typeof sampleRequest>[0] = {},
  context: Partial<CallContext> = {},
) {
  const built = fal.image?.submit.build(sampleRequest(changes), { ...CONTEXT, model, ...context });
  assert.ok(built);
  return built;
}

function inputOf({ body }: HttpRequest): JsonObject {
  assert.ok(body?.kind === 'json' && isObject(body.value));
  return body.value;
}

function answer(body: JsonValue, status = 200): HttpResponse {
  return { status, headers: {}, body, text: '' };
}

test('the key is given with the word Key', () => {
  const { headers } = fal.authorize(submitted('fal-ai/flux/dev'), { id: 'k', secret: 'id:secret' });
  assert.equal(headers.authorization, 'Key id:secret');
});

test('a size is an object, a ratio a word, and a picture goes along as a data URL', () => {
  const picture = { $asset: SAMPLE_ASSET, as: 'data-url' };
  const made = submitted('fal-ai/flux/schnell', { size: '1024x768', n: 2, outputFormat: 'png', seed: 3 });
  assert.deepEqual(inputOf(made), {
    ...{ prompt: 'a lighthouse', image_size: { width: 1024, height: 768 } },
    ...{ num_images: 2, output_format: 'png', seed: 3 },
  });
  const ratio = inputOf(submitted('fal-ai/nano-banana-pro', { aspectRatio: '16:9', resolution: '2K' }));
  assert.deepEqual([ratio.aspect_ratio, ratio.resolution], ['16:9', '2K']);
  const edit = { operation: 'edit', images: [SAMPLE_ASSET] } as const;
  assert.deepEqual(inputOf(submitted('fal-ai/nano-banana', edit)).image_urls, [picture]);
  assert.deepEqual(inputOf(submitted('fal-ai/flux/dev', edit)).image_url, picture);
  const masked = submitted('fal-ai/fast-sdxl', { ...edit, mask: SAMPLE_ASSET, outputFormat: 'jpeg' });
  assert.deepEqual([inputOf(masked).mask_url, inputOf(masked).format], [picture, 'jpeg']);
});

test('an edit goes to the app that edits', () => {
  const edit = { operation: 'edit', images: [SAMPLE_ASSET] } as const;
  const path = (request: HttpRequest) => new URL(request.url).pathname;
  assert.equal(path(submitted('fal-ai/nano-banana', edit)), '/fal-ai/nano-banana/edit');
  assert.equal(path(submitted('fal-ai/flux-pro/kontext', edit)), '/fal-ai/flux-pro/kontext');
  assert.equal(path(submitted('fal-ai/flux-pro/kontext')), '/fal-ai/flux-pro/kontext/text-to-image');
  assert.equal(path(submitted('fal-ai/fast-sdxl', { ...edit, mask: SAMPLE_ASSET })), '/fal-ai/fast-sdxl/inpainting');
});

test('the webhook is ours or none, and an answer never comes as the picture itself', () => {
  const extra = { sync_mode: true, fal_webhook: 'http://127.0.0.1:22/', guidance_scale: 3, prompt: 'smuggled' };
  const request = submitted('fal-ai/flux/dev', { extra });
  assert.deepEqual(inputOf(request), { prompt: 'a lighthouse', guidance_scale: 3 });
  assert.equal(new URL(request.url).search, '');
  const called = submitted('fal-ai/flux/dev', {}, { webhookUrl: 'https://me.example/news?a=1' });
  assert.equal(new URL(called.url).searchParams.get('fal_webhook'), 'https://me.example/news?a=1');
});

test('a request is looked up where fal says, and where that is elsewhere, under the first two parts of its app', () => {
  const poll = fal.image?.poll;
  const context = { ...CONTEXT, model: 'fal-ai/flux/dev' };
  const url = (handle: JsonObject) => poll?.build(handle, context).url;
  const built = 'https://queue.fal.run/fal-ai/flux/requests/r1';
  const handle = { id: 'r1', app: 'fal-ai/flux/dev' };
  assert.equal(
    url({ ...handle, status: 'https://queue.fal.run/other/requests/r1/status' }),
    'https://queue.fal.run/other/requests/r1/status',
  );
  assert.equal(url({ ...handle, status: 'https://evil.example/requests/r1/status' }), `${built}/status`);
  assert.equal(url({ ...handle, result: 'http://queue.fal.run/x', step: 'result' }), built);
  assert.equal(
    url({ id: 'r1', app: 'workflows/me/mine' }),
    'https://queue.fal.run/workflows/me/mine/requests/r1/status',
  );
  const cancel = fal.image?.cancel?.build(handle, context);
  assert.deepEqual([cancel?.method, cancel?.url], ['PUT', `${built}/cancel`]);
});

test('COMPLETED leads to the result, and only there an error is the end of the request', () => {
  const poll = fal.image?.poll;
  const ended = poll?.parse(answer({ status: 'COMPLETED' }), { id: 'r1' }, CONTEXT);
  assert.ok(ended?.kind === 'waiting');
  const blocked = answer({ detail: [{ type: 'content_policy_violation', msg: 'no' }] }, 422);
  assert.equal(poll?.verdict?.(blocked, { id: 'r1' }), undefined);
  assert.equal(poll?.verdict?.(blocked, ended.handle)?.kind, 'policy');
  for (const [status, body] of [
    [429, { detail: 'slow' }],
    [500, { detail: 'x', error_type: 'internal_error' }],
    [503, null],
  ] as const)
    assert.equal(poll?.verdict?.(answer(body, status), ended.handle), undefined);
});

test('what fal repeats of the input is in no failure', () => {
  const body = {
    detail: [{ loc: ['body', 'prompt'], msg: 'too short', type: 'value_error', input: 'my private prompt' }],
  };
  const failure = failureOf(fal, answer(body, 422), 0);
  assert.ok(failure && !JSON.stringify(failure).includes('private'));
});

test('any path may be an app; a name without one is none', () => {
  assert.deepEqual(fal.model('someone/new-app/v2')?.capabilities, { size: { kind: 'fixed' } });
  for (const id of ['flux', '', 'a//b', 'a/b?c=d', '../a/b', 'a/../b']) assert.equal(fal.model(id), undefined);
});
