/** What no provider's words, no model's name and no field of a caller's may bring about, asked of every adapter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HttpResponse } from '../http.ts';
import type { JsonValue } from '../json.ts';
import { openFields } from '../open-fields.ts';
import { answer, ask, readAs } from '../testing/normaliser-rig.ts';
import { sampleRequest } from '../testing/samples.ts';
import { PROVIDERS } from './index.ts';
import { trustedUrl } from './links.ts';
import type { CallContext, Provider } from './provider.ts';

const BASE_URL = 'https://provider.example/v1';

function contextOf(model: string): CallContext {
  return { runId: 'run', attempt: 1, model, baseUrl: BASE_URL };
}

function providerOf(id: string): Provider {
  const provider = PROVIDERS.find((one) => one.id === id);
  assert.ok(provider);
  return provider;
}

const HOSTILE_NAMES = [
  ...['../x', 'x/..', '../..', './x', 'x/.', '..', '.', 'a/b/../../../c', 'a/..%2f..', '%2e%2e/x', 'a/%2e%2e'],
  ...['a?b=c', 'a/b?c', 'a#b', 'a/b#c', 'a@b', 'a/b:predict?x=', 'a\\b', 'a/b\\..\\c', 'a//b', '/a/b', 'a/b/'],
  ...['gemini:predict?x=', 'ａ/ｂ', 'a/b\n', 'a/\u2025', 'fal-ai/flux/requests/1/cancel', 'a/b/requests/1'],
];

test('no model’s name leads a request away from where its provider makes pictures', () => {
  for (const { id, model, image } of PROVIDERS) {
    for (const name of HOSTILE_NAMES) {
      if (model(name) === undefined || image === undefined) continue;
      const { url } = image.submit.build(sampleRequest(), contextOf(name));
      const path = new URL(url).pathname;
      const usual = new URL(image.submit.build(sampleRequest(), contextOf('owner/name')).url).pathname;
      assert.equal(path.replaceAll(encodeURIComponent(name), 'owner%2Fname'), usual, `${id} ${name}: ${url}`);
    }
  }
});

test('a name of any characters is refused, or keeps its request on its own host and path', () => {
  const anyName = fc.string({ unit: fc.constantFrom(...'ab./\\:?#@%2e~ \tä'.split('')), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(anyName, (name) => {
      for (const { id, model, image } of PROVIDERS) {
        if (model(name) === undefined || image === undefined) continue;
        const url = new URL(image.submit.build(sampleRequest(), contextOf(name)).url);
        assert.ok(url.href.startsWith(`${BASE_URL}/`) && url.hash === '', `${id} ${name}: ${url.href}`);
        assert.ok(!url.pathname.split('/').includes('..') && !url.search.includes(name), `${id} ${name}: ${url.href}`);
      }
    }),
  );
});

test('an empty address of a job is none, and the job is looked up where it is by rule', () => {
  assert.equal(trustedUrl('', contextOf('m')), undefined);
  const bfl = providerOf('bfl').image?.poll?.build({ id: 'job', url: '' }, contextOf('m'));
  assert.equal(bfl?.url, `${BASE_URL}/get_result?id=job`);
  const handle = { id: 'job', app: 'fal-ai/flux/dev', status: '' };
  const fal = providerOf('fal').image?.poll?.build(handle, contextOf('m'));
  assert.equal(fal?.url, `${BASE_URL}/fal-ai/flux/requests/job/status`);
});

const MULTIPLIERS = [
  ...['num_images', 'num_outputs', 'numImages', 'number_of_images', 'numberOfImages', 'batch_size', 'batch_count'],
  ...['samples', 'num_samples', 'max_images', 'n_iter', 'num_images_per_prompt', 'candidateCount', 'image_count'],
];
const CALLBACKS = [
  ...['webhook', 'webhook_url', 'webhookUrl', 'webhook_secret', 'webhook_events_filter', 'fal_webhook'],
  ...['completion_webhook', 'callback', 'callback_url', 'callbackUrl', 'notifyHook', 'notify_hook', 'notify_url'],
];

test('no field of a caller’s makes more pictures than were planned, or has the answer sent elsewhere', () => {
  const extra = Object.fromEntries([...MULTIPLIERS, ...CALLBACKS].map((name) => [name, 'smuggled']));
  assert.deepEqual(openFields({ ...extra, steps: 30 }), { steps: 30 });
  // Where nothing is billed a workflow may call its own input as it likes.
  assert.deepEqual(openFields({ samples: 4, webhook: 'x' }, { free: true }), { samples: 4 });
});

test('what is nested in a caller’s field multiplies nothing either', () => {
  const request = sampleRequest({ extra: { generationConfig: { candidateCount: 4, temperature: 1 } } });
  const { body } = providerOf('google').image?.submit.build(request, contextOf('gemini-3-pro-image')) ?? {};
  assert.ok(body?.kind === 'json');
  assert.ok(!JSON.stringify(body.value).includes('candidateCount'));
  assert.ok(JSON.stringify(body.value).includes('temperature'));
});

test('a request’s own count is what is sent, whatever its other fields say', async () => {
  for (const id of ['replicate', 'fal', 'ideogram', 'fireworks', 'deepinfra']) {
    const model = PROVIDERS.find((one) => one.id === id)?.models[0]?.id ?? '';
    const sent: string[] = [];
    const extra = { num_outputs: 7777, num_images: 7777, samples: 7777, max_images: 7777, webhook: 'https://a.example' };
    const { bodies } = await ask(id, [answer({}, 400)], { model, extra });
    sent.push(...bodies);
    assert.equal(sent.length, 1, id);
    assert.ok(!/7777|a\.example/.test(sent.join()), `${id}: ${sent.join()}`);
  }
});

test('what runs scripts or reads files at the WebUI passes from nobody', () => {
  const extra = { alwayson_scripts: { ControlNet: { args: [{ image: '/etc/passwd' }] } }, infotext: 'Steps: 1' };
  const { body } = providerOf('automatic1111').image?.submit.build(sampleRequest({ extra }), contextOf('default')) ?? {};
  assert.ok(body?.kind === 'json');
  assert.ok(!/alwayson|infotext/.test(JSON.stringify(body.value)));
});

/** Cloudflare tells a program its own faults in JSON. */
const CLOUDFLARE = {
  type: 'https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/error-524/',
  title: 'Error 524: A timeout occurred',
  detail: 'The origin web server timed out responding to this request.',
  cloudflare_error: true,
};

test('what a proxy says for a server that it lost is nobody’s verdict', () => {
  for (const { id } of PROVIDERS) {
    for (const status of [502, 504, 520, 521, 522, 523, 524, 525, 526, 527, 530]) {
      const reading = readAs(id, { ...CLOUDFLARE, status }, { status });
      assert.equal(reading.certainty, 'ambiguous', `${id} ${status}: ${JSON.stringify(reading)}`);
    }
    const bare = readAs(id, undefined, { status: 503, text: 'upstream connect error or disconnect/reset' });
    assert.equal(bare.certainty, 'ambiguous', `${id} 503: ${JSON.stringify(bare)}`);
  }
});

test('a submit whose answer is lost in fal’s gateway is undecided, whatever type comes along', () => {
  const body = { detail: 'Request timed out', error_type: 'request_timeout' };
  assert.equal(readAs('fal', body, { status: 504 }).certainty, 'ambiguous');
  const atResult = readAs('fal', body, { status: 504, handle: { id: 'job', step: 'result' } });
  assert.equal(atResult.certainty, 'failed');
});

test('a job that came with a code nobody knows is waited for, and not paid again', () => {
  const reading = readAs('midjourney', { code: 200, description: 'success', result: '14001934816969359' });
  assert.deepEqual([reading.kind, reading.handle], ['waiting', { task: '14001934816969359' }]);
  assert.equal(readAs('midjourney', { code: 9, description: '失败', result: '1' }).certainty, 'failed');
});

test('a reseller’s code that is only the status says what the status says', () => {
  const at = (status: number) => readAs('midjourney', { code: status, description: 'no' }, { status }).kind;
  assert.deepEqual([at(401), at(403), at(429)], ['authentication', 'permission', 'throttled']);
});

test('a refusal is not laid at the account’s door for a word that it shares with one', () => {
  const kind = (id: string, body: JsonValue, status: number) => readAs(id, body, { status }).kind;
  assert.equal(kind('recraft', { code: 'internal', message: 'insufficient memory' }, 500), 'server');
  assert.equal(kind('recraft', { code: 'forbidden', message: 'insufficient permissions' }, 403), 'permission');
  assert.equal(kind('recraft', { code: 'not_enough_credits', message: 'not enough credits' }, 400), 'billing');
  assert.equal(kind('leonardo', { error: 'insufficient capacity', code: 'unexpected' }, 500), 'server');
  assert.equal(kind('leonardo', { error: 'not enough api tokens', code: 'unexpected' }, 400), 'billing');
  assert.equal(kind('xai', { code: 'internal', error: 'the safety service failed' }, 500), 'server');
});

test('Together’s 403 is about the prompt where its words are, and else about the key or what stands before it', () => {
  const at = (body: JsonValue | undefined, text = '') => readAs('together', body, { status: 403, text });
  assert.equal(at({ error: { message: 'Input token count exceeds the context length' } }).kind, 'invalid');
  assert.equal(at({ error: { message: 'this key may not use the model' } }).kind, 'permission');
  const blocked = at(undefined, '<html>Sorry, you have been blocked</html>');
  assert.equal(blocked.kind, 'permission');
  assert.notEqual(blocked.message, '');
});

test('no failure is without words', () => {
  for (const { id, image } of PROVIDERS) {
    for (const status of [400, 401, 402, 403, 404, 413, 422, 429, 500, 503]) {
      for (const body of [undefined, {}, { error: {} }, { error: { code: 'x' } }, { detail: '' }] as const) {
        const { message } = readAs(id, body, { status });
        assert.notEqual(message, '', `${id} ${status} ${JSON.stringify(body)}`);
      }
    }
    const empty: HttpResponse = { status: 200, headers: {}, body: {}, text: '{}' };
    const progress = image?.submit.parse(empty, sampleRequest(), contextOf('owner/name'));
    if (progress?.kind === 'failed') assert.notEqual(progress.failure.message, '', id);
  }
});

test('an empty id is no id: the job is undecided, and nothing else is looked up for it', () => {
  const bodies: Readonly<Record<string, JsonValue>> = {
    'openai-responses': { id: '', status: 'queued' },
    foxapi: { id: '', status: 'pending' },
    evolink: { id: '', status: 'pending' },
    luma: { id: '', state: 'queued' },
    leonardo: { sdGenerationJob: { generationId: '' } },
    'stable-diffusion-cpp': { id: '', status: 'queued' },
    bfl: { id: '' },
    replicate: { id: '', status: 'starting' },
    fal: { request_id: '' },
    midjourney: { code: 1, result: '' },
    comfyui: { prompt_id: '' },
  };
  for (const [id, body] of Object.entries(bodies)) {
    assert.equal(readAs(id, body).certainty, 'ambiguous', `${id}: ${JSON.stringify(readAs(id, body))}`);
  }
});

test('an error does not repeat what was asked for, nor a signature that opens a link', () => {
  const echo = { unknown_shape: [{ input: { prompt: 'a secret lighthouse' } }], prompt: 'a secret lighthouse' };
  const signed = 'could not read https://bucket.example/a.png?X-Amz-Signature=0123abcd&X-Amz-Expires=60';
  for (const { id } of PROVIDERS) {
    const { message = '' } = readAs(id, echo, { status: 400, text: JSON.stringify(echo) });
    assert.ok(!message.includes('secret'), `${id}: ${message}`);
    for (const body of [{ error: { message: signed } }, { detail: signed }, { message: signed }, { error: signed }]) {
      const reading = readAs(id, body, { status: 400, text: JSON.stringify(body) });
      assert.ok(!reading.message?.includes('0123abcd'), `${id}: ${reading.message}`);
    }
  }
});
