import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { Sandbox } from '../server.ts';
import { decodePng } from '../testing/decode-png.ts';
import { generate, jsonOf, ledgerOf, pictureOf, sandboxFor } from '../testing/sandbox.ts';
import { exampleOf, FAULTS } from './script.ts';

// status, type, code: what each fault with an envelope answers.
const ENVELOPES: Readonly<Record<string, readonly [number, string, string | null]>> = {
  '400': [400, 'invalid_request_error', 'invalid_value'],
  policy: [400, 'image_generation_user_error', 'moderation_blocked'],
  'policy-output': [400, 'image_generation_user_error', 'moderation_blocked'],
  '401': [401, 'invalid_request_error', 'invalid_api_key'],
  '402': [402, 'invalid_request_error', 'insufficient_balance'],
  '403': [403, 'invalid_request_error', null],
  '404': [404, 'invalid_request_error', 'model_not_found'],
  retired: [404, 'invalid_request_error', 'model_not_found'],
  '408': [408, 'invalid_request_error', 'request_timeout'],
  '409': [409, 'invalid_request_error', 'conflict'],
  '429': [429, 'rate_limit_error', 'rate_limit_exceeded'],
  '429:1.5': [429, 'rate_limit_error', 'rate_limit_exceeded'],
  '429-date:2': [429, 'rate_limit_error', 'rate_limit_exceeded'],
  '429-concurrency': [429, 'rate_limit_error', 'rate_limit_exceeded'],
  quota: [429, 'insufficient_quota', 'insufficient_quota'],
  '500': [500, 'server_error', null],
  '500-billed': [500, 'server_error', null],
  '503-overloaded': [503, 'service_unavailable_error', 'server_is_overloaded'],
  'error-in-200': [200, 'server_error', null],
};
const PAGES: Readonly<Record<string, number>> = { '502-html': 502, '503': 503, '504': 504, html: 200 };
const UNCHARGED = new Set(
  [
    '400',
    'policy',
    '401',
    '402',
    '403',
    '404',
    'retired',
    '408',
    '409',
    '429',
    '429-date',
    '429-concurrency',
    'quota',
    '500',
    '503',
  ].concat(['503-overloaded', 'error-in-200']),
);

/** The raw bytes that a generation is answered with until the connection ends, and how it ended. */
async function rawAnswer(
  sandbox: Sandbox,
  model: string,
  fields: object = {},
): Promise<{ text: string; ended: string }> {
  const body = JSON.stringify({ model, prompt: 'p', size: '64x48', ...fields });
  const socket = connect(sandbox.port, '127.0.0.1');
  socket.write(
    `POST /v1/images/generations HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  let ended = 'closed';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    ended = error.code ?? 'error';
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return { text, ended };
}

/** The answer up to the place where it falls silent: after `length` characters nothing more comes, and no end. */
async function answerUntilSilence(sandbox: Sandbox, fields: object, length: (text: string) => number): Promise<string> {
  const leaving = new AbortController();
  const response = await generate(sandbox, fields, { signal: leaving.signal });
  const reader = response.body?.getReader();
  let text = '';
  while (text.length < length(text)) {
    const chunk = await reader?.read();
    assert.ok(chunk && !chunk.done, 'the answer ended');
    text += Buffer.from(chunk.value).toString('latin1');
  }
  const more = reader?.read().catch(() => undefined);
  assert.equal(await Promise.race([more, silence()]), 'silence');
  leaving.abort();
  return text;
}

function silence(): Promise<'silence'> {
  return new Promise((resolve) => setTimeout(resolve, 40, 'silence'));
}

test('the charges of every fault are those of the contract', () => {
  for (const fault of FAULTS.values()) assert.equal(fault.charges, !UNCHARGED.has(fault.name), fault.name);
});

test('each refusing fault answers its status, type and code, and the bill knows whether work was done', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const [model, [status, type, code]] of Object.entries(ENVELOPES)) {
    const response = await generate(sandbox, { model: `sandbox/${model}`, n: 2 });
    const { error } = await jsonOf(response);
    assert.deepEqual([response.status, error.type, error.code], [status, type, code], model);
    assert.match(response.headers.get('x-request-id') ?? '', /^req_[0-9a-f]{32}$/u);
  }
  const { models } = await ledgerOf(sandbox);
  assert.deepEqual(models['500'], { requests: 1, images: 0, charged: 0, charged_usd: 0 });
  assert.deepEqual(models['500-billed'], { requests: 1, images: 2, charged: 2, charged_usd: 0.08 });
});

test('the hints of the 429s are where a client looks for them', async (t) => {
  const sandbox = await sandboxFor(t);
  const timed = await generate(sandbox, { model: '429:1.5' });
  assert.deepEqual([timed.headers.get('retry-after'), timed.headers.get('retry-after-ms')], ['2', '1500']);
  assert.match((await jsonOf(timed)).error.message, /Please try again in 1\.5s\./u);
  assert.equal((await generate(sandbox, { model: '429' })).headers.get('retry-after'), null);
  const asked = Date.now();
  const until = Date.parse((await generate(sandbox, { model: '429-date:2' })).headers.get('retry-after') ?? '');
  assert.ok(until >= asked + 2000 && until <= Date.now() + 3000);
  assert.match((await jsonOf(generate(sandbox, { model: 'policy' }))).error.message, /safety_violations=\[violence\]/u);
  assert.match((await jsonOf(generate(sandbox, { model: 'retired' }))).error.message, /shut down.*'gpt-image-2'/u);
});

test('pages are HTML with their status', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const [model, status] of Object.entries(PAGES)) {
    const response = await generate(sandbox, { model, stream: true });
    assert.deepEqual([response.status, response.headers.get('content-type')], [status, 'text/html']);
    assert.equal((await response.text()).includes('nginx'), model !== '503');
  }
});

test('answers that are no pictures', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.deepEqual((await jsonOf(generate(sandbox, { model: 'empty' }))).data, []);
  assert.equal('data' in (await jsonOf(generate(sandbox, { model: 'no-data' }))), false);
  assert.equal((await jsonOf(generate(sandbox, { model: 'zero' }))).data[0]?.b64_json, '');
  assert.match((await pictureOf(generate(sandbox, { model: 'text' }))).toString(), /^I am sorry/u);
  const cut = await generate(sandbox, { model: 'truncated-json' });
  const text = await cut.text();
  assert.equal(Number(cut.headers.get('content-length')), text.length);
  assert.throws(() => JSON.parse(text), SyntaxError);
});

test('pictures that are not what was asked for', async (t) => {
  const sandbox = await sandboxFor(t);
  const whole = await pictureOf(generate(sandbox, { model: 'ok', seed: 5 }));
  assert.deepEqual([decodePng(whole).width, decodePng(whole).height], [64, 48]);
  const cut = await pictureOf(generate(sandbox, { model: 'truncated', seed: 5 }));
  assert.ok(cut.length > 8 && whole.subarray(0, cut.length).equals(cut) && cut.length < whole.length * 0.7);
  assert.equal((await pictureOf(generate(sandbox, { model: 'jpeg-as-png' }))).readUInt16BE(0), 0xffd8);
  assert.ok(decodePng(await pictureOf(generate(sandbox, { model: 'black' }))).pixels.every((value) => value === 0));
  const other = decodePng(await pictureOf(generate(sandbox, { model: 'wrong-size' })));
  assert.notDeepEqual([other.width, other.height], [64, 48]);
  const big = await jsonOf(generate(sandbox, { model: 'big:2', n: 2 }));
  const bytes = Buffer.from(big.data[1]?.b64_json ?? '', 'base64');
  assert.ok(bytes.length >= 2e6 && bytes.length < 2.1e6);
  assert.equal(big.size, `${decodePng(bytes).width}x${decodePng(bytes).height}`);
});

test('slow waits, and its charge is on the bill before that and stays when the caller leaves', async (t) => {
  const sandbox = await sandboxFor(t);
  const started = performance.now();
  assert.equal((await generate(sandbox, { model: 'slow:0.12' })).status, 200);
  assert.ok(performance.now() - started >= 119);
  const leaving = new AbortController();
  const left = generate(sandbox, { model: 'slow:60', n: 3 }, { signal: leaving.signal });
  while (!(await ledgerOf(sandbox)).models['slow:60']);
  leaving.abort();
  await assert.rejects(left, { name: 'AbortError' });
  assert.equal((await ledgerOf(sandbox)).models['slow:60']?.charged, 3);
});

test('a reset comes before any byte, or after half of the body', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.deepEqual(await rawAnswer(sandbox, 'reset-after-accept'), { text: '', ended: 'ECONNRESET' });
  const { text, ended } = await rawAnswer(sandbox, 'reset-mid-body');
  const [head = '', body = ''] = text.split('\r\n\r\n');
  assert.equal(ended, 'ECONNRESET');
  assert.equal(body.length, Math.floor(Number(/content-length: (\d+)/u.exec(head)?.[1]) / 2));
  assert.equal((await ledgerOf(sandbox)).total.charged, 2);
});

test('silence comes before any byte, or after half of the body', async (t) => {
  const sandbox = await sandboxFor(t);
  const leaving = new AbortController();
  const hanging = generate(sandbox, { model: 'hang-after-accept' }, { signal: leaving.signal });
  while ((await ledgerOf(sandbox)).total.charged === 0);
  assert.equal(await Promise.race([hanging, silence()]), 'silence');
  leaving.abort();
  await assert.rejects(hanging, { name: 'AbortError' });
  const whole = await (await generate(sandbox, { model: 'ok', seed: 123 })).text();
  const half = Math.floor(whole.length / 2);
  const text = await answerUntilSilence(sandbox, { model: 'stall-mid-body', seed: 123 }, () => half);
  assert.equal(text.length, half);
});

test('in a stream with previews, connections fail after the first of them', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const model of ['reset-after-accept', 'reset-mid-body']) {
    const { text, ended } = await rawAnswer(sandbox, model, { stream: true, partial_images: 2 });
    assert.equal(ended, 'ECONNRESET');
    assert.equal(text.match(/event: /gu)?.length, 1);
  }
  for (const model of ['hang-after-accept', 'stall-mid-body']) {
    const fields = { model, stream: true, partial_images: 1 };
    const text = await answerUntilSilence(sandbox, fields, (so) => (so.endsWith('\n\n') ? 0 : Infinity));
    assert.match(text, /^event: image_generation\.partial_image\ndata: .*\n\n$/u);
  }
});

test('in a stream without previews, connections fail before or in the middle of the picture', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.equal((await rawAnswer(sandbox, 'reset-after-accept', { stream: true })).text, '');
  const { text, ended } = await rawAnswer(sandbox, 'reset-mid-body', { stream: true });
  assert.equal(ended, 'ECONNRESET');
  assert.match(text, /event: image_generation\.completed\ndata: \{"type":/u);
  assert.doesNotMatch(text, /usage/u);
});

test('in a stream, statuses come before it, an error in 200 is an event, and broken data stays broken', async (t) => {
  const sandbox = await sandboxFor(t);
  const streamed = async (model: string) => (await generate(sandbox, { model, stream: true })).text();
  assert.equal((await generate(sandbox, { model: '503-overloaded', stream: true })).status, 503);
  assert.match(await streamed('error-in-200'), /^event: error\ndata: \{"type":"error","error":\{"message"/u);
  assert.equal(await streamed('empty'), '');
  assert.doesNotMatch(await streamed('no-data'), /b64_json/u);
  assert.match(await streamed('zero'), /"b64_json":""/u);
  assert.doesNotMatch(await streamed('truncated-json'), /\n\n$/u);
});

test('one port refuses and one resets, every time', async (t) => {
  const sandbox = await sandboxFor(t);
  const failure = (port: number) =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1').resume();
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code)).once('end', () => resolve('end'));
    });
  for (let n = 0; n < 20; n++) {
    assert.equal(await failure(sandbox.refusePort), 'ECONNREFUSED');
    assert.equal(await failure(sandbox.resetPort), 'ECONNRESET');
  }
});

test('the next connections of the main port can be scripted', async (t) => {
  const sandbox = await sandboxFor(t);
  const script = (connections: unknown) =>
    fetch(`${sandbox.url}/faults`, {
      method: 'POST',
      body: JSON.stringify({ connections }),
      headers: { connection: 'close' },
    });
  assert.equal((await script(['reset', 'ok', 'reset'])).status, 200);
  assert.equal((await rawAnswer(sandbox, 'ok')).ended, 'ECONNRESET');
  assert.match((await rawAnswer(sandbox, 'ok')).text, /^HTTP\/1\.1 200/u);
  assert.equal((await rawAnswer(sandbox, 'ok')).ended, 'ECONNRESET');
  assert.match((await rawAnswer(sandbox, 'ok')).text, /^HTTP\/1\.1 200/u);
  assert.equal((await jsonOf(script(['refuse']))).error.param, 'connections');
});

test('one picture is missing and not charged', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.equal((await jsonOf(generate(sandbox, { model: 'partial', n: 3 }))).data.length, 2);
  assert.deepEqual((await jsonOf(generate(sandbox, { model: 'partial' }))).data, []);
  assert.deepEqual((await ledgerOf(sandbox)).total, { requests: 2, images: 2, charged: 2, charged_usd: 0.08 });
});

test('links are delivered that have expired, or fail before they are good; what has no flag is delivered without', async (t) => {
  const sandbox = await sandboxFor(t);
  const linked = async (model: string) => {
    const { data } = await jsonOf(generate(sandbox, { model, response_format: 'url', seed: 7 }));
    return data[0]?.url ?? '';
  };
  const statuses = async (url: string) => [
    (await fetch(url)).status,
    (await fetch(url)).status,
    (await fetch(url)).status,
  ];
  assert.deepEqual(await statuses(await linked('expired-url')), [403, 403, 403]);
  assert.deepEqual(await statuses(await linked('flaky-download')), [503, 200, 200]);
  assert.deepEqual(await statuses(await linked('flaky-download:2')), [503, 503, 200]);
  assert.deepEqual(await statuses(await linked('nsfw-flag')), [200, 200, 200]);
  assert.equal((await generate(sandbox, { model: 'ok', fault: 'flaky-download:1.5' })).status, 404);
});

test('every fault has a test above', () => {
  const elsewhere =
    'ok slow big reset-after-accept reset-mid-body hang-after-accept stall-mid-body empty no-data zero text truncated';
  const tested = [...Object.keys(ENVELOPES), ...Object.keys(PAGES), ...elsewhere.split(' ')].map(
    (name) => name.split(':')[0],
  );
  const rest = ['truncated-json', 'jpeg-as-png', 'black', 'wrong-size', 'partial', 'nsfw-flag'];
  assert.deepEqual(
    new Set([...FAULTS.values()].map((fault) => exampleOf(fault).split(':')[0])),
    new Set([...tested, ...rest, 'expired-url', 'flaky-download']),
  );
});
