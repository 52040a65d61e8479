import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readGatewayFacts, usualGateway } from './gateway-facts.ts';
import { openWorld } from './open-world.ts';
import { answer, badly, TODAY, well, wellIo } from './testing/well-io.ts';
import type { DoctorRequest } from './world.ts';

const URL = 'http://127.0.0.1:8484';
const ADMIN = { authorization: 'Bearer of-admin' };
const APP = { authorization: 'Bearer of-app' };

/** A gateway that answers by path, and who asked it for what. */
function gateway(answers: Readonly<Record<string, unknown>>) {
  const asked: DoctorRequest[] = [];
  const io = wellIo({
    fetch: async (request) => {
      asked.push(request);
      const path = request.url.slice(URL.length).split('?', 1)[0] ?? '';
      return well(path in answers ? answer(200, answers[path]) : answer(403, { error: {} }));
    },
  });
  return { io, asked };
}

const LIVE = { '/health/live': { status: 'live' }, '/health/ready': { status: 'ready' } };

test('an administrator is told use, keys with what is used of them, and what is open', async () => {
  const { io, asked } = gateway({
    ...LIVE,
    '/v1/costs': { data: [{ model: 'openai/gpt-image-1.5', key: 'app', requests: 412, spent_usd: 8.24, unpriced: 1 }] },
    '/v1/generations': { data: [{}, {}] },
    '/v1/webhooks': { data: [{ settled_at: TODAY - 1_000 }, { settled_at: TODAY - 8 * 86_400_000 }] },
    '/v1/keys': {
      data: [
        { name: 'app', status: 'usable', expires_at: null, budget: { usd: 5, per: 'day' }, images: null },
        { name: 'old', status: 'revoked', expires_at: TODAY, budget: null, images: null, browser: null },
        { name: 'page', status: 'usable', expires_at: TODAY, browser: { origins: ['https://app.example'] } },
      ],
    },
    '/v1/keys/app': { windows: [{ unit: 'usd', most: 5, spent: 4, held: 0.5 }] },
  });
  const facts = await readGatewayFacts({ url: URL, headers: ADMIN, callers: [APP] }, io);
  assert.equal(facts?.isReady, true);
  assert.deepEqual([facts.unknown, facts.webhooksGivenUp, facts.isUnheard], [2, 1, undefined]);
  const [row] = facts.use ?? [];
  assert.deepEqual(row?.group, { model: 'openai/gpt-image-1.5', key: 'app' });
  assert.deepEqual([row?.requests, row?.spentMicroUsd, row?.unpriced], [412, 8_240_000, 1]);
  assert.deepEqual(facts.keys, [
    { name: 'app', isRevoked: false, budget: { microUsd: 5_000_000, usedMicroUsd: 4_500_000, per: 'day' } },
    { name: 'old', isRevoked: true, expiresAt: TODAY },
    { name: 'page', isRevoked: false, isBrowser: true, expiresAt: TODAY },
  ]);
  // Webhooks are told to their own callers alone.
  assert.deepEqual(asked.find(({ url }) => url.includes('/v1/webhooks'))?.headers, APP);
});

test('a gateway that tells nothing is a gateway all the same', async () => {
  const facts = await readGatewayFacts({ url: URL, headers: APP, callers: [APP] }, gateway(LIVE).io);
  assert.deepEqual([facts?.isReady, facts?.isUnheard, facts?.use, facts?.keys], [true, true, undefined, undefined]);
});

test('another program at the port, or nobody, is no gateway, and gets no key', async () => {
  const stranger = gateway({ '/health/live': { ok: true } });
  assert.equal(await readGatewayFacts({ url: URL, headers: ADMIN, callers: [APP] }, stranger.io), undefined);
  assert.deepEqual(
    stranger.asked.map(({ headers }) => headers),
    [undefined],
  );
  const nobody = wellIo({ fetch: async () => badly('ECONNREFUSED') });
  assert.equal(await readGatewayFacts({ url: URL, headers: ADMIN, callers: [APP] }, nobody), undefined);
});

test('the keys of this machine go to this machine alone', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'doctor-facts-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const made = `sk-onetake-${'a'.repeat(43)}`;
  await writeFile(join(dir, 'admin.key'), `${made}\n`, { mode: 0o600 });
  const at = (env: Readonly<Record<string, string>>) =>
    usualGateway(openWorld({ env: { ONETAKE_DATA: dir, ...env }, cwd: dir, io: wellIo() }));
  assert.deepEqual(await at({}), { url: URL, headers: { authorization: `Bearer ${made}` }, callers: [{}] });
  const far = { ONETAKE_URL: 'https://images.example/v1', ONETAKE_API_KEYS: 'app:key-of-app' };
  assert.deepEqual(await at(far), { url: 'https://images.example', headers: {}, callers: [{}] });
  assert.equal(await at({ ONETAKE_PORT: '0' }), undefined);
  const listed = await at({ ONETAKE_HOST: '0.0.0.0', ONETAKE_API_KEYS: 'app:key-of-app,web:key-of-web' });
  assert.equal(listed?.url, URL);
  assert.deepEqual(listed.callers, [{ authorization: 'Bearer key-of-app' }, { authorization: 'Bearer key-of-web' }]);
});
