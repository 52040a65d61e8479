import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createClient } from '../client.ts';
import { type Behaviour, createScriptedIo } from '../testing/scripted-io.ts';
import { TINY_PNG_BASE64 } from '../testing/tiny-png.ts';

const KEY = 'the-key-of-the-client';
const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Behaviour => ({
  ...{ kind: 'answer', afterMs: 5, status, headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

/** A client of two providers whose network plays these in turn, the last one again and again. */
function clientFor(...plays: readonly Behaviour[]) {
  const io = createScriptedIo((_, index) => plays[index] ?? plays.at(-1) ?? { kind: 'hang' });
  // Reading a form takes turns of the event loop in which nothing of virtual time would be left to happen.
  const tick = () => void io.timer(io.now() + 1, tick);
  tick();
  const providers = {
    lab: { baseUrl: 'http://lab.test/v1', apiKey: KEY },
    other: { baseUrl: 'http://other.test/openai/v1/', apiKey: 'another-key' },
  };
  const { fetch } = createClient({ providers, routes: { best: { targets: ['lab/a', 'other/b'] } }, io });
  const ask = (url: string, init?: RequestInit) => io.drive(fetch(url, init));
  return { io, fetch, ask };
}

const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: 'Bearer of-the-caller', ...headers },
  body: JSON.stringify(body),
});

suite('a caller who leaves while its own body is still being read', () => {
  test('is rejected at once, with nothing sent', async () => {
    const { io, fetch } = clientFor(answer(200, {}));
    const stop = new AbortController();
    const reason = new Error('the page was closed');
    setTimeout(() => stop.abort(reason), 20);
    const body = new ReadableStream({ pull: () => new Promise(() => {}) });
    const init = { method: 'POST', body, duplex: 'half', signal: stop.signal } as RequestInit;
    await assert.rejects(fetch('http://lab.test/v1/chat/completions', init), reason);
    assert.equal(io.sent.length, 0);
  });
});

suite('what is in a URL that is no provider’s business', () => {
  test('a key in the query stays here, whoever’s address it is; what pages through a list does not', async () => {
    const { io, ask } = clientFor(answer(200, {}));
    const query = 'key=mine&after=file_1&api_key=mine&access_token=mine&page_token=p&sig=mine&Subscription-Key=mine';
    await ask(`https://elsewhere.example/v1/models?${query}`);
    await ask(`http://other.test/openai/v1/files?${query}`);
    await ask('http://other.test/openai/v1/files?filter=a%20b&limit=2&key=mine');
    const urls = io.sent.map(({ request }) => request.url);
    assert.deepEqual(urls, [
      'http://lab.test/v1/models?after=file_1&page_token=p',
      'http://other.test/openai/v1/files?after=file_1&page_token=p',
      'http://other.test/openai/v1/files?filter=a%20b&limit=2',
    ]);
  });

  test('a name and a password in the URL stay here', async () => {
    const { io, ask } = clientFor(answer(200, {}));
    // `fetch` itself refuses such a URL.
    await assert.rejects(ask('http://me:mine@lab.test/v1/models'), TypeError);
    assert.equal(io.sent.length, 0);
  });
});

suite('what the engine does not know is passed on once', () => {
  test('to the provider whose address the URL begins with, with its key and nothing of the caller’s', async () => {
    const { io, ask } = clientFor(answer(200, { object: 'list' }, { 'x-request-id': 'req_1' }));
    const headers = { authorization: 'Bearer mine', cookie: 'a=b', 'x-api-key': 'mine', 'openai-beta': 'x=v1' };
    const response = await ask('http://other.test/openai/v1/files?limit=2', { headers });
    assert.deepEqual([response.status, response.headers.get('x-request-id')], [200, 'req_1']);
    assert.deepEqual(await response.json(), { object: 'list' });
    const [sent] = io.sent;
    assert.deepEqual([sent?.request.method, sent?.request.url], ['GET', 'http://other.test/openai/v1/files?limit=2']);
    assert.deepEqual(sent?.request.headers, { 'openai-beta': 'x=v1', authorization: 'Bearer another-key' });
  });

  test('else to the first, below its own address', async () => {
    const { io, ask } = clientFor(answer(200, {}));
    await ask('https://api.openai.com/v1/models');
    await ask('http://other.test/openai/v1evil/models');
    const urls = io.sent.map(({ request }) => request.url);
    assert.deepEqual(urls, ['http://lab.test/v1/models', 'http://lab.test/v1/openai/v1evil/models']);
    assert.ok(io.sent.every(({ request }) => request.headers.authorization === `Bearer ${KEY}`));
  });

  test('an upload goes out byte for byte, in its own type', async () => {
    const { io, ask } = clientFor(answer(200, { id: 'file_1' }));
    const form = new FormData();
    form.append('file', new Blob(['{}']), 'a.jsonl');
    await ask('http://lab.test/v1/files', { method: 'POST', body: form });
    const body = io.sent[0]?.request.body;
    assert.ok(body?.kind === 'bytes' && Buffer.from(body.bytes).includes('filename="a.jsonl"'));
    assert.match(io.sent[0]?.request.headers['content-type'] ?? '', /^multipart\/form-data; boundary=/);
  });

  test('what the provider answers is the answer, whatever it is', async () => {
    for (const status of [302, 404, 429, 500]) {
      const { io, ask } = clientFor(answer(status, { error: { message: 'no' } }));
      const response = await ask('http://lab.test/v1/models');
      assert.deepEqual([response.status, await response.json()], [status, { error: { message: 'no' } }]);
      assert.equal(io.sent.length, 1);
    }
    const { ask } = clientFor(answer(204, ''));
    assert.equal((await ask('http://lab.test/v1/files/1', { method: 'DELETE' })).body, null);
  });

  test('no connection is an answer that SDKs do not repeat', async () => {
    const { ask } = clientFor({ kind: 'refuse', afterMs: 1 });
    const response = await ask('http://lab.test/v1/models');
    assert.deepEqual([response.status, response.headers.get('x-should-retry')], [502, 'false']);
    const { error, onetake } = (await response.json()) as { error: { code: string }; onetake: { certainty: string } };
    assert.deepEqual([error.code, onetake.certainty], ['provider_unreachable', 'not_sent']);
  });

  test('an abort rejects with the signal’s reason', async () => {
    const { io, fetch } = clientFor({ kind: 'hang' });
    const stop = new AbortController();
    const ended = fetch('http://lab.test/v1/models', { signal: stop.signal });
    io.timer(10, () => stop.abort());
    await assert.rejects(io.drive(ended), (error) => error === stop.signal.reason);
    await assert.rejects(fetch('http://lab.test/v1/models', { signal: stop.signal }), { name: 'AbortError' });
  });

  test('a method that is not passed on is refused', async () => {
    const { io, ask } = clientFor(answer(200, {}));
    const response = await ask('http://lab.test/v1/models', { method: 'PATCH', body: '{}' });
    assert.deepEqual([response.status, io.sent.length], [400, 0]);
  });
});

const PICTURE = { created: 1, data: [{ b64_json: TINY_PNG_BASE64 }], usage: { input_tokens: 1, output_tokens: 2 } };

suite('pictures', () => {
  test('are made by the engine and answered in OpenAI’s shape', async () => {
    const { io, ask } = clientFor(
      answer(429, { error: { message: 'slow down' } }, { 'retry-after': '1' }),
      answer(200, PICTURE),
    );
    const response = await ask(
      'https://api.openai.com/v1/images/generations',
      post({ model: 'best', prompt: 'a fox' }),
    );
    const body = (await response.json()) as { data: { b64_json: string }[]; output_format: string; usage: object };
    assert.equal(response.status, 200);
    assert.deepEqual(body.data, [{ b64_json: TINY_PNG_BASE64 }]);
    assert.deepEqual([body.output_format, body.usage], ['png', PICTURE.usage]);
    assert.deepEqual([response.headers.get('x-onetake-attempts'), io.sent.length], ['2', 2]);
    assert.equal(io.sent[0]?.request.headers.authorization, `Bearer ${KEY}`);
  });

  test('by their link, and as events', async () => {
    const { ask } = clientFor(answer(200, PICTURE));
    const url = 'https://api.openai.com/v1/images/generations';
    const linked = await ask(url, post({ model: 'best', prompt: 'a fox', response_format: 'url' }));
    const { data } = (await linked.json()) as { data: { url: string }[] };
    assert.equal(data[0]?.url, `data:image/png;base64,${TINY_PNG_BASE64}`);
    const streamed = await ask(url, post({ model: 'best', prompt: 'a fox', stream: true }));
    assert.match(streamed.headers.get('content-type') ?? '', /^text\/event-stream/);
    assert.match(
      await streamed.text(),
      /^event: image_generation\.completed\ndata: \{"type":"image_generation\.completed"/,
    );
  });

  test('an edit takes the files of a form', async () => {
    const { io, ask } = clientFor(answer(200, PICTURE));
    const form = new FormData();
    form.append('prompt', 'add a hat');
    form.append('model', 'best');
    form.append('image[]', new Blob([Buffer.from(TINY_PNG_BASE64, 'base64')]), 'a.png');
    const response = await ask('https://api.openai.com/v1/images/edits', { method: 'POST', body: form });
    assert.equal(response.status, 200, await response.clone().text());
    const body = io.sent[0]?.request.body;
    assert.ok(body?.kind === 'multipart');
    assert.ok(body.parts.some((part) => 'asset' in part && part.name === 'image'));
  });

  test('a failure that may be billed has the status that no SDK repeats', async () => {
    const { ask } = clientFor({ kind: 'reset', afterMs: 5 });
    const url = 'https://api.openai.com/v1/images/generations';
    const response = await ask(url, post({ model: 'best', prompt: 'a fox' }));
    const { error } = (await response.json()) as { error: { code: string } };
    assert.deepEqual([response.status, error.code], [424, 'outcome_unknown']);
  });
});

suite('pictures that are not there', () => {
  const url = 'https://api.openai.com/v1/images/generations';

  test('an abort rejects with the signal’s reason', async () => {
    const { io, fetch } = clientFor({ kind: 'hang' });
    const stop = new AbortController();
    const init = { ...post({ model: 'best', prompt: 'a fox' }), signal: stop.signal };
    io.timer(10, () => stop.abort());
    await assert.rejects(io.drive(fetch(url, init)), (error) => error === stop.signal.reason);
  });

  test('those that are missing are told beside the others', async () => {
    const damaged = { b64_json: Buffer.from('no picture').toString('base64') };
    const { ask } = clientFor(answer(200, { data: [...PICTURE.data, damaged] }));
    const response = await ask(url, post({ model: 'best', prompt: 'a fox', n: 2 }));
    const body = (await response.json()) as {
      data: object[];
      onetake: { missing: { kind: string; billed: string }[] };
    };
    assert.deepEqual([response.status, body.data.length], [200, 1]);
    assert.deepEqual(
      body.onetake.missing.map(({ kind, billed }) => [kind, billed]),
      [['corrupt', 'yes']],
    );
  });

  test('one that memory has no room for was paid for, and is not asked for again', async () => {
    const io = createScriptedIo(() => answer(200, PICTURE));
    const { fetch } = createClient({ providers: { lab: { baseUrl: 'http://lab.test/v1' } }, maxImageBytes: 10, io });
    const response = await io.drive(fetch(url, post({ model: 'lab/a', prompt: 'a fox' })));
    const { error } = (await response.json()) as { error: { code: string } };
    assert.deepEqual([response.status, error.code, io.sent.length], [424, 'storage_failed', 1]);
  });
});

test('of several pictures as events the last one tells the usage of all, and what is missing', async () => {
  const damaged = { b64_json: Buffer.from('no picture').toString('base64') };
  const { ask } = clientFor(answer(200, { ...PICTURE, data: [...PICTURE.data, ...PICTURE.data, damaged] }));
  const url = 'https://api.openai.com/v1/images/generations';
  const response = await ask(url, post({ model: 'best', prompt: 'a fox', n: 3, stream: true }));
  const events = (await response.text()).split('\n').filter((line) => line.startsWith('data: '));
  const told = events.map((line) => Object.keys(JSON.parse(line.slice('data: '.length))));
  assert.deepEqual(
    told.map((keys) => ['size', 'usage', 'onetake'].map((key) => keys.includes(key))),
    [
      [true, false, false],
      [true, true, true],
    ],
  );
});

test('a listener that throws when the picture was paid for does not lose it, and before it ends as not known', async () => {
  for (const [type, status, code, sends] of [
    ['finished', 200, undefined, 1],
    ['attempt-started', 424, 'outcome_unknown', 0],
  ] as const) {
    const io = createScriptedIo(() => answer(200, PICTURE));
    const onEvent = (event: { readonly type: string }) => {
      if (event.type === type) throw new Error('the listener broke');
    };
    const { fetch } = createClient({ providers: { lab: { baseUrl: 'http://lab.test/v1' } }, io, onEvent });
    const url = 'https://api.openai.com/v1/images/generations';
    const response = await io.drive(fetch(url, post({ model: 'lab/a', prompt: 'a fox' })));
    const body = (await response.json()) as { error?: { code: string; message: string } };
    assert.deepEqual([response.status, body.error?.code, io.sent.length], [status, code, sends]);
  }
});

suite('requests for pictures that are wrong', () => {
  test('are refused before anything is sent', async () => {
    const { io, ask } = clientFor(answer(200, PICTURE));
    const url = 'https://api.openai.com/v1/images/generations';
    const noPicture = new FormData();
    noPicture.append('prompt', 'add a hat');
    noPicture.append('image', new Blob(['hello']), 'a.png');
    const wrong: readonly (readonly [string, RequestInit, string])[] = [
      [url, post({}), 'prompt'],
      [url, post({ prompt: 'a', onetake: { attach: 'off' } }), 'onetake.attach'],
      [url, post({ prompt: 'a' }, { 'x-onetake-payment': 'free' }), 'x-onetake-payment'],
      [url, post({ prompt: 'a' }, { 'x-onetake-max-paid': '1' }), 'x-onetake-max-paid'],
      [url, { method: 'POST', body: 'no json' }, 'body'],
      ['https://api.openai.com/v1/images/edits', post({ prompt: 'a' }), 'image'],
      ['https://api.openai.com/v1/images/edits', { method: 'POST', body: noPicture }, 'image'],
    ];
    for (const [address, init, param] of wrong) {
      const response = await ask(address, init);
      const { error } = (await response.json()) as { error: { param: string; type: string } };
      assert.deepEqual([response.status, error.param, error.type], [400, param, 'invalid_request_error']);
    }
    assert.equal(io.sent.length, 0);
  });
});
