import assert from 'node:assert/strict';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Asset, createIntake } from '@onetake/core';
import Fastify from 'fastify';
import { type DiskAssets, openDiskAssets } from '../assets/disk.ts';
import { testPng } from '../testing/pictures.ts';
import { serveAsset } from './assets.ts';
import { problemBody, problemHeaders, requestProblemOf } from './problem.ts';

async function served(context: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'onetake-assets-'));
  const assets = await openDiskAssets(directory);
  const app = Fastify({ forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) => {
    const problem = requestProblemOf(error, 0);
    assert.ok(problem, String(error));
    return reply.code(problem.status).headers(problemHeaders(problem)).send(problemBody(problem, 'r'));
  });
  app.get('/v1/assets/:name', serveAsset(assets));
  context.after(async () => {
    await app.close();
    await rm(directory, { recursive: true });
  });
  return { assets, app, directory };
}

async function store(assets: DiskAssets, bytes: Buffer): Promise<Asset> {
  const intake = createIntake(assets);
  const blob = intake.openBlob();
  await blob.write(bytes);
  const settled = await intake.settle(blob.end());
  assert.ok(settled.ok, JSON.stringify(settled));
  return settled.asset;
}

const PNG = testPng();

test('a picture is served with its type, its length and for ever, and cannot run', async (context) => {
  const { assets, app } = await served(context);
  const { hash } = await store(assets, PNG);
  const answer = await app.inject(`/v1/assets/${hash}.png`);
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(answer.rawPayload, PNG);
  const { headers } = answer;
  assert.equal(headers['content-type'], 'image/png');
  assert.equal(headers['content-length'], String(PNG.length));
  assert.equal(headers.etag, `"${hash}"`);
  assert.match(String(headers['cache-control']), /immutable/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['content-security-policy'], "sandbox; default-src 'none'");
  assert.equal(headers['content-disposition'], undefined);
  const head = await app.inject({ method: 'HEAD', url: `/v1/assets/${hash}.png` });
  assert.deepEqual([head.statusCode, head.headers['content-length'], head.body], [200, String(PNG.length), '']);
});

test('an SVG is a download', async (context) => {
  const { assets, app } = await served(context);
  const { hash } = await store(
    assets,
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4"/></svg>'),
  );
  const { headers } = await app.inject(`/v1/assets/${hash}.svg`);
  assert.equal(headers['content-type'], 'image/svg+xml');
  assert.equal(headers['content-disposition'], `attachment; filename="${hash}.svg"`);
  assert.match(String(headers['content-security-policy']), /^sandbox; default-src 'none'; style-src/);
});

test('who has it already is told so', async (context) => {
  const { assets, app } = await served(context);
  const { hash } = await store(assets, PNG);
  const status = async (tag: string) =>
    (await app.inject({ url: `/v1/assets/${hash}.png`, headers: { 'if-none-match': tag } })).statusCode;
  assert.deepEqual(await Promise.all([`"${hash}"`, `W/"${hash}", "x"`, '*', '"x"'].map(status)), [304, 304, 304, 200]);
});

test('a single range is honoured, one outside is 416, anything else asks for everything', async (context) => {
  const { assets, app } = await served(context);
  const { hash } = await store(assets, PNG);
  const size = PNG.length;
  const get = (range: string, more = {}) => app.inject({ url: `/v1/assets/${hash}.png`, headers: { range, ...more } });
  const parts: [string, number, number][] = [
    ['bytes=0-0', 0, 0],
    ['bytes=5-9', 5, 9],
    ['bytes=5-', 5, size - 1],
    ['bytes=-3', size - 3, size - 1],
    ['bytes=2-999999', 2, size - 1],
    ['bytes=-999999', 0, size - 1],
  ];
  for (const [range, start, end] of parts) {
    const answer = await get(range);
    assert.equal(answer.statusCode, 206, range);
    assert.equal(answer.headers['content-range'], `bytes ${start}-${end}/${size}`);
    assert.equal(answer.headers['content-length'], String(end - start + 1));
    assert.deepEqual(answer.rawPayload, PNG.subarray(start, end + 1));
  }
  for (const range of [`bytes=${size}-`, 'bytes=-0']) {
    const answer = await get(range);
    assert.deepEqual([answer.statusCode, answer.headers['content-range']], [416, `bytes */${size}`]);
    assert.equal(answer.json().error.code, 'invalid_range');
  }
  for (const range of ['bytes=9-5', 'bytes=-', 'bytes=0-1,3-4', 'pixels=0-1'])
    assert.equal((await get(range)).statusCode, 200, range);
  assert.equal((await get('bytes=0-0', { 'if-range': '"other"' })).statusCode, 200);
  assert.equal((await get('bytes=0-0', { 'if-range': `"${hash}"` })).statusCode, 206);
});

test('a name that is not a stored picture is a 404 in the envelope', async (context) => {
  const { assets, app } = await served(context);
  const { hash } = await store(assets, PNG);
  const names = [
    `${hash}.jpg`,
    `${hash}.jpeg`,
    `${hash}`,
    `${hash.toUpperCase()}.png`,
    `${'0'.repeat(64)}.png`,
    '..%2Fonetake.db',
    `${hash}.constructor`,
  ];
  for (const name of names) {
    const answer = await app.inject(`/v1/assets/${name}`);
    assert.deepEqual([answer.statusCode, answer.json().error.code], [404, 'not_found'], name);
  }
});

test('a hundred callers who hang up leave no file open', async (context) => {
  const { assets, app, directory } = await served(context);
  const big = testPng({ padding: 8_000_000 });
  const { hash } = await store(assets, big);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  for (let call = 0; call < 100; call += 1) await hangUp(Number(new URL(url).port), `/v1/assets/${hash}.png`);
  const answer = await fetch(`${url}/v1/assets/${hash}.png`);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), big);
  for (let tries = 0; tries < 50 && (await openFiles(directory)) > 0; tries += 1) await pause(20);
  assert.equal(await openFiles(directory), 0);
});

/** Reads the first piece of an answer and leaves. */
function hangUp(port: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`));
    socket.once('data', () => socket.destroy());
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });
}

/** Descriptors of this process below `directory`; the kernel's list where there is one. */
async function openFiles(directory: string): Promise<number> {
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  const targets = await Promise.all(descriptors.map((one) => readlink(`/proc/self/fd/${one}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(directory)).length;
}
