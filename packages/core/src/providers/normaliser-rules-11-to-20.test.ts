/** The second half of the rules that providers' traps taught: waiting, money, words, requests, streams. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { failureOf } from '../classify.ts';
import { FAILURES } from '../failure.ts';
import type { HttpRequest } from '../http.ts';
import { isObject, type JsonValue } from '../json.ts';
import { adapt } from '../policy/adapt.ts';
import { readHint } from '../policy/hints.ts';
import { answer, ask, NOW, providerOf, readAs } from '../testing/normaliser-rig.ts';
import { sampleRequest } from '../testing/samples.ts';
import { PROVIDERS } from './index.ts';
import type { CallContext, Provider } from './provider.ts';

const CONTEXT: CallContext = {
  ...{ runId: 'run', attempt: 1, model: 'model', baseUrl: 'https://provider.example/v1' },
  ...{ assetsUrl: 'https://me.example/assets', webhookUrl: 'https://me.example/news' },
};

function submitted(provider: Provider, changes: Parameters<typeof sampleRequest>[0] = {}): HttpRequest | undefined {
  const model = provider.models[0]?.id ?? CONTEXT.model;
  return provider.image?.submit.build(sampleRequest(changes), { ...CONTEXT, model });
}

test('rule 11: how long to wait is said in many ways, or not at all', () => {
  const waits = (headers: Record<string, string>, body?: JsonValue, text = '') => {
    const hint = readHint({ date: new Date(NOW).toUTCString(), ...headers }, body, text, NOW, true);
    return hint && hint.notBefore - NOW;
  };
  assert.equal(waits({ 'retry-after': '7' }), 7_000);
  assert.equal(waits({ 'retry-after': new Date(NOW + 9_000).toUTCString() }), 9_000);
  assert.equal(waits({ 'retry-after-ms': '250' }), 250);
  assert.equal(waits({}, { error: { details: [{ retryDelay: '34s' }] } }), 34_000);
  assert.equal(waits({}, { detail: 'Request was throttled. Your rate limit resets in ~30s.' }), 30_000);
  assert.equal(waits({}, { detail: 'x', retry_after: 9 }), 9_000);
  assert.equal(waits({ 'x-ratelimit-reset-requests': '6m0s' }), 360_000);
  assert.equal(waits({ 'x-ratelimit-reset': String((NOW + 60_000) / 1000) }), 60_000);
  assert.equal(waits({}), undefined);
});

test('rule 12: what was sent and not answered is unknown, and is not sent again', async () => {
  for (const kind of ['openai', 'google', 'stability', 'replicate', 'fal', 'bfl', 'evolink', 'foxapi', 'midjourney']) {
    const { failure, sent } = await ask(kind, [{ kind: 'reset', afterMs: 10 }], { policy: { payment: 'strict' } });
    assert.deepEqual([failure?.certainty, sent.length], ['ambiguous', 1], kind);
  }
  for (const provider of PROVIDERS) {
    const names = Object.keys(submitted(provider)?.headers ?? {});
    assert.ok(!names.some((name) => name.includes('idempotency')), `${provider.id} relies on a key nobody honours`);
  }
  // Where there is an id it is what the job is looked up by, and nothing but it is needed.
  const { handle } = readAs('replicate', { id: 'job', status: 'starting' });
  assert.deepEqual(handle, { id: 'job' });
});

const SHAPES: readonly (readonly [body: JsonValue | undefined, text: string])[] = [
  ...['text', 5, null, true, ['x'], { deep: { deeper: 1 } }].map(
    (code) => [{ error: { code, message: code } }, ''] as const,
  ),
  ...['text', '', null, 7, [], ['x'], [{}], [{ msg: 5 }]].map(
    (error) => [{ error, detail: error, errors: error, message: error }, ''] as const,
  ),
  ...[[], [{}], null, 'text', 12, {}].map((body) => [body, ''] as const),
  ...['', '<html><body>Bad</body></html>', '{"cut": '].map((text) => [undefined, text] as const),
];

test('rule 13: an error of any shape is read, and stays an error', () => {
  for (const provider of PROVIDERS) {
    for (const [body, text] of SHAPES) {
      for (const status of [400, 401, 403, 422, 429, 500, 502]) {
        const failure = failureOf(provider, { status, headers: {}, body, text }, NOW);
        assert.ok(failure && failure.message.length <= 500, `${provider.id}: ${JSON.stringify(body)}`);
      }
    }
  }
});

test('rule 14: what a provider repeats of the request is in no message', () => {
  const secret = 'PRIVATE-PROMPT';
  const cases: readonly (readonly [id: string, status: number, body: JsonValue])[] = [
    ['fal', 422, { detail: [{ loc: ['body', 'prompt'], msg: 'too short', type: 'value_error', input: secret }] }],
    ['fal', 422, { detail: [{ loc: ['body'], msg: 'no', input: { prompt: secret } }] }],
    ['bfl', 422, { detail: [{ loc: ['body', 'prompt'], msg: 'too short', type: 'x', input: secret }] }],
    ['luma', 422, { detail: [{ loc: ['body', 'prompt'], msg: 'too short', type: 'x', input: secret }] }],
    [
      'automatic1111',
      500,
      { error: 'RuntimeError', detail: '', body: '', errors: 'it broke', parameters: { prompt: secret } },
    ],
    [
      'replicate',
      422,
      { title: 'Input validation failed', detail: '- input: wrong', status: 422, input: { prompt: secret } },
    ],
  ];
  for (const [id, status, body] of cases) {
    const failure = failureOf(providerOf(id), { status, headers: {}, body, text: JSON.stringify(body) }, NOW);
    assert.ok(failure && !JSON.stringify(failure).includes(secret), `${id}: ${failure?.message}`);
  }
  const signed = 'https://cdn.example/1.png?X-Amz-Signature=abcdef';
  const lost = readAs(
    'replicate',
    { id: 'job', status: 'failed', error: 'no', output: signed, input: { image: signed } },
    { handle: { id: 'job' } },
  );
  assert.ok(!JSON.stringify(lost).includes('Signature'));
});

test('rule 15: the area to edit is transparent, white or black, and each model says which', () => {
  const polarity = (id: string) =>
    new Set(providerOf(id).models.flatMap(({ capabilities }) => capabilities?.mask ?? []));
  assert.deepEqual([...polarity('openai')], ['alpha']);
  for (const id of ['evolink', 'stability', 'automatic1111', 'fal', 'bfl'])
    assert.deepEqual([...polarity(id)], ['white'], id);
  for (const id of ['ideogram', 'bedrock']) assert.deepEqual([...polarity(id)], ['black'], id);
  assert.deepEqual([...polarity('replicate')].sort(), ['black', 'white']);
});

test('rule 16: a size is told in the words of the model', () => {
  const options = { links: true, isFirst: true, strict: false };
  const told = (id: string, model: string, size = '1536x1024') => {
    const facts = providerOf(id).model(model);
    assert.ok(facts, `${id}/${model}`);
    const adapted = adapt(sampleRequest({ size }), facts, options);
    assert.ok(adapted.ok);
    const { size: pixels, aspectRatio, resolution } = adapted.request;
    return [pixels, aspectRatio, resolution];
  };
  assert.deepEqual(told('google', 'gemini-3.1-flash-image'), [undefined, '3:2', '1K']);
  assert.deepEqual(told('google', 'gemini-3.1-flash-image', '2048x2048'), [undefined, '1:1', '2K']);
  assert.deepEqual(told('fal', 'fal-ai/flux/dev'), ['1536x1024', undefined, undefined]);
  assert.deepEqual(told('replicate', 'black-forest-labs/flux-schnell'), [undefined, '3:2', undefined]);
  assert.deepEqual(told('replicate', 'someone/unknown'), [undefined, undefined, undefined]);
  // LocalAI makes 512x512 of a size it cannot read, and says nothing.
  assert.equal(providerOf('localai').model('any-model')?.capabilities?.size.kind, 'pixels');
});

test('rule 17: an error in a stream comes after its 200, and silence is no success', async () => {
  const { stream } = providerOf('openai').image;
  const flat = stream?.({ event: 'error', data: { type: 'error', code: 'server_error', message: 'no' } });
  const nested = stream?.({ event: undefined, data: { error: { code: 'server_error', message: 'no' } } });
  assert.deepEqual([flat?.kind, nested?.kind], ['failed', 'failed']);
  const started = 'event: image_generation.partial_image\ndata: {"type":"image_generation.partial_image"}\n\n';
  const closed = answer(started, 200, { 'content-type': 'text/event-stream' });
  const { failure, sent } = await ask('openai', [closed], {
    stream: true,
    partialImages: 1,
    policy: { payment: 'strict' },
  });
  assert.ok(failure && failure.certainty !== 'rejected' && failure.certainty !== 'not_sent', JSON.stringify(failure));
  assert.equal(sent.length, 1);
});

test('rule 18: a server with one state for all is given one request at a time', () => {
  for (const id of ['automatic1111', 'comfyui']) {
    const { models, resubmit } = providerOf(id);
    assert.ok(models.length > 0);
    for (const { limits } of models) assert.equal(limits?.concurrency, 1, id);
    assert.equal(resubmit, 'safe');
  }
});

test('rule 19: the bugs of official clients are not ours', () => {
  const job = { handle: { id: 'job' } };
  // A poll goes on through moderation, and knows no `aborted`.
  assert.equal(readAs('bfl', { status: 'Content Moderated' }, job).kind, 'policy');
  assert.equal(readAs('replicate', { status: 'aborted' }, job).kind, 'canceled');
  // A number of seconds is taken for a date.
  assert.equal(readHint({ 'retry-after': '2' }, undefined, '', NOW)?.notBefore, NOW + 2_000);
  // An empty account is tried again because its status is 429.
  const quota = { error: { code: 'insufficient_quota', type: 'insufficient_quota', message: 'no' } };
  const { kind } = readAs('openai', quota, { status: 429 });
  assert.equal(kind, 'quota');
  assert.equal(FAILURES.quota.retry, false);
  // A prediction that still runs looks done because it no longer starts.
  assert.equal(readAs('replicate', { id: 'job', status: 'processing', output: null }).kind, 'waiting');
});

test('rule 20: what is generated is no evidence', () => {
  assert.equal(providerOf('midjourney').access?.baseUrl, undefined, 'Midjourney has no API of its own');
  const directory = new URL('./data/', import.meta.url);
  const files = readdirSync(directory).filter((name) => name.endsWith('.json'));
  assert.ok(files.length >= 10);
  for (const name of files) {
    const data: unknown = JSON.parse(readFileSync(new URL(name, directory), 'utf8'));
    assert.ok(isObject(data) && typeof data.as_of === 'string' && Array.isArray(data.sources), name);
    assert.ok(data.sources.length > 0 && !/evangelist/i.test(JSON.stringify(data.sources)), name);
  }
});
