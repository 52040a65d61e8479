import assert from 'node:assert/strict';
import {
  createServer,
  type IncomingMessage,
  request as requestHttp,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { FRONT } from '../packages/gateway/src/doctor/network/front.ts';
import { SPEND } from '../packages/gateway/src/doctor/network/spend.ts';
import { THROUGH } from '../packages/gateway/src/doctor/network/through.ts';
import { openWorld } from '../packages/gateway/src/doctor/open-world.ts';
import { realIo } from '../packages/gateway/src/doctor/real-io.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { readLedger } from './rig/ledger.ts';

const THROUGH_MS = 2_500;
const CUT_MS = 900;
const NGINX_PAGE =
  '<html><body><center><h1>504 Gateway Time-out</h1></center><hr><center>nginx/1.27.2</center></body></html>';

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({ yaml: 'providers:\n  bfl: { base_url: sandbox }\n' });
});
after(() => gateway?.close());

type Around = (incoming: IncomingMessage, outgoing: ServerResponse, pass: () => void) => void;

/** A proxy in front of the gateway for as long as `use` takes. */
async function behind<Result>(around: Around, use: (url: string) => Promise<Result>): Promise<Result> {
  const server: Server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    around(incoming, outgoing, () => {
      const onward = requestHttp(`${gateway.url}${url}`, {
        method,
        headers: { ...headers, host: new URL(gateway.url).host },
      });
      onward.on('response', (answer) => {
        if (outgoing.headersSent || outgoing.destroyed) {
          onward.destroy();
          return;
        }
        outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, server: 'nginx' });
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function sendThrough(url: string, env = {}) {
  const options = { through: url, throughMs: THROUGH_MS };
  const world = openWorld({ env, cwd: '/', io: realIo({ timeoutMs: 5_000 }), options, timeoutMs: 5_000 });
  return THROUGH.run(world);
}

const idsOf = (findings: readonly { readonly id: string }[]) => findings.map(({ id }) => id);

test('a proxy that lets everything through is passed whole', async () => {
  const found = await behind((_incoming, _outgoing, pass) => pass(), sendThrough);
  assert.deepEqual(idsOf(found), ['front.ok', 'through.ok', 'through.stream-ok', 'through.body-ok']);
  assert.match(found[1]?.message ?? '', /through nginx/);
});

test('a proxy that gives up is named, with when and which setting', async () => {
  const cuts: Around = (incoming, outgoing, pass) => {
    pass();
    if (!incoming.url?.startsWith('/v1/images/generations')) return;
    setTimeout(() => outgoing.writeHead(504, { server: 'nginx' }).end(NGINX_PAGE), CUT_MS);
  };
  const found = await behind(cuts, sendThrough);
  assert.deepEqual(idsOf(found), ['front.ok', 'through.cut', 'through.stream-cut', 'through.body-ok']);
  const [, cut] = found;
  const ms = Number(cut?.facts?.ms);
  assert.ok(ms >= CUT_MS && ms < THROUGH_MS, `${ms}`);
  assert.match(cut?.message ?? '', /nginx cut .* 504/);
  assert.match(cut?.advice ?? '', /proxy_read_timeout/);
});

test('a reset on the way is told from an answer', async () => {
  const resets: Around = (incoming, _outgoing, pass) => {
    pass();
    if (incoming.url?.startsWith('/v1/images/generations')) setTimeout(() => incoming.socket.resetAndDestroy(), CUT_MS);
  };
  const [, cut] = await behind(resets, sendThrough);
  assert.equal(cut?.id, 'through.cut');
  assert.match(cut?.message ?? '', /the connection was closed/);
});

test('a proxy that takes small bodies alone is named', async () => {
  const limits: Around = (incoming, outgoing, pass) => {
    if (Number(incoming.headers['content-length'] ?? 0) < 1_048_576) pass();
    else outgoing.writeHead(413, { server: 'nginx', connection: 'close' }).end('<center>nginx/1.27.2</center>');
    incoming.resume();
  };
  const found = await behind(limits, sendThrough);
  assert.deepEqual(idsOf(found), ['front.ok', 'through.ok', 'through.stream-ok', 'through.body-limit']);
  assert.match(found[3]?.advice ?? '', /client_max_body_size/);
});

test('a name that the gateway does not know, a redirect, and nobody at home', async () => {
  const named: Around = (incoming, outgoing) => {
    const onward = requestHttp(`${gateway.url}${incoming.url}`, { headers: { host: 'images.example.com' } });
    onward.on('response', (answer) => answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, answer.headers)));
    onward.end();
  };
  assert.deepEqual(idsOf(await behind(named, sendThrough)), ['front.host-refused']);
  const moved: Around = (_incoming, outgoing) =>
    void outgoing.writeHead(301, { location: 'https://images.example.com/health/live' }).end();
  assert.deepEqual(idsOf(await behind(moved, sendThrough)), ['front.redirect']);
  const gone: Around = (_incoming, outgoing) =>
    void outgoing.writeHead(502, { server: 'nginx' }).end('<center>nginx</center>');
  assert.deepEqual(idsOf(await behind(gone, sendThrough)), ['front.no-gateway']);
});

test('the public address is looked at without being asked for', async () => {
  await behind(
    (_incoming, _outgoing, pass) => pass(),
    async (url) => {
      const facts = { url: gateway.url, isReady: true };
      const io = realIo({ timeoutMs: 5_000 });
      const world = openWorld({ env: { ONETAKE_PUBLIC_URL: url }, cwd: '/', io, gateway: facts });
      assert.deepEqual(idsOf(await FRONT.run(world)), ['front.ok']);
    },
  );
});

test('a paid test makes one picture at each provider and says so', async () => {
  const before = (await readLedger(gateway.sandboxUrl)).total.charged;
  const facts = { url: gateway.url, isReady: true };
  // Told to us as a provider of its own, and played by the gateway's sandbox.
  const env = { BFL_API_KEY: 'any' };
  const io = realIo({ timeoutMs: 5_000 });
  const world = openWorld({ env, cwd: '/', io, gateway: facts, options: { spend: true } });
  const [made, ...more] = await SPEND.run(world);
  assert.deepEqual(more, []);
  assert.equal(made?.id, 'spend.made', `${made?.message}`);
  assert.equal((await readLedger(gateway.sandboxUrl)).total.charged, before + 1);
});
