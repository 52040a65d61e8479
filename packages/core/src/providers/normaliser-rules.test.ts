/** The rules that providers' traps taught; each names an adapter in which the trap is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURES } from '../failure.ts';
import { imageSource } from '../images/source.ts';
import type { JsonValue } from '../json.ts';
import { answer, ask, providerOf, type Reading, readAs, type Told } from '../testing/normaliser-rig.ts';
import { TINY_PNG_BASE64 } from '../testing/tiny-png.ts';
import { PROVIDERS } from './index.ts';
import { trustedUrl } from './links.ts';
import type { CallContext } from './provider.ts';

const LINK = 'https://cdn.example/1.png';
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"></svg>';

type Case = readonly [id: string, body: JsonValue | undefined, told: Told, expected: Partial<Reading>];

function check(cases: readonly Case[]): void {
  for (const [id, body, told, expected] of cases) {
    const reading = readAs(id, body, told);
    assert.partialDeepStrictEqual(
      reading,
      expected,
      `${id}: ${JSON.stringify(body)} was read ${JSON.stringify(reading)}`,
    );
  }
}

const JOB = { handle: { id: 'job', task: 'job', generation: 'job' } };
const RESULT = { handle: { id: 'job', step: 'result' } };
const openaiError = (code: string, message = 'no', type = 'x') => ({ error: { code, type, message, param: null } });

test('rule 1: HTTP 200 is not success', async () => {
  check([
    ['bfl', { id: 'job', status: 'Request Moderated', result: null }, JOB, { kind: 'policy' }],
    ['replicate', { id: 'job', status: 'failed', error: 'CUDA out of memory' }, JOB, { kind: 'server' }],
    ['google', { promptFeedback: { blockReason: 'SAFETY' } }, {}, { kind: 'policy' }],
    ['google', { candidates: [{ finishReason: 'IMAGE_SAFETY' }] }, {}, { kind: 'policy' }],
    ['stability', { image: { $blob: 0 }, finish_reason: 'CONTENT_FILTERED' }, {}, { kind: 'policy' }],
    [
      'bedrock',
      { images: [], error: 'All of the generated images have been blocked by our content filters.' },
      {},
      { images: 0, missing: ['policy'] },
    ],
    ['ideogram', { data: [{ url: '', is_image_safe: false }] }, {}, { images: 0, missing: ['policy'] }],
    ['xai', { data: [] }, {}, { kind: 'policy' }],
    ['midjourney', { code: 24, description: 'banned', properties: {} }, {}, { kind: 'policy' }],
    [
      'evolink',
      { id: 'job', status: 'failed', error: { code: 'generation_failed', message: 'no' } },
      JOB,
      { kind: 'server' },
    ],
    [
      'foxapi',
      { id: 'job', status: 'failed', error: { code: 'generation_failed', message: 'no' } },
      JOB,
      { kind: 'server' },
    ],
    ['fal', { images: [{ url: LINK }], has_nsfw_concepts: [true] }, RESULT, { images: 0, missing: ['policy'] }],
    ['openai', openaiError('server_error'), {}, { kind: 'server' }],
  ]);
  const none = await ask('openai', [answer({ created: 1, data: [] })]);
  assert.deepEqual([none.failure?.kind, none.failure?.certainty], ['empty', 'completed']);
  const spoiled = await ask('openai', [answer({ data: [{ b64_json: 'AAAA' }] })]);
  assert.equal(spoiled.failure?.kind, 'corrupt');
});

test('rule 2: 429 is four things, and a quota is not always a 429', () => {
  const at = (status: number) => ({ status });
  check([
    [
      'replicate',
      { detail: 'Request was throttled. Your rate limit resets in ~30s.' },
      at(429),
      { kind: 'throttled', throttle: 'requests' },
    ],
    ['bfl', { detail: 'Too many active tasks' }, at(429), { kind: 'throttled', throttle: 'concurrency' }],
    ['ideogram', { error: 'Too many in-flight requests' }, at(429), { throttle: 'concurrency' }],
    ['luma', { detail: 'Too many concurrent generations' }, at(429), { throttle: 'concurrency' }],
    ['openai', openaiError('insufficient_quota'), at(429), { kind: 'quota' }],
    [
      'bedrock',
      { message: 'Model is not ready for inference.' },
      { status: 429, headers: { 'x-amzn-errortype': 'ModelNotReadyException' } },
      { kind: 'overloaded' },
    ],
    ['openai', openaiError('billing_hard_limit_reached'), at(400), { kind: 'quota' }],
    [
      'bedrock',
      { message: 'Your account is not authorized to invoke this API operation more often.' },
      { status: 400, headers: { 'x-amzn-errortype': 'ServiceQuotaExceededException' } },
      { kind: 'quota' },
    ],
    ['stability', { id: 'x', name: 'payment_required', errors: ['no credits'] }, at(402), { kind: 'billing' }],
    ['fal', { detail: 'User is locked. Reason: Exhausted balance.' }, at(403), { kind: 'billing' }],
  ]);
});

test('rule 3: 403 is four things, and a bad key may be a 400', () => {
  const at = (status: number) => ({ status });
  const badKey = {
    error: {
      code: 400,
      message: 'API key not valid.',
      status: 'INVALID_ARGUMENT',
      details: [{ reason: 'API_KEY_INVALID' }],
    },
  };
  check([
    ['bfl', { detail: 'Not authenticated' }, at(403), { kind: 'authentication' }],
    ['stability', { id: 'x', name: 'content_moderation', errors: ['flagged'] }, at(403), { kind: 'policy' }],
    ['azure', openaiError('Forbidden', 'Your resource has been temporarily blocked'), at(403), { kind: 'permission' }],
    [
      'together',
      { error: { message: "Input token count exceeds the model's context length" } },
      at(403),
      { kind: 'invalid' },
    ],
    ['google', badKey, at(400), { kind: 'authentication' }],
  ]);
});

test('rule 4: moderation ends it for the same request, and its stage says what it cost', () => {
  assert.deepEqual([FAILURES.policy.retry, FAILURES.policy.fallback], [false, false]);
  const [rejected, completed] = ['rejected', 'completed'] as const;
  const blocked = { detail: [{ type: 'content_policy_violation', msg: 'no', loc: ['body', 'prompt'] }] };
  check([
    ['bfl', { status: 'Request Moderated' }, JOB, { stage: 'input', certainty: rejected }],
    ['bfl', { status: 'Content Moderated' }, JOB, { stage: 'output', certainty: rejected }],
    ['stability', { finish_reason: 'CONTENT_FILTERED' }, {}, { stage: 'output', certainty: completed }],
    ['google', { promptFeedback: { blockReason: 'SAFETY' } }, {}, { stage: 'input', certainty: rejected }],
    ['google', { candidates: [{ finishReason: 'IMAGE_SAFETY' }] }, {}, { stage: 'output', certainty: completed }],
    ['fal', blocked, { ...RESULT, status: 422 }, { kind: 'policy', stage: 'input', certainty: rejected }],
  ]);
});

test('rule 5: the type alone misleads, and an unknown code is final at 4xx and not at 5xx', () => {
  const type = 'image_generation_user_error';
  const hidden = { code: 'generation_failed', message: 'The request was rejected by the content policy' };
  check([
    ['openai', openaiError('moderation_blocked', 'no', type), { status: 400 }, { kind: 'policy' }],
    ['openai', openaiError('invalid_value', 'no', type), { status: 400 }, { kind: 'invalid' }],
    ['foxapi', { id: 'job', status: 'failed', error: hidden }, JOB, { kind: 'policy' }],
  ]);
  for (const { id } of PROVIDERS) {
    const [asked, broke] = [418, 500].map((status) => readAs(id, openaiError('never_heard_of'), { status }));
    assert.ok(asked && broke);
    assert.equal(asked.kind, 'invalid', id);
    assert.equal(asked.certainty, 'rejected', id);
    assert.equal(broke.kind, 'server', id);
  }
  assert.deepEqual([FAILURES.invalid.retry, FAILURES.server.retry], [false, true]);
});

test('rule 6: some of the pictures are a success that says what is missing', async () => {
  const some = { images: 1, missing: ['policy'] };
  check([
    [
      'bedrock',
      { images: [{ $blob: 0 }], error: 'Some of the generated images have been blocked by our content filters.' },
      { n: 2 },
      some,
    ],
    [
      'ideogram',
      {
        data: [
          { url: LINK, is_image_safe: true },
          { url: '', is_image_safe: false },
        ],
      },
      { n: 2 },
      some,
    ],
    ['xai', { data: [{ b64_json: { $blob: 0 } }, { b64_json: '', respect_moderation: false }] }, { n: 2 }, some],
    ['fal', { images: [{ url: LINK }, { url: LINK }], has_nsfw_concepts: [true, false] }, RESULT, some],
    ['replicate', { status: 'succeeded', output: [LINK], logs: 'NSFW content detected in image 1' }, JOB, some],
  ]);
  const data = [{ b64_json: TINY_PNG_BASE64 }];
  const { types, missing } = await ask('openai', [answer({ data })], { n: 2 });
  assert.deepEqual([types, missing], [['png'], ['empty']]);
});

test('rule 7: success and cancellation have many spellings, and an unknown status is still on its way', () => {
  const done = { kind: 'done', images: 1 };
  check([
    ['replicate', { status: 'succeeded', output: LINK }, JOB, done],
    ['evolink', { id: 'job', status: 'completed', results: [LINK] }, JOB, done],
    ['foxapi', { id: 'job', status: 'completed', results: [{ url: LINK }] }, JOB, done],
    [
      'leonardo',
      { generations_by_pk: { id: 'job', status: 'COMPLETE', generated_images: [{ id: 'i', url: LINK, nsfw: false }] } },
      JOB,
      done,
    ],
    ['bfl', { status: 'Ready', result: { sample: LINK } }, JOB, done],
    ['midjourney', { id: 'job', action: 'IMAGINE', status: 'SUCCESS', imageUrl: LINK }, JOB, done],
    ['fal', { status: 'COMPLETED' }, JOB, { kind: 'waiting', handle: { step: 'result' } }],
    ['replicate', { status: 'canceled' }, JOB, { kind: 'canceled' }],
    ['replicate', { status: 'aborted' }, JOB, { kind: 'canceled' }],
    ['foxapi', { id: 'job', status: 'cancelled' }, JOB, { kind: 'canceled' }],
    ['midjourney', { id: 'job', action: 'IMAGINE', status: 'CANCEL' }, JOB, { kind: 'canceled' }],
  ]);
  for (const id of ['replicate', 'evolink', 'foxapi', 'bfl', 'fal', 'stable-diffusion-cpp', 'luma'])
    check([[id, { id: 'job', status: 'reticulating', state: 'reticulating' }, JOB, { kind: 'waiting' }]]);
});

test('rule 8: an address from an answer is called only where it is known', () => {
  const context: CallContext = { runId: 'r', attempt: 1, model: 'm', baseUrl: 'https://api.bfl.ai/v1' };
  const wrong = [
    'http://api.bfl.ai/x',
    'https://evil.example/x',
    'https://10.0.0.1/x',
    'https://a:b@api.bfl.ai/x',
    'file:///x',
    'https://notbfl.ai/x',
  ];
  for (const url of wrong) assert.equal(trustedUrl(url, context, ['bfl.ai']), undefined, url);
  const sibling = 'https://api.eu2.bfl.ai/v1/get_result?id=job';
  const built = (url: string) => providerOf('bfl').image.poll?.build({ id: 'job', url }, context).url ?? '';
  assert.equal(built(sibling), sibling);
  assert.ok(built('https://evil.example/v1/get_result?id=job').startsWith(context.baseUrl));
  for (const { id, results } of PROVIDERS) {
    // A key goes to a host of results only where the adapter says so, and those are its own.
    for (const host of results?.authorized ?? []) assert.match(host, /^(?:[\w-]+\.)*replicate\.(?:com|delivery)$/, id);
  }
});

test('rule 9: a link is fetched at once, and its bytes say what they are', async () => {
  const jobs = [
    answer({ id: 'job', status: 'starting' }),
    answer({ id: 'job', status: 'succeeded', output: [LINK.replace('cdn.example', 'replicate.delivery')] }),
  ];
  const { types, sent } = await ask('replicate', [...jobs, answer(SVG, 200, { 'content-type': 'image/png' })]);
  assert.deepEqual(types, ['svg']);
  const [, look, download] = sent;
  assert.ok(look && download?.url === 'https://replicate.delivery/1.png');
  assert.ok(download.at - look.at <= 20, 'the link was kept waiting');
});

test('rule 10: base64 has many coats', () => {
  const coats = [{ $blob: 0 }, 'data:image/png;base64,AAAA', 'AAAA', 'DATA:image/svg+xml;charset=utf-8;base64,AAAA'];
  assert.deepEqual(
    coats.map((coat) => imageSource(coat)?.kind),
    ['blob', 'base64', 'base64', 'base64'],
  );
  const one = { images: 1 };
  check([
    ['openai', { data: [{ b64_json: 'AAAA' }] }, {}, one],
    ['replicate', { status: 'succeeded', output: 'data:image/png;base64,AAAA' }, JOB, one],
    [
      'google',
      { candidates: [{ content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] } }] },
      {},
      one,
    ],
    ['automatic1111', { images: ['AAAA'], info: '' }, {}, one],
    ['deepinfra', { images: ['data:image/png;base64,AAAA'] }, {}, {}],
    ['stability', { $blob: 0 }, {}, one],
  ]);
});
