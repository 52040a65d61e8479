import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Sandbox, startSandbox } from './server.ts';
import { decodePng } from './testing/decode-png.ts';
import { generate, jsonOf, ledgerOf, pictureOf, sandboxFor, temporaryDirectory } from './testing/sandbox.ts';

function edit(
  sandbox: Sandbox,
  fields: Record<string, string | Blob>,
  images: readonly Blob[] = [],
): Promise<Response> {
  const form = new FormData();
  form.set('prompt', 'make it night');
  form.set('size', '64x48');
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  for (const image of images) form.append('image[]', image, 'reference.png');
  return fetch(`${sandbox.url}/v1/images/edits`, { method: 'POST', body: form });
}

interface StreamedEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

function blobOf(bytes: Buffer): Blob {
  return new Blob([new Uint8Array(bytes)]);
}

async function eventsOf(response: Response): Promise<StreamedEvent[]> {
  const blocks = (await response.text()).split('\n\n').filter((block) => block !== '');
  return blocks.map((block) => {
    const [, event = '', data = ''] = /^event: (.+)\ndata: (.+)$/u.exec(block) ?? [];
    return { event, data: JSON.parse(data) as Record<string, unknown> };
  });
}

test('a generation is answered as OpenAI answers it', async (t) => {
  const sandbox = await sandboxFor(t);
  const response = await generate(sandbox, { model: 'gpt-image-2', n: 2, seed: 41, quality: 'low' });
  const answer = await jsonOf(response);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('x-ratelimit-limit-requests'), '500');
  assert.match(response.headers.get('openai-processing-ms') ?? '', /^\d+$/u);
  assert.deepEqual(Object.keys(answer), ['created', 'data', 'background', 'output_format', 'quality', 'size', 'usage']);
  assert.deepEqual(
    [answer.background, answer.output_format, answer.quality, answer.size],
    ['opaque', 'png', 'low', '64x48'],
  );
  assert.deepEqual(
    answer.data.map(({ seed }) => seed),
    [41, 42],
  );
  assert.notEqual(answer.data[0]?.b64_json, answer.data[1]?.b64_json);
  assert.deepEqual(Object.keys(answer.usage), [
    'input_tokens',
    'output_tokens',
    'total_tokens',
    'input_tokens_details',
  ]);
});

test('the same seed gives the same picture, no seed another one that its seed brings back', async (t) => {
  const sandbox = await sandboxFor(t);
  const draw = async (fields: object) => (await jsonOf(generate(sandbox, { model: 'ok', ...fields }))).data[0];
  const [one, other] = [await draw({}), await draw({})];
  assert.notEqual(one?.b64_json, other?.b64_json);
  assert.equal((await draw({ seed: one?.seed }))?.b64_json, one?.b64_json);
});

test('every output format is what it says', async (t) => {
  const sandbox = await sandboxFor(t);
  const starts = { png: '\x89PNG', jpeg: '\xff\xd8\xff', webp: 'RIFF', svg: '<svg' };
  for (const [format, start] of Object.entries(starts)) {
    const answer = await jsonOf(generate(sandbox, { output_format: format }));
    assert.equal(answer.output_format, format);
    assert.ok(
      Buffer.from(answer.data[0]?.b64_json ?? '', 'base64')
        .toString('latin1')
        .startsWith(start),
      format,
    );
  }
  const clear = decodePng(await pictureOf(generate(sandbox, { background: 'transparent' })));
  assert.equal(clear.channels, 4);
});

test('a URL is on the sandbox itself and serves the picture', async (t) => {
  const sandbox = await sandboxFor(t);
  const [item] = (await jsonOf(generate(sandbox, { response_format: 'url' }))).data;
  assert.ok(item);
  assert.ok(item.url.startsWith(`${sandbox.url}/files/`));
  const file = await fetch(item.url);
  assert.equal(file.headers.get('content-type'), 'image/png');
  assert.equal(decodePng(Buffer.from(await file.arrayBuffer())).width, 64);
  assert.equal((await fetch(`${sandbox.url}/files/..%2fledger.jsonl`)).status, 404);
});

test('wrong requests are refused in the words of OpenAI, cost nothing and are on the bill', async (t) => {
  const sandbox = await sandboxFor(t);
  const wrong: [object, string, string][] = [
    [{ prompt: undefined }, 'prompt', 'missing_required_parameter'],
    [{ prompt: 5 }, 'prompt', 'invalid_type'],
    [{ prompt: '' }, 'prompt', 'empty_string'],
    [{ prompt: 'a'.repeat(32_001) }, 'prompt', 'string_above_max_length'],
    [{ n: 0 }, 'n', 'integer_below_min_value'],
    [{ n: 11 }, 'n', 'integer_above_max_value'],
    [{ n: '2' }, 'n', 'invalid_type'],
    [{ n: 1.5 }, 'n', 'invalid_type'],
    [{ size: '5000x10' }, 'size', 'invalid_value'],
    [{ size: '0x10' }, 'size', 'invalid_value'],
    [{ size: 7 }, 'size', 'invalid_type'],
    [{ quality: 'best' }, 'quality', 'invalid_value'],
    [{ output_format: 'bmp' }, 'output_format', 'invalid_value'],
    [{ output_compression: 101 }, 'output_compression', 'integer_above_max_value'],
    [{ background: 'transparent', output_format: 'jpeg' }, 'background', 'invalid_value'],
    [{ stream: 'yes' }, 'stream', 'invalid_type'],
    [{ stream: true, partial_images: 4 }, 'partial_images', 'integer_above_max_value'],
    [{ model: 5 }, 'model', 'invalid_type'],
  ];
  for (const [fields, param, code] of wrong) {
    const response = await generate(sandbox, fields);
    const { error } = await jsonOf(response);
    assert.deepEqual(
      [response.status, error.type, error.param, error.code],
      [400, 'invalid_request_error', param, code],
      error.message,
    );
  }
  assert.equal((await generate(sandbox, {}, { body: '{"prompt":' })).status, 400);
  assert.equal((await generate(sandbox, {}, { body: '[]' })).status, 400);
  const { total } = await ledgerOf(sandbox);
  assert.deepEqual(total, { requests: wrong.length + 2, images: 0, charged: 0, charged_usd: 0 });
});

test('an edit depends on its first reference, and wants one that is a picture', async (t) => {
  const sandbox = await sandboxFor(t);
  const references = [
    blobOf(await pictureOf(generate(sandbox, { seed: 1 }))),
    blobOf(await pictureOf(generate(sandbox, { seed: 2 }))),
  ];
  const [first, second] = references as [Blob, Blob];
  const one = await pictureOf(edit(sandbox, { seed: '3', n: '1' }, [first]));
  assert.ok(one.equals(await pictureOf(edit(sandbox, { seed: '3', mask: second }, [first, second]))));
  assert.ok(!one.equals(await pictureOf(edit(sandbox, { seed: '3', image: second }))));
  assert.ok(!one.equals(await pictureOf(generate(sandbox, { seed: 3, prompt: 'make it night' }))));
  assert.equal((await jsonOf(edit(sandbox, {}))).error.code, 'missing_required_parameter');
  assert.equal((await jsonOf(edit(sandbox, {}, [new Blob(['no picture'])]))).error.code, 'invalid_image_file');
  assert.equal((await jsonOf(edit(sandbox, { model: 'policy' }, [first]))).error.code, 'moderation_blocked');
  assert.equal((await fetch(`${sandbox.url}/v1/images/edits`, { method: 'POST', body: '{}' })).status, 400);
});

test('a stream has smaller previews and then the picture', async (t) => {
  const sandbox = await sandboxFor(t);
  const response = await generate(sandbox, { stream: true, partial_images: 2, seed: 9, model: 'slow:0.03' });
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/u);
  const events = await eventsOf(response);
  const kinds = ['image_generation.partial_image', 'image_generation.partial_image', 'image_generation.completed'];
  assert.deepEqual(
    events.map(({ event }) => event),
    kinds,
  );
  for (const { event, data } of events)
    assert.deepEqual([Object.keys(data)[0], data.type, data.size], ['type', event, '64x48']);
  const widths = events.map(({ data }) => decodePng(Buffer.from(String(data.b64_json), 'base64')).width);
  assert.deepEqual(widths, [16, 32, 64]);
  assert.deepEqual(
    events.map(({ data }) => data.partial_image_index),
    [0, 1, undefined],
  );
  assert.ok(events[2]?.data.usage);
  const form = await edit(sandbox, {
    stream: 'true',
    partial_images: '1',
    image: blobOf(Buffer.from(String(events[2].data.b64_json), 'base64')),
  });
  assert.deepEqual(
    (await eventsOf(form)).map(({ event }) => event),
    ['image_edit.partial_image', 'image_edit.completed'],
  );
});

test('a script has a place of its own for each key and prompt, until the ledger is deleted', async (t) => {
  const sandbox = await sandboxFor(t);
  const status = async (fields: object, key = 'Bearer one') =>
    (await generate(sandbox, { model: '500,503-overloaded,ok', ...fields }, { headers: { authorization: key } }))
      .status;
  assert.deepEqual([await status({}), await status({}), await status({}), await status({})], [500, 503, 200, 200]);
  assert.equal(await status({}, 'Bearer two'), 500);
  assert.equal(await status({ prompt: 'another' }), 500);
  assert.equal(await status({ model: 'sandbox/500,503-overloaded,ok' }), 200);
  assert.equal(await status({ model: 'gpt-image-2', fault: '409,ok' }), 409);
  assert.equal((await fetch(`${sandbox.url}/ledger`, { method: 'DELETE' })).status, 200);
  assert.equal(await status({}), 500);
  assert.deepEqual((await ledgerOf(sandbox)).models, {
    '500,503-overloaded,ok': { requests: 1, images: 0, charged: 0, charged_usd: 0 },
  });
});

test('bill and places survive the process; the key does not reach the file', async (t) => {
  const dataDir = temporaryDirectory(t);
  const first = await startSandbox({ dataDir });
  const ask = (sandbox: Sandbox) =>
    generate(sandbox, { model: '500,ok' }, { headers: { authorization: 'Bearer secret-key' } });
  assert.equal((await ask(first)).status, 500);
  await first.close();
  const second = await sandboxFor(t, { dataDir });
  assert.equal((await ask(second)).status, 200);
  assert.equal((await ledgerOf(second)).total.requests, 2);
  assert.doesNotMatch(readFileSync(join(dataDir, 'ledger.jsonl'), 'utf8'), /secret/u);
  const { entries } = await jsonOf(fetch(`${second.url}/ledger?detail=1`));
  assert.deepEqual(
    entries.map(({ played }) => played),
    ['500', 'ok'],
  );
});

test('limits answer 429, use nothing up, and leave scripts where they are', async (t) => {
  const sandbox = await sandboxFor(t, { limit: { images: { count: 2, windowMs: 60_000 }, concurrency: 1 } });
  const held = new AbortController();
  t.after(() => held.abort());
  const slow = generate(sandbox, { model: 'slow:60' }, { signal: held.signal });
  slow.catch(() => undefined);
  while ((await ledgerOf(sandbox)).total.requests === 0);
  assert.match((await jsonOf(generate(sandbox, { model: '500,ok' }))).error.message, /concurrent/u);
  held.abort();
  let answer = await generate(sandbox, { model: '500,ok' });
  while (answer.status === 429) answer = await generate(sandbox, { model: '500,ok' });
  assert.equal(answer.status, 500);
  const refused = await generate(sandbox, { model: 'ok' });
  assert.ok(Number(refused.headers.get('retry-after')) > 50);
  assert.match(
    (await jsonOf(refused)).error.message,
    /Limit 2, Used 2, Requested 1\. Please try again in \d+(\.\d)?s\./u,
  );
});

test('models and faults are listed, unknown ones and unknown paths explain themselves', async (t) => {
  const sandbox = await sandboxFor(t);
  const get = (path: string) => jsonOf(fetch(`${sandbox.url}${path}`));
  const list = (await get('/v1/models')) as unknown as { data: { id: string }[] };
  for (const { id } of list.data) assert.equal((await fetch(`${sandbox.url}/v1/models/${id}`)).status, 200, id);
  assert.equal((await get('/v1/models/sandbox%2Fslo:4')).error.code, 'model_not_found');
  const { faults, ports } = (await get('/faults')) as unknown as {
    faults: { name: string; sentence: string }[];
    ports: { port: number }[];
  };
  assert.ok(faults.length > 30 && faults.every(({ sentence }) => sentence.endsWith('.')));
  assert.deepEqual(
    ports.map(({ port }) => port),
    [sandbox.refusePort, sandbox.resetPort],
  );
  assert.match((await get('/v1/images')).error.message, /POST \/v1\/images\/generations/u);
  assert.equal((await fetch(`${sandbox.url}/v1/images/generations`)).status, 405);
});

test('a body over 64 MiB is a 413 that its sender hears, and is not on the bill', async (t) => {
  const sandbox = await sandboxFor(t);
  const status = await new Promise((resolve, reject) => {
    const sending = request(`${sandbox.url}/v1/images/generations`, { method: 'POST' }, (response) =>
      resolve(response.statusCode),
    );
    sending.on('error', reject);
    const piece = Buffer.alloc(1024 * 1024, 32);
    for (let n = 0; n < 65; n++) sending.write(piece);
    sending.end();
  });
  assert.equal(status, 413);
  assert.equal((await ledgerOf(sandbox)).total.requests, 0);
});

test('closing ends what is open at once', async (t) => {
  const sandbox = await startSandbox({ dataDir: temporaryDirectory(t) });
  const hanging = generate(sandbox, { model: 'hang-after-accept' });
  while ((await ledgerOf(sandbox)).total.requests === 0);
  await Promise.all([assert.rejects(hanging), sandbox.close()]);
});
