/** When nothing works: a picture that says that it is none of those asked for, and only where that was wanted. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { drawPng } from '../packages/core/src/testing/draw-png.ts';
import { TINY_PNG_BASE64 } from '../packages/core/src/testing/tiny-png.ts';
import { call } from './rig/call.ts';
import { removeDirectory, temporaryDirectory } from './rig/directories.ts';
import { readEvents } from './rig/events.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { type SeededServer, startSeededServer } from './rig/seeded-server.ts';

/** A target for each subject: failures of one would close another's breaker. */
const yamlOf = (url: string) => `
providers:
  lab: { kind: openai-compatible, base_url: '${url}', key_env: LAB_KEY }
routes:
  plain: { targets: [lab/plain], payment: strict }
  shown: { targets: [lab/shown], payment: strict, degrade: { to: [file, placeholder], file: sorry.png } }
  before: { targets: [lab/before], payment: strict, degrade: { to: [stale, similar] } }
  drawn: { targets: [lab/drawn], payment: strict, degrade: { to: [placeholder] } }
  soon: { targets: [lab/soon], payment: strict, degrade: { to: [placeholder] } }
  streamed: { targets: [lab/streamed], payment: strict, degrade: { to: [placeholder] } }
  invalid: { targets: [lab/invalid], degrade: { to: [placeholder] } }
  late: { targets: ['sandbox/slow:1'], degrade: { to: [placeholder] } }
  refused: { targets: [sandbox/policy], degrade: { to: [placeholder] } }
`;
const SORRY = drawPng({ width: 2, height: 1, depth: 8, colour: 2, samples: [[9, 9, 9, 8, 8, 8]], filters: [0] });
const KEYS = 'ann:ann-key-1,bob:bob-key-1';
const by = (name: string) => ({ authorization: `Bearer ${name}-key-1` });

let server: SeededServer;
let gateway: RunningGateway;

before(async () => {
  server = await startSeededServer();
  const home = temporaryDirectory();
  writeFileSync(join(home, 'sorry.png'), SORRY);
  gateway = await startGateway({
    home,
    yaml: yamlOf(server.url),
    env: { LAB_KEY: 'lab-key-1', ONETAKE_API_KEYS: KEYS },
  });
});
beforeEach(() => server.answer(500));
after(async () => {
  await gateway?.close();
  server?.close();
});

interface Degraded {
  readonly kind: string;
  readonly generation?: string;
  readonly failure: { readonly kind: string; readonly code: string; readonly billed: string; readonly status: number };
}

function ask(fields: object, headers: Readonly<Record<string, string>> = {}) {
  const url = `${gateway.url}/v1/images/generations`;
  return call(url, { body: { prompt: 'a fox', ...fields }, headers: { ...by('ann'), ...headers } });
}

const degradedOf = ({ body }: Awaited<ReturnType<typeof ask>>) => body.onetake?.degraded as Degraded | undefined;
const bytesOf = ({ body }: Awaited<ReturnType<typeof ask>>) => Buffer.from(body.data?.[0]?.b64_json ?? '', 'base64');
const view = async (id: unknown) => (await call(`${gateway.url}/v1/generations/${id}`, { headers: by('ann') })).body;

test('a failure stays an error where nobody asked for anything else', async () => {
  const { status, body, headers } = await ask({ model: 'plain' });
  assert.deepEqual([status, body.error?.code, headers['x-onetake-degraded']], [424, 'generation_failed', undefined]);
});

test('a route shows its file, marked, and the generation stays failed and honestly priced', async () => {
  const answer = await ask({ model: 'shown' });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['x-onetake-degraded'], 'file (server)');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.deepEqual(bytesOf(answer), SORRY);
  const degraded = degradedOf(answer);
  assert.deepEqual(
    [degraded?.kind, degraded?.failure.code, degraded?.failure.status],
    ['file', 'generation_failed', 424],
  );
  assert.equal(degraded?.failure.billed, 'maybe');
  assert.equal(answer.body.onetake?.possible_charges, 1);
  const stored = await view(answer.body.onetake?.generation);
  assert.deepEqual([stored.status, stored.images], ['failed', []]);
});

test('the request has the last word', async () => {
  const off = await ask({ model: 'shown' }, { 'x-onetake-degrade': 'off' });
  assert.equal(off.status, 424);
  const on = await ask({ model: 'plain', size: '300x200', prompt: 'on' }, { 'x-onetake-degrade': 'on' });
  assert.deepEqual([on.status, degradedOf(on)?.kind], [200, 'placeholder'], on.text);
  const body = await ask({ model: 'plain', prompt: 'on', onetake: { degrade: true } });
  assert.deepEqual([body.status, degradedOf(body)?.kind], [200, 'placeholder'], body.text);
});

test('a placeholder has the size and format asked for, within bounds, as bytes and as a link', async () => {
  const bytes = bytesOf(await ask({ model: 'drawn', size: '640x480' }));
  assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20)], [640, 480]);
  const link = await ask({ model: 'drawn', size: '640x480', response_format: 'url' });
  const picture = await fetch(link.body.data?.[0]?.url ?? '');
  assert.equal(picture.status, 200);
  const hash = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
  assert.equal(hash(await picture.bytes()), hash(bytes));
  const huge = await ask({ model: 'drawn', size: '16000x8000', output_format: 'jpeg' });
  assert.deepEqual([huge.body.size, huge.body.output_format], ['2048x1024', 'jpeg'], huge.text.slice(0, 200));
});

test('what the caller has to change is never covered up', async () => {
  const refused = await ask({ model: 'refused' }, { 'x-onetake-degrade': 'on' });
  assert.deepEqual([refused.status, refused.body.error?.code], [400, 'content_policy_violation'], refused.text);
  server.answer(400);
  const invalid = await ask({ model: 'invalid' });
  assert.equal(invalid.status, 400);
  const unknown = await ask({ model: 'nobody/has-this' }, { 'x-onetake-degrade': 'on' });
  assert.equal(unknown.status, 404);
});

test('the last good picture of the same request stands in, and of the same prompt where that is wanted', async () => {
  server.answer(200);
  const good = await ask({ model: 'before', prompt: 'a harbour' });
  server.answer(500);
  const stale = await ask({ model: 'before', prompt: 'a harbour' });
  assert.deepEqual([degradedOf(stale)?.kind, degradedOf(stale)?.generation], ['stale', good.body.onetake?.generation]);
  assert.equal(stale.body.data?.[0]?.b64_json, TINY_PNG_BASE64);
  const similar = await ask({ model: 'before', prompt: 'a harbour', size: '512x512' });
  assert.deepEqual([similar.status, degradedOf(similar)?.kind], [200, 'similar'], similar.text);
  // Nobody is shown what another caller had made.
  const others = await ask({ model: 'before', prompt: 'a harbour' }, by('bob'));
  assert.equal(others.status, 424);
  const none = await ask({ model: 'before', prompt: 'never made' });
  assert.equal(none.status, 424);
});

test('it is no result: the next request is made, and is not given what stood in', async () => {
  const degraded = await ask({ model: 'soon', prompt: 'soon' });
  assert.equal(degradedOf(degraded)?.kind, 'placeholder');
  server.answer(200);
  const made = await ask({ model: 'soon', prompt: 'soon' });
  assert.equal(made.status, 200);
  assert.deepEqual([degradedOf(made), made.headers['x-onetake-attached']], [undefined, undefined]);
  assert.equal(made.body.data?.[0]?.b64_json, TINY_PNG_BASE64);
});

test('a picture that comes after the clock is for the next identical request', async () => {
  const fields = { model: 'late', prompt: 'a fox that comes late', size: '64x64' };
  const early = await ask(fields, { 'x-onetake-timeout-ms': '300' });
  assert.deepEqual([early.status, early.headers['x-onetake-degraded']], [200, 'placeholder (timeout)'], early.text);
  const late = await ask(fields);
  assert.equal(late.status, 200, late.text);
  assert.equal(late.headers['x-onetake-attached'], early.body.onetake?.generation);
  assert.equal(degradedOf(late), undefined);
});

test('a stream ends with it as its picture', async () => {
  const url = `${gateway.url}/v1/images/generations`;
  const body = { model: 'streamed', prompt: 'a fox that streams', stream: true, size: '64x64' };
  const { status, headers, events } = await readEvents(url, { headers: by('ann'), body });
  const [event] = events;
  assert.deepEqual([status, events.length, event?.type], [200, 1, 'image_generation.completed']);
  assert.equal(headers.get('x-onetake-degraded'), 'placeholder (server)');
  const { onetake, b64_json } = JSON.parse(event?.data ?? '{}');
  assert.deepEqual([onetake.degraded.kind, onetake.degraded.failure.kind], ['placeholder', 'server']);
  assert.equal(Buffer.from(b64_json, 'base64').readUInt32BE(16), 64);
});

test('a task stays failed', async () => {
  const url = `${gateway.url}/v1/images/generations`;
  const headers = { ...by('ann'), prefer: 'respond-async, wait=30' };
  const answer = await call(url, { body: { model: 'soon', prompt: 'a task' }, headers });
  assert.deepEqual([answer.status, answer.headers['x-onetake-degraded']], [424, undefined], answer.text);
});

test('a file that is no picture is a fault at the start', async () => {
  const home = temporaryDirectory();
  writeFileSync(join(home, 'sorry.png'), '<html>');
  const yaml = yamlOf('http://127.0.0.1:9/v1');
  await assert.rejects(
    startGateway({ home, yaml, env: { LAB_KEY: 'lab-key-1' } }),
    /routes\.shown\.degrade\.file: expected a whole picture/,
  );
  removeDirectory(home);
});
