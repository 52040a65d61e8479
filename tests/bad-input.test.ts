/** Bad input gets a 4xx in OpenAI's envelope that names the field; nothing of it reaches a provider. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Answer, call, sendRaw } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { readLedger } from './rig/ledger.ts';

const KEY = 'a-key-of-bad-input';
let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway();
});
after(() => gateway.close());

interface Bad {
  readonly what: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly status: number;
  readonly code?: string;
  readonly param?: string;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'multipart/form-data; boundary=fence' };
const MODEL = 'sandbox/bad-input';

function json(fields: object): { headers: Record<string, string>; body: string } {
  return { headers: JSON_TYPE, body: JSON.stringify({ model: MODEL, ...fields }) };
}

function form(...parts: readonly (readonly [head: string, body: string | Buffer])[]): {
  headers: Record<string, string>;
  body: Buffer;
} {
  const pieces = parts.flatMap(([head, body]) => [
    Buffer.from(`--fence\r\ncontent-disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ]);
  return { headers: FORM_TYPE, body: Buffer.concat([...pieces, Buffer.from('--fence--\r\n')]) };
}

const FIELDS: readonly Bad[] = [
  { what: 'broken JSON', headers: JSON_TYPE, body: '{"prompt": "a red', status: 400 },
  { what: 'no body', headers: JSON_TYPE, status: 400 },
  { what: 'an array', headers: JSON_TYPE, body: '[]', status: 400 },
  { what: 'no prompt', ...json({}), status: 400, code: 'missing_required_parameter', param: 'prompt' },
  { what: 'an empty prompt', ...json({ prompt: '' }), status: 400, param: 'prompt' },
  { what: 'a prompt that is a number', ...json({ prompt: 7 }), status: 400, param: 'prompt' },
  { what: 'a prompt without end', ...json({ prompt: 'x'.repeat(32_001) }), status: 400, param: 'prompt' },
  { what: 'n=0', ...json({ prompt: 'x', n: 0 }), status: 400, param: 'n' },
  { what: 'n=11', ...json({ prompt: 'x', n: 11 }), status: 400, param: 'n' },
  { what: 'n="2"', ...json({ prompt: 'x', n: '2' }), status: 400, param: 'n' },
  { what: 'a size of none', ...json({ prompt: 'x', size: '0x0' }), status: 400, param: 'size' },
  { what: 'stream="yes"', ...json({ prompt: 'x', stream: 'yes' }), status: 400, param: 'stream' },
  {
    what: 'a wrong response_format',
    ...json({ prompt: 'x', response_format: 'hex' }),
    status: 400,
    param: 'response_format',
  },
  {
    what: 'an unknown control',
    ...json({ prompt: 'x', onetake: { paiment: 'strict' } }),
    status: 400,
    param: 'onetake.paiment',
  },
  {
    what: 'a control out of range',
    ...json({ prompt: 'x', onetake: { timeout_ms: 0 } }),
    status: 400,
    param: 'onetake.timeout_ms',
  },
  {
    what: 'an unknown provider’s model',
    ...json({ prompt: 'x', model: `sandbox${'x'.repeat(300)}` }),
    status: 400,
    param: 'model',
  },
];

const TRANSPORT: readonly Bad[] = [
  { what: 'text/plain', headers: { 'content-type': 'text/plain' }, body: '{"prompt":"x"}', status: 415 },
  { what: 'no content-type', headers: {}, body: '{"prompt":"x"}', status: 415 },
  {
    what: 'a form that is urlencoded',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'prompt=x',
    status: 415,
  },
  { what: 'an unknown path', path: '/v1/pictures', ...json({ prompt: 'x' }), status: 404 },
  { what: 'a wrong method', method: 'DELETE', path: '/v1/images/generations', status: 404 },
  {
    what: 'variations, which are retired',
    path: '/v1/images/variations',
    ...form(['name="image"; filename="a.png"', 'x']),
    status: 404,
  },
  { what: 'a path that climbs', method: 'GET', path: '/v1/assets/..%2f..%2fonetake.db', status: 404 },
  { what: 'a path that does not decode', method: 'GET', path: '/v1/models/%ff', status: 400 },
  { what: 'a foreign Host', ...json({ prompt: 'x' }), headers: { ...JSON_TYPE, host: 'evil.example' }, status: 403 },
  {
    what: 'a foreign Origin',
    ...json({ prompt: 'x' }),
    headers: { ...JSON_TYPE, origin: 'https://evil.example' },
    status: 403,
  },
  {
    what: 'a cross-site page',
    ...json({ prompt: 'x' }),
    headers: { ...JSON_TYPE, 'sec-fetch-site': 'cross-site' },
    status: 403,
  },
  {
    what: 'an Idempotency-Key without end',
    ...json({ prompt: 'x' }),
    headers: { ...JSON_TYPE, 'idempotency-key': 'k'.repeat(300) },
    status: 400,
  },
];

const EDITS = '/v1/images/edits';
const prompt = ['name="prompt"', 'a hat'] as const;
const image = (body: string | Buffer) => ['name="image"; filename="a.png"\r\ncontent-type: image/png', body] as const;

const UPLOADS: readonly Bad[] = [
  { what: 'an edit without a picture', path: EDITS, ...form(prompt), status: 400, param: 'image' },
  {
    what: 'an edit of something else',
    path: EDITS,
    ...form(prompt, image('GIF89a, almost')),
    status: 400,
    param: 'image[0]',
  },
  {
    what: 'a picture cut short',
    path: EDITS,
    ...form(prompt, image(Buffer.from('89504e470d0a1a0a0000000d', 'hex'))),
    status: 400,
  },
  {
    what: 'an unknown file field',
    path: EDITS,
    ...form(prompt, ['name="../../x"; filename="../../x"', 'x']),
    status: 400,
  },
  {
    what: 'a form without its end',
    path: EDITS,
    headers: FORM_TYPE,
    body: '--fence\r\ncontent-disposition: form-data; name="prompt"\r\n\r\na h',
    status: 400,
  },
  {
    what: 'a form without a boundary',
    path: EDITS,
    headers: { 'content-type': 'multipart/form-data' },
    body: 'x',
    status: 400,
  },
  { what: 'a part without a name', path: EDITS, ...form(['filename="x"', 'x']), status: 400 },
  {
    what: 'a thousand parts',
    path: EDITS,
    ...form(...Array.from({ length: 1000 }, (_, number) => [`name="f${number}"`, 'x'] as const)),
    status: 400,
  },
  {
    what: 'prototype fields',
    path: EDITS,
    ...form(['name="__proto__"', 'x'], ['name="constructor"', 'x']),
    status: 400,
  },
  ...[
    'http://127.0.0.1:1/a.png',
    'http://169.254.169.254/latest',
    'http://[::1]/a.png',
    'http://10.0.0.1/a.png',
    'file:///etc/passwd',
    'data:text/html,x',
  ].map(
    (url): Bad => ({
      what: `image_url ${url}`,
      path: EDITS,
      ...json({ prompt: 'x', images: [{ image_url: url }] }),
      status: 400,
    }),
  ),
];

function bytesOf({ method = 'POST', path = '/v1/images/generations', headers = {}, body = '' }: Bad): Buffer {
  const all = { host: new URL(gateway.url).host, authorization: `Bearer ${KEY}`, connection: 'close', ...headers };
  const length = method === 'POST' ? [`content-length: ${Buffer.byteLength(body)}`] : [];
  const lines = [`${method} ${path} HTTP/1.1`, ...Object.entries(all).map((pair) => pair.join(': ')), ...length];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), Buffer.from(body)]);
}

function assertRefused(answer: Answer, { status, code, param }: Pick<Bad, 'status' | 'code' | 'param'>): void {
  assert.equal(answer.status, status, answer.text);
  const { error } = answer.body;
  assert.ok(error, `no envelope: ${answer.text}`);
  assert.ok(error.message.length > 10 && error.type.length > 0 && error.code.length > 0, answer.text);
  assert.doesNotMatch(answer.text, new RegExp(`${KEY}|node_modules|at file:|\\.ts:`));
  if (code !== undefined) assert.equal(error.code, code);
  if (param !== undefined) assert.equal(error.param, param);
}

for (const [name, rows] of Object.entries({ fields: FIELDS, transport: TRANSPORT, uploads: UPLOADS })) {
  suite(`bad ${name}`, () => {
    for (const bad of rows) {
      test(`${bad.what}: ${bad.status}`, async () => {
        assertRefused(await sendRaw(gateway.url, bytesOf(bad), 10_000), bad);
      });
    }
  });
}

suite('bad bytes', () => {
  const head = () => `POST /v1/images/generations HTTP/1.1\r\nhost: ${new URL(gateway.url).host}\r\n`;

  test('70 MB announced: 413 before they are sent', async () => {
    const announced = `${head()}content-type: application/json\r\ncontent-length: 73400320\r\n\r\n{"prompt":"`;
    assertRefused(await sendRaw(gateway.url, announced, 10_000), { status: 413 });
  });

  test('70 MB in chunks of unknown sum: 413', async () => {
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
    const start = `${head()}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
    assertRefused(await sendRaw(gateway.url, start + chunk.repeat(70), 20_000), { status: 413 });
  });

  test('what is not HTTP ends the connection with a 400', async () => {
    assert.equal((await sendRaw(gateway.url, 'what is this\r\n\r\n', 10_000)).status, 400);
  });
});

test('after all that the gateway lives, and the provider was asked nothing', async () => {
  assert.equal((await call(`${gateway.url}/health/ready`)).status, 200);
  assert.deepEqual((await readLedger(gateway.sandboxUrl)).entries, []);
});
