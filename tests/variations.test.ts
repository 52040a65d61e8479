import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Connection, JsonValue, Provider } from '@onetake/core';
import { loadConfig } from '../packages/gateway/src/config.ts';
import { startGateway } from '../packages/gateway/src/gateway.ts';
import { removeDirectory, temporaryDirectory } from './rig/directories.ts';

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"></svg>';

interface Act {
  readonly action: string;
  readonly prompt?: string;
  readonly job?: string;
  readonly index?: number;
}

interface Told {
  readonly data?: readonly unknown[];
  readonly error?: { readonly code: string; readonly message: string; readonly param: string };
  readonly onetake?: { readonly generation: string };
}

/** A server that draws grids as jobs, and goes on from the pictures in them. */
async function drawingServer(context: TestContext) {
  const acts: Act[] = [];
  const server = createServer((request, response) => {
    const answer = (body: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (request.url?.startsWith('/files/')) return response.setHeader('content-type', 'image/svg+xml').end(SVG);
    if (request.method === 'GET') return answer({ done: `${request.url}` });
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      acts.push(JSON.parse(text));
      answer({ job: `j${acts.length}` });
    });
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, acts };
}

const field = (value: JsonValue | undefined, name: string): JsonValue | undefined =>
  typeof value === 'object' && value !== null ? (value as Record<string, JsonValue>)[name] : undefined;

/** Its adapter; a model named `once` answers at once, and one named `flat` makes no variations. */
const drawing: Provider = {
  id: 'drawing',
  models: [],
  authorize: (request) => request,
  classify: () => undefined,
  model: (id) => ({
    ...{ id, maxImagesPerCall: 1, streams: false },
    operations: id === 'flat' ? ['generate'] : ['generate', 'variation', 'upscale'],
  }),
  image: {
    submit: {
      build({ operation, prompt, source }, { baseUrl, model }) {
        const value = source
          ? { action: operation, ...source.handle, index: source.index }
          : { action: operation, prompt };
        return { method: 'POST', url: `${baseUrl}/${model}`, headers: {}, body: { kind: 'json', value } };
      },
      parse({ body }, _input, { model, baseUrl }) {
        const job = String(field(body, 'job'));
        if (model === 'once')
          return { kind: 'done', images: [{ source: { kind: 'url', url: `${baseUrl}/files/${job}` } }] };
        return { kind: 'waiting', handle: { job }, pollAfterMs: 5 };
      },
    },
    poll: {
      build: (handle, { baseUrl }) => ({ method: 'GET', url: `${baseUrl}/jobs/${handle.job}`, headers: {} }),
      parse: (_response, handle, { baseUrl }) => ({
        kind: 'done',
        images: [{ source: { kind: 'url', url: `${baseUrl}/files/${handle.job}` }, pictures: 4 }],
      }),
    },
  },
};

async function serving(context: TestContext) {
  const { url: baseUrl, acts } = await drawingServer(context);
  const home = temporaryDirectory();
  const env = {
    ...{ ONETAKE_PORT: '0', ONETAKE_DATA: home, ONETAKE_API_KEYS: 'ann:key-of-ann-0123456,bob:key-of-bob-0123456' },
    ONETAKE_DRAW_BASE_URL: baseUrl,
  };
  const gateway = await startGateway(loadConfig({ env, cwd: home }));
  context.after(async () => {
    await gateway.close();
    removeDirectory(home);
  });
  const connections = gateway.catalogue.connections as Connection[];
  const at = connections.findIndex(({ id }) => id === 'draw');
  const [connection] = connections.slice(at, at + 1);
  assert.ok(connection);
  connections[at] = { ...connection, provider: drawing };
  const ask = async (path: string, body: object, headers: Record<string, string> = {}, caller = 'ann') => {
    const answer = await fetch(`${gateway.url}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer key-of-${caller}-0123456`, ...headers },
      body: JSON.stringify(body),
    });
    const told = (await answer.json()) as Told;
    return { status: answer.status, told, headers: answer.headers };
  };
  return { acts, ask };
}

test('a picture of a grid is varied and enlarged where it was made, once per request', async (context) => {
  const { acts, ask } = await serving(context);
  const first = await ask('images/generations', { model: 'draw/grid', prompt: 'a red fox' });
  assert.equal(first.status, 200, JSON.stringify(first.told));
  const generation = first.told.onetake?.generation;

  const key = { 'idempotency-key': 'v3' };
  const varied = await ask('images/variations', { generation, index: 3 }, key);
  assert.deepEqual([varied.status, varied.told.data?.length], [200, 1]);
  const again = await ask('images/variations', { generation, index: 3 }, key);
  assert.deepEqual([again.status, again.headers.get('idempotent-replayed')], [200, 'true']);
  const other = await ask('images/variations', { generation, index: 4 }, key);
  assert.deepEqual([other.status, other.told.error?.code], [422, 'idempotency_mismatch']);

  const enlarged = await ask('images/upscales', { generation, index: 2, model: 'draw/grid' }, { prefer: 'wait=20' });
  assert.equal(enlarged.status, 200);
  const onward = await ask(
    'images/variations',
    { generation: varied.told.onetake?.generation },
    { prefer: 'respond-async' },
  );
  assert.equal(onward.status, 202);
  while (acts.length < 4) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(acts, [
    { action: 'generate', prompt: 'a red fox' },
    { action: 'variation', job: 'j1', index: 3 },
    { action: 'upscale', job: 'j1', index: 2 },
    { action: 'variation', job: 'j2', index: 1 },
  ]);
});

test('what cannot be gone on from is refused with what to do instead, and nothing is sent', async (context) => {
  const { acts, ask } = await serving(context);
  const made = async (model: string) => {
    const { told } = await ask('images/generations', { model, prompt: 'a red fox' });
    return told.onetake?.generation;
  };
  const [grid, once, flat] = [await made('draw/grid'), await made('draw/once'), await made('draw/flat')];
  const sent = acts.length;
  const foreign = await ask('images/variations', { generation: grid }, {}, 'bob');
  assert.deepEqual([foreign.status, foreign.told.error?.param], [404, 'generation']);
  const beyond = await ask('images/variations', { generation: grid, index: 5 });
  assert.deepEqual([beyond.status, beyond.told.error?.param], [400, 'index']);
  for (const generation of [once, flat]) {
    const { status, told } = await ask('images/upscales', { generation });
    assert.deepEqual([status, told.error?.code], [400, 'capability_missing']);
    assert.match(told.error?.message ?? '', /\/v1\/images\/edits/);
  }
  assert.equal(acts.length, sent);
});
