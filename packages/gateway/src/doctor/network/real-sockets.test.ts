import assert from 'node:assert/strict';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { openWorld } from '../open-world.ts';
import { realIo } from '../real-io.ts';
import { LOCAL } from './local.ts';
import { REACH } from './reach.ts';
import { makeCertificate } from './testing/make-certificate.ts';

const DAY_MS = 86_400_000;
const NOW = Date.now();

const open: Server[] = [];
after(() => {
  for (const server of open) server.close();
});

async function portOf(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function closedPort(): Promise<number> {
  const server = createTcp();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function look(baseUrl: string, check = REACH, id = 'MYLAB') {
  const env = { [`ONETAKE_${id}_BASE_URL`]: baseUrl };
  return check.run(openWorld({ env, cwd: '/', io: realIo({ timeoutMs: 2_000 }), timeoutMs: 5_000 }));
}

const AUTHORITY = makeCertificate({
  name: 'doctor test authority',
  validFrom: NOW - 100 * DAY_MS,
  validTo: NOW + 100 * DAY_MS,
  isAuthority: true,
});
tls.setDefaultCACertificates([...tls.getCACertificates('default'), AUTHORITY.cert]);

async function tlsPort(validFrom: number, validTo: number, issuer?: typeof AUTHORITY): Promise<number> {
  const { cert, key } = makeCertificate({ name: 'doctor test', validFrom, validTo, ...(issuer && { issuer }) });
  return portOf(tls.createServer({ cert, key }, (socket) => socket.end()));
}

test('a port that refuses', async () => {
  const [found] = await look(`http://127.0.0.1:${await closedPort()}/v1`);
  assert.equal(found?.id, 'reach.refused');
});

test('a name that nobody has', async () => {
  const [found] = await look('https://doctor.invalid/v1');
  assert.ok(found?.id === 'reach.unknown-name' || found?.id === 'reach.no-dns', `${found?.id}`);
});

test('a server that is reached', async () => {
  const [found] = await look(`http://127.0.0.1:${await portOf(createTcp((socket) => socket.end()))}/v1`);
  assert.equal(found?.id, 'reach.ok');
});

test('a certificate that signs itself', async () => {
  const [found] = await look(`https://127.0.0.1:${await tlsPort(NOW - DAY_MS, NOW + 90 * DAY_MS)}/v1`);
  assert.equal(found?.id, 'reach.self-signed');
  assert.match(found?.message ?? '', /doctor test/);
});

test('an expired certificate, one of the future, one that expires soon, and a good one', async () => {
  const cases = [
    ['reach.expired', NOW - 90 * DAY_MS, NOW - 2 * DAY_MS],
    ['reach.not-yet-valid', NOW + 2 * DAY_MS, NOW + 90 * DAY_MS],
    ['reach.expires-soon', NOW - 80 * DAY_MS, NOW + 5 * DAY_MS],
    ['reach.ok', NOW - DAY_MS, NOW + 90 * DAY_MS],
  ] as const;
  for (const [id, validFrom, validTo] of cases) {
    const [found] = await look(`https://127.0.0.1:${await tlsPort(validFrom, validTo, AUTHORITY)}/v1`);
    assert.equal(found?.id, id, `${found?.message}`);
  }
});

test('https where http is spoken', async () => {
  const server = createTcp((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
  const [found] = await look(`https://127.0.0.1:${await portOf(server)}/v1`);
  assert.equal(found?.id, 'reach.no-tls');
});

test('a ComfyUI that does not run, and one that does', async () => {
  const [stopped] = await look(`http://127.0.0.1:${await closedPort()}`, LOCAL, 'COMFYUI');
  assert.equal(stopped?.id, 'local.not-running');
  const server = createHttp((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(request.url === '/system_stats' ? '{"devices": []}' : '["sd_xl_base_1.0.safetensors"]');
  });
  const [running] = await look(`http://127.0.0.1:${await portOf(server)}`, LOCAL, 'COMFYUI');
  assert.equal(running?.id, 'local.ok', `${running?.message}`);
});
