/** Requests that travel: through the official SDK, a gateway process, OpenAI's own adapter, and the sandbox behind it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { type RunningSandbox, startSandbox } from './rig/sandbox.ts';

interface Told {
  readonly adapted: readonly { field: string; action: string; from?: string; to?: string; reason?: string }[];
  readonly passed_over?: readonly { target: string; reason: string }[];
}

let provider: RunningSandbox;
let gateway: RunningGateway;
let client: OpenAI;
before(async () => {
  provider = await startSandbox();
  gateway = await startGateway({
    yaml: `
providers:
  openai: {}
  lab: { base_url: ${provider.url}/v1 }
models:
  lab/small: { size: { kind: list, sizes: [64x64] }, formats: [png] }
  lab/wide: { size: { kind: ratio, ratios: ["1:1", "16:9"] }, background: [transparent] }
routes:
  chain: [lab/small, lab/wide]
`,
    env: { ONETAKE_OPENAI_BASE_URL: `${provider.url}/v1`, OPENAI_API_KEY: 'sk-any-key-will-do' },
  });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', logLevel: 'off', maxRetries: 0 });
});
after(async () => {
  await Promise.allSettled([provider.close(), gateway.close()]);
});

const DALLE = { model: 'dall-e-3', quality: 'hd', style: 'vivid', size: '1792x1024' } as const;

function told(answer: object): Told {
  return (answer as { onetake: Told }).onetake;
}

test('a program for dall-e-3 gets a picture of its successor, a warning and the report', async () => {
  const asked = client.images.generate({ ...DALLE, prompt: 'a fox of the old days' });
  const { data, response } = await asked.withResponse();
  assert.ok((data.data?.[0]?.b64_json?.length ?? 0) > 100);
  assert.equal(data.size, '1792x1024');
  const header = (name: string) => response.headers.get(name);
  assert.equal(header('warning'), '299 onetake "dall-e-3 was retired on 2026-05-12; gpt-image-2 serves instead"');
  assert.equal(header('x-onetake-adapted'), 'model=mapped, quality=mapped, style=dropped');
  assert.deepEqual([header('x-onetake-provider'), header('x-onetake-model')], ['openai', 'gpt-image-2']);
  const fields = told(data).adapted.map(({ field, action, to }) => [field, action, to]);
  assert.deepEqual(fields, [
    ['model', 'mapped', 'gpt-image-2'],
    ['quality', 'mapped', 'high'],
    ['style', 'dropped', undefined],
    ['size', 'kept', undefined],
  ]);
  const stored = await fetch(`${gateway.url}/v1/generations/${header('x-onetake-generation')}`);
  const { adapted, successor, request } = (await stored.json()) as Told & { successor: object; request: object };
  assert.equal(adapted.length, 4);
  assert.deepEqual(successor, { of: 'dall-e-3', target: 'gpt-image-2', retired_on: '2026-05-12' });
  assert.equal((request as { quality: string }).quality, 'hd', 'what the caller asked');
});

test('streams, tasks and GET /v1/models warn of it too', async () => {
  const asked = client.images.generate({ ...DALLE, prompt: 'a streamed old fox', stream: true });
  const { data: stream, response } = await asked.withResponse();
  const types: string[] = [];
  for await (const event of stream) types.push(event.type);
  assert.deepEqual(
    [types.at(-1), response.headers.get('warning')?.slice(0, 12)],
    ['image_generation.completed', '299 onetake '],
  );
  const task = await fetch(`${gateway.url}/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...DALLE, prompt: 'an old fox with time' }),
  });
  assert.deepEqual([task.status, task.headers.get('warning')?.slice(0, 12)], [202, '299 onetake ']);
  const model = await client.models.retrieve('dall-e-3');
  const { retired } = told(model) as unknown as { retired: object };
  assert.deepEqual(retired, { on: '2026-05-12', successor: 'gpt-image-2' });
});

test('strict refuses the successor, and whatever would be changed', async () => {
  const strict = { headers: { 'x-onetake-strict': 'on' } };
  await assert.rejects(client.images.generate({ ...DALLE, prompt: 'strictly' }, strict), {
    status: 400,
    code: 'capability_missing',
    param: 'model',
  });
  const seeded = { model: 'gpt-image-2', prompt: 'strictly', seed: 7 } as const;
  await assert.rejects(client.images.generate(seeded, strict), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    return error.param === 'seed' && /strict allows no change: seed: 7 would be dropped/.test(error.message);
  });
  const { response } = await client.images.generate(seeded).withResponse();
  assert.equal(response.headers.get('x-onetake-adapted'), 'seed=dropped');
});

test('aliases: off is a 404 with the advice', async () => {
  const off = { headers: { 'x-onetake-aliases': 'off' } };
  await assert.rejects(client.images.generate({ ...DALLE, prompt: 'no alias' }, off), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.deepEqual([error.code, error.param], ['model_retired', 'model']);
    return /dall-e-3 was retired on 2026-05-12; its successor is gpt-image-2/.test(error.message);
  });
});

test('a target that cannot make it is passed over, and the answer says why', async () => {
  const asked = client.images.generate({ model: 'chain', prompt: 'a wide fox', size: '1792x1024' });
  const { data, response } = await asked.withResponse();
  assert.equal(response.headers.get('x-onetake-fallback'), '1 (capability)');
  assert.equal(response.headers.get('x-onetake-model'), 'wide');
  assert.equal(response.headers.get('x-onetake-adapted'), 'size=mapped');
  const { adapted, passed_over: passedOver } = told(data);
  assert.deepEqual(
    adapted.map(({ from, to }) => [from, to]),
    [['1792x1024', '16:9']],
  );
  assert.equal(passedOver?.[0]?.target, 'lab/small');
  assert.match(passedOver?.[0]?.reason ?? '', /^size: 1792x1024/);
});

test('what no target can make is one 400 with the reason of each, and nothing is paid for', async () => {
  const asked = { model: 'chain', prompt: 'a see-through fox', size: '4000x500', background: 'transparent' } as const;
  await assert.rejects(client.images.generate(asked), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    return /lab\/small: size: 4000x500.*background: transparent.*lab\/wide: size: 4000x500/.test(error.message);
  });
});

test('a chat model is never sent a picture to make', async () => {
  await assert.rejects(client.images.generate({ model: 'lab/gpt-5.2', prompt: 'a chatty fox' }), {
    status: 400,
    code: 'capability_missing',
    param: 'model',
  });
});
