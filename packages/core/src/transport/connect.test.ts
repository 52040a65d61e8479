import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type LookupFunction } from 'node:net';
import { test } from 'node:test';
import { type Io, type SendOptions, TransportError } from '../io.ts';
import { systemIo } from '../system-io.ts';
import { answerOk, get, loopback, recorder, sendOptions, TEST_CERTIFICATE } from '../testing/loopback.ts';

/** Sends a GET that must fail before anything was started, and returns its error. */
async function failToConnect(io: Io, url: string, overrides: Partial<SendOptions> = {}): Promise<TransportError> {
  const receiver = recorder();
  const error = await io.send(get(url), receiver, sendOptions(overrides)).then(
    () => assert.fail('the exchange succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TransportError);
  assert.equal(error.phase, 'unsent');
  assert.equal(receiver.started, 0);
  return error;
}

const resolvesTo =
  (address: string): LookupFunction =>
  (_hostname, _options, callback) =>
    callback(null, [{ address, family: 4 }]);

async function elapsed(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

test('connection refused', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const error = await failToConnect(systemIo(), `http://127.0.0.1:${port}/`);
  assert.equal(error.code, 'ECONNREFUSED');
});

test('a name that does not resolve', async () => {
  const error = await failToConnect(systemIo(), 'http://name.invalid/');
  assert.match(error.code, /^(ENOTFOUND|EAI_AGAIN)$/);
});

test('a URL that is none, and one that is not HTTP', async () => {
  assert.equal((await failToConnect(systemIo(), 'nonsense')).code, 'ERR_INVALID_URL');
  assert.equal((await failToConnect(systemIo(), 'ftp://127.0.0.1/')).code, 'UNSUPPORTED_PROTOCOL');
});

test('the connect clock covers DNS and is exact', async () => {
  const io = systemIo({ lookup: () => {} });
  let error: TransportError | undefined;
  const tookMs = await elapsed(
    failToConnect(io, 'http://slow.example/', { connectTimeoutMs: 120 }).then((reason) => {
      error = reason;
    }),
  );
  assert.equal(error?.code, 'CONNECT_TIMEOUT');
  assert.ok(tookMs >= 119 && tookMs < 400, `took ${tookMs} ms`);
});

test('a TLS handshake that hangs runs into the connect clock and frees its socket', async (context) => {
  const server = await loopback(context, () => {});
  const url = server.url.replace('http', 'https');
  const error = await failToConnect(systemIo(), url, { connectTimeoutMs: 80 });
  assert.equal(error.code, 'CONNECT_TIMEOUT');
  await server.emptied();
});

test('a reset during the TLS handshake', async (context) => {
  const server = await loopback(context, (socket) => socket.once('data', () => socket.resetAndDestroy()));
  const error = await failToConnect(systemIo(), server.url.replace('http', 'https'));
  assert.equal(error.code, 'ECONNRESET');
  assert.equal(error.certificate, false);
});

test('a peer that does not speak TLS is no certificate fault', async (context) => {
  const server = await loopback(context, (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')));
  const error = await failToConnect(systemIo(), server.url.replace('http', 'https'));
  assert.equal(error.certificate, false);
});

test('a self-signed certificate, one for another name, and a trusted one', async (context) => {
  const server = await loopback(context, answerOk, { tls: true });
  const untrusted = await failToConnect(systemIo(), server.url);
  assert.equal(untrusted.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  assert.equal(untrusted.certificate, true);

  const io = systemIo({ ca: TEST_CERTIFICATE, lookup: resolvesTo('127.0.0.1') });
  const misnamed = await failToConnect(io, `https://other.example:${server.port}/`);
  assert.equal(misnamed.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  assert.equal(misnamed.certificate, true);

  const receiver = recorder();
  await io.send(get(server.url), receiver, sendOptions());
  assert.equal(receiver.text(), 'ok');
  await io.close();
});

for (const hangUp of ['resetAndDestroy', 'end'] as const) {
  test(`${hangUp} right after the accept is seen before the first byte is written`, async (context) => {
    const server = await loopback(context, (socket) => void socket[hangUp]());
    for (let round = 0; round < 20; round += 1) {
      assert.equal((await failToConnect(systemIo(), server.url)).code, 'ECONNRESET');
    }
  });
}

test('an abort before the start touches no network', async () => {
  const io = systemIo({ lookup: () => assert.fail('looked up') });
  const error = await failToConnect(io, 'http://a.example/', { signal: AbortSignal.abort() });
  assert.equal(error.code, 'ABORTED');
});

test('an abort while connecting rejects at once and frees the socket', async (context) => {
  const abort = new AbortController();
  const server = await loopback(context, () => setImmediate(() => abort.abort()));
  const failing = failToConnect(systemIo(), server.url.replace('http', 'https'), { signal: abort.signal });
  const tookMs = await elapsed(failing);
  assert.equal((await failing).code, 'ABORTED');
  assert.ok(tookMs < 500, `took ${tookMs} ms`);
  await server.emptied();
});

test('public reach denies literals and what names resolve to, and tells no address', async (context) => {
  const server = await loopback(context, answerOk);
  const denied = ['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost', '169.254.169.254'];
  for (const host of denied) {
    const error = await failToConnect(systemIo(), `http://${host}:${server.port}/`, { reach: 'public' });
    assert.equal(error.code, 'ADDRESS_DENIED', host);
  }
  const renamed = systemIo({ lookup: resolvesTo('127.0.0.1') });
  const error = await failToConnect(renamed, `http://rebinding.example:${server.port}/`, { reach: 'public' });
  assert.equal(error.code, 'ADDRESS_DENIED');
  assert.doesNotMatch(error.message, /127\.0\.0\.1/);
  assert.equal(server.accepted(), 0);
});

test('a connection made without the check is not lent to a request that needs it', async (context) => {
  const server = await loopback(context, answerOk);
  const io = systemIo();
  await io.send(get(server.url), recorder(), sendOptions());
  assert.equal((await failToConnect(io, server.url, { reach: 'public' })).code, 'ADDRESS_DENIED');
  await io.close();
});
