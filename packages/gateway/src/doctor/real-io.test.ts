import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { realIo } from './real-io.ts';

const io = realIo({ timeoutMs: 3_000 });

async function listening(t: TestContext, server: Server = createServer()): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function directory(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'doctor-io-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test('a port that somebody holds cannot be listened at, a free one can', async (t) => {
  const port = await listening(t);
  const held = await io.listen('127.0.0.1', port);
  assert.equal(held.ok || held.code, 'EADDRINUSE');
  assert.deepEqual(await io.listen('127.0.0.1', 0), { ok: true, value: {} });
});

test('a connection is opened and closed, or its error is a value', async (t) => {
  const port = await listening(t);
  assert.equal((await io.connect('127.0.0.1', port)).ok, true);
  const refused = await io.connect('127.0.0.1', 1);
  assert.equal(refused.ok || refused.code, 'ECONNREFUSED');
});

test('an exchange tells status, headers, text and times; a server that is silent runs out of time', async (t) => {
  const server = createHttpServer((request, response) => {
    if (request.url === '/silent') return;
    response.writeHead(418, { 'X-Mark': 'a' }).end('short and stout');
  });
  const port = await listening(t, server);
  const got = await io.fetch({ url: `http://127.0.0.1:${port}/x` });
  assert.ok(got.ok);
  const { status, headers, text, firstByteMs, ms } = got.value;
  assert.deepEqual([status, headers['x-mark'], text], [418, 'a', 'short and stout']);
  assert.ok(firstByteMs <= ms);
  const silent = await io.fetch({ url: `http://127.0.0.1:${port}/silent`, timeoutMs: 50 });
  assert.equal(silent.ok || silent.code, 'TIMEOUT');
  server.closeAllConnections();
});

test('room is told of a directory that is not there yet by its parent', async (t) => {
  const dir = await directory(t);
  const disk = await io.disk(join(dir, 'a', 'b'));
  assert.ok(disk.ok && disk.value.freeBytes > 0 && disk.value.totalBytes >= disk.value.freeBytes);
});

test('writing leaves nothing behind, neither file nor directory', async (t) => {
  const dir = await directory(t);
  assert.equal((await io.write(join(dir, 'a', 'b'))).ok, true);
  assert.equal((await io.write(dir)).ok, true);
  assert.deepEqual(await readdir(dir), []);
  await writeFile(join(dir, 'file'), 'x');
  const under = await io.write(join(dir, 'file', 'a'));
  assert.equal(under.ok || under.code, 'ENOTDIR');
});

test('a file is told by kind and mode', async (t) => {
  const dir = await directory(t);
  await chmod(dir, 0o750);
  const found = await io.stat(dir);
  assert.ok(found.ok);
  assert.deepEqual([found.value.kind, found.value.mode], ['directory', 0o750]);
  assert.equal(found.value.ownerId, (await stat(dir)).uid);
  const missing = await io.stat(join(dir, 'none'));
  assert.equal(missing.ok || missing.code, 'ENOENT');
});

test('a database that is not there is told by its code', async () => {
  const answer = await io.database('postgres://user:secret-word@127.0.0.1:1/none');
  assert.equal(answer.ok || answer.code, 'ECONNREFUSED');
  assert.doesNotMatch(JSON.stringify(answer), /secret-word/);
});

test('this process is told as it is', async () => {
  const { nodeVersion, maxOpenFiles = 1_024 } = await io.process();
  assert.equal(nodeVersion, process.versions.node);
  assert.ok(maxOpenFiles > 0);
});
