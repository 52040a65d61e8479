/** A provider's name, its key and its models, as a user writes them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { IMITATED, imitationOf } from '../../packages/gateway/src/config/imitations.ts';
import { call } from '../rig/call.ts';
import { removeDirectory, temporaryDirectory } from '../rig/directories.ts';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';
import { readLedger } from '../rig/ledger.ts';

suite('names', () => {
  let gateway: RunningGateway;
  before(async () => {
    const entries = IMITATED.map((kind) => `  ${kind}: {base_url: sandbox}`);
    gateway = await startGateway({ yaml: ['providers:', ...entries, ''].join('\n') });
  });
  after(() => gateway?.close());

  const ask = (model: string) => call(`${gateway.url}/v1/images/generations`, { body: { model, prompt: 'a red fox' } });

  for (const [typo, meant] of [
    ['bfl/flux-2-por', 'bfl/flux-2-pro'],
    ['stability/cor', 'stability/core'],
    ['google/gemini-3.1-flsh-image', 'google/gemini-3.1-flash-image'],
    ['blf/flux-2-pro', 'bfl'],
  ] as const) {
    test(`${typo} is a 404 that asks whether ${meant} was meant, and never a call`, async () => {
      const { status, body, text } = await ask(typo);
      assert.deepEqual([status, body.error?.code], [404, 'model_not_found'], text);
      assert.ok(body.error?.message.includes(meant), text);
      assert.equal((await readLedger(gateway.sandboxUrl)).total.requests, 0);
    });
  }

  test('the sandbox has every imitation where the gateway looks for it, and no other', async () => {
    const { body } = await call(`${gateway.sandboxUrl}/protocols`);
    const told = (body.protocols as readonly { base_url: string }[]).map(({ base_url }) => base_url);
    const sought = new Set(IMITATED.map((kind) => `${gateway.sandboxUrl}${imitationOf(kind)}`));
    assert.deepEqual([...sought].toSorted(), told.toSorted());
  });
});

test('a provider that the sandbox cannot play is a fault at the start, which names those it can', async () => {
  const started = startGateway({ yaml: 'providers: {luma: {base_url: sandbox}}\n' });
  await assert.rejects(started, /providers\.luma\.base_url: expected one of openai, .* to be played by the sandbox/);
});

suite('BFL_API_KEY_FILE', () => {
  let server: Server;
  let gateway: RunningGateway;
  const home = temporaryDirectory();
  const keys: unknown[] = [];

  before(async () => {
    server = createServer((request, response) => {
      keys.push(request.headers['x-key']);
      response.writeHead(402, { 'content-type': 'application/json' }).end('{"detail": "Insufficient credits."}');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    writeFileSync(join(home, 'key'), 'key-from-a-file\n');
    const env = { BFL_API_KEY_FILE: join(home, 'key'), ONETAKE_BFL_BASE_URL: `http://127.0.0.1:${address.port}` };
    gateway = await startGateway({ env });
  });
  after(async () => {
    await gateway?.close();
    server.closeAllConnections();
    server.close();
    removeDirectory(home);
  });

  test('names the file whose key the provider is sent', async () => {
    const { status } = await call(`${gateway.url}/v1/images/generations`, {
      body: { model: 'bfl/flux-2-pro', prompt: 'a red fox' },
    });
    assert.deepEqual([status, keys], [402, ['key-from-a-file']]);
  });
});
