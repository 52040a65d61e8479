/** What no provider's words, no model's name and no field of a caller's may bring about, asked of every adapter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HttpResponse } from '../http.ts';
import { adaptExtra } from '../policy/adapt-extra.ts';
import { answer, ask, readAs } from '../testing/normaliser-rig.ts';
import { sampleRequest } from '../testing/samples.ts';
import { TINY_PNG_BASE64 } from '../testing/tiny-png.ts';
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
      const usual = image.submit.build(sampleRequest(), contextOf('owner/name')).url;
      assert.equal(new URL(url).href, usual, `${id} ${name}`);
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
        const usual = new URL(image.submit.build(sampleRequest(), contextOf('owner/name')).url);
        const depth = (one: URL) => one.pathname.split('/').length;
        assert.deepEqual([url.search, depth(url)], [usual.search, depth(usual)], `${id} ${name}: ${url.href}`);
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
  const extra = Object.fromEntries([...MULTIPLIERS, ...CALLBACKS, 'steps'].map((name) => [name, 'told']));
  const { passed, isWhole, adaptations } = adaptExtra(sampleRequest({ extra }), { isFirst: true, isKnown: false });
  assert.deepEqual([passed, isWhole], [{ steps: 'told' }, false]);
  assert.ok(adaptations.every(({ action, reason }) => action === 'dropped' && reason));
  // Where nothing is billed a workflow may call its own input as it likes.
  const free = adaptExtra(sampleRequest({ extra }), { isFirst: true, isKnown: true, isFree: true });
  assert.deepEqual(Object.keys(free.passed), [...MULTIPLIERS, 'steps']);
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
    const extra = {
      num_outputs: 7777,
      num_images: 7777,
      samples: 7777,
      max_images: 7777,
      webhook: 'https://a.example',
    };
    const { bodies } = await ask(id, [answer({}, 400)], { model, extra });
    sent.push(...bodies);
    assert.equal(sent.length, 1, id);
    assert.ok(!/7777|a\.example/.test(sent.join()), `${id}: ${sent.join()}`);
  }
});

test('what runs scripts or reads files at the WebUI passes from nobody', () => {
  const extra = { alwayson_scripts: { ControlNet: { args: [{ image: '/etc/passwd' }] } }, infotext: 'Steps: 1' };
  const { body } =
    providerOf('automatic1111').image?.submit.build(sampleRequest({ extra }), contextOf('default')) ?? {};
  assert.ok(body?.kind === 'json');
  assert.ok(!/alwayson|infotext/.test(JSON.stringify(body.value)));
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

const PICTURE = { b64_json: TINY_PNG_BASE64 };

test('an answer of ten thousand pictures, or of as many refusals, stays an answer of bounded size', async () => {
  const many = await ask('openai', [answer({ data: Array.from({ length: 10_000 }, () => PICTURE) })]);
  assert.ok(many.types.length <= 32, String(many.types.length));
  const held = Array.from({ length: 10_000 }, () => ({ url: '', is_image_safe: false }));
  const refused = await ask('ideogram', [answer({ data: [{ url: '', is_image_safe: false }, ...held] })], { n: 4 });
  assert.ok(refused.failure);
  assert.ok(JSON.stringify(refused.events).length < 64 * 1024, String(JSON.stringify(refused.events).length));
});

test('what stands where a picture should be is no picture, and no address of ours', async () => {
  const odd = [
    7,
    true,
    null,
    [],
    {},
    'javascript:alert(1)',
    'data:text/plain,hello',
    'file:///etc/passwd',
    'ftp://a/b',
  ];
  for (const value of odd) {
    const { failure, sent } = await ask('openai', [answer({ data: [{ url: value }] })]);
    assert.equal(failure?.certainty, 'completed', JSON.stringify(value));
    assert.equal(sent.length, 1, JSON.stringify(value));
  }
});

test('a price below nothing is no price', async () => {
  const body = { images: [`data:image/png;base64,${TINY_PNG_BASE64}`], inference_status: { cost: -5 } };
  const { events, types } = await ask('deepinfra', [answer(body)]);
  assert.deepEqual(types, ['png']);
  assert.ok(!JSON.stringify(events).includes('-5'), JSON.stringify(events));
});

test('a provider’s own id of an exchange is short and holds no key', async () => {
  const id = `<b>${'x '.repeat(5_000)}</b> key-of-x sk-abcdefghijklmnop`;
  for (const [kind, body] of [
    ['google', { responseId: id, candidates: [] }],
    ['stability', { id, name: 'bad_request', errors: ['no'] }],
  ] as const) {
    const { events } = await ask(kind, [answer(body, kind === 'google' ? 200 : 400)]);
    const ids = events.flatMap((event) => (event.type === 'attempt-ended' ? (event.requestId ?? []) : []));
    assert.equal(ids.length, 1, kind);
    for (const one of ids) {
      assert.ok(one.length <= 500 && !/<b>|sk-abc/.test(one), `${kind}: ${one.length} ${one.slice(0, 80)}`);
    }
  }
});
