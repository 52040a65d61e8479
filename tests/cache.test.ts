/** What was made once is not paid for again by who wants the same, and only by them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type Answer, generate } from './rig/call.ts';
import { ONETAKE, type RunningGateway, startGateway } from './rig/gateway.ts';
import { chargesByPrompt, readLedger } from './rig/ledger.ts';
import { type SeededServer, startSeededServer } from './rig/seeded-server.ts';

const yamlOf = (url: string) => `
providers:
  lab: { kind: openai-compatible, base_url: '${url}', key_env: LAB_KEY }
models:
  lab/paint: { operations: [generate], max_images_per_call: 1, max_seed: 4294967295, price: { per_image_usd: 0.02 } }
routes:
  kept: { targets: [sandbox/ok], cache: on }
  other: { targets: [sandbox/ok] }
`;
const ENV = { LAB_KEY: 'lab-secret-key', ONETAKE_API_KEYS: 'ann:ann-key-1,bob:bob-key-1' };
const ON = { 'x-onetake-cache': 'on' };
const OFF = { 'x-onetake-cache': 'off' };
const by = (name: string) => ({ authorization: `Bearer ${name}-key-1` });

let server: SeededServer;
let gateway: RunningGateway;
before(async () => {
  server = await startSeededServer();
  gateway = await startGateway({ yaml: yamlOf(server.url), env: ENV });
});
after(async () => {
  await gateway?.close();
  server?.close();
});

function ask(fields: object, headers: Readonly<Record<string, string>> = ON): Promise<Answer> {
  return generate(gateway.url, { model: 'sandbox/ok', ...fields }, { headers: { ...by('ann'), ...headers } });
}

async function charged(prompt: string): Promise<number> {
  return chargesByPrompt(await readLedger(gateway.sandboxUrl)).get(prompt) ?? 0;
}

const stateOf = ({ headers }: Answer) => headers['x-onetake-cache'];
const priceOf = ({ body }: Answer) => body.onetake?.price_usd;

test('the second of two equal requests is a hit, for nothing', async () => {
  const one = await ask({ prompt: 'a red fox' });
  const two = await ask({ prompt: 'a red fox' });
  assert.deepEqual([one, two].map(stateOf), ['miss', 'hit'], two.text);
  assert.deepEqual([one, two].map(priceOf), [0.04, 0]);
  assert.deepEqual(two.body.data, one.body.data);
  assert.deepEqual([two.body.onetake?.cache, two.body.onetake?.attempts], ['hit', 0]);
  for (const name of ['x-onetake-generation', 'x-onetake-cache-key', 'x-onetake-provider', 'x-onetake-model'])
    assert.equal(two.headers[name], one.headers[name], name);
  assert.equal(await charged('a red fox'), 1);
});

test('a hit is handed over as it was asked for: as links, as a stream', async () => {
  const one = await ask({ prompt: 'a fox in pieces' });
  const linked = await ask({ prompt: 'a fox in pieces', response_format: 'url' });
  assert.equal(stateOf(linked), 'hit');
  assert.match(String(linked.body.data?.[0]?.url), /\/v1\/assets\/[0-9a-f]{64}\.png$/);
  const streamed = await ask({ prompt: 'a fox in pieces', stream: true });
  assert.equal(stateOf(streamed), 'hit');
  assert.match(streamed.text, /^event: image_generation.completed\n/);
  assert.ok(streamed.text.includes(String(one.body.data?.[0]?.b64_json)));
  assert.equal(await charged('a fox in pieces'), 1);
});

test('another caller, or one that asks for anything else, gets a picture of its own', async () => {
  const prompt = 'a private fox';
  await ask({ prompt });
  const others = [
    await ask({ prompt }, { ...ON, ...by('bob') }),
    await ask({ prompt, size: '48x64' }),
    await ask({ prompt, quality: 'low' }),
    await ask({ prompt, seed: 7 }),
    await ask({ prompt, output_format: 'jpeg' }),
    await ask({ prompt, model: 'sandbox/ok,ok' }),
  ];
  assert.deepEqual(
    others.map(stateOf),
    others.map(() => 'miss'),
  );
  assert.equal(await charged(prompt), 1 + others.length);
  assert.equal(stateOf(await ask({ prompt: `${prompt}!` })), 'miss');
});

test('fifty equal requests at once are one picture', async () => {
  const fields = { model: 'sandbox/slow:1', prompt: 'a fox for fifty' };
  const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => ask({ ...fields, stream: at % 10 === 0 })));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(answers.filter((one) => stateOf(one) === 'miss').length, 1);
  assert.ok(answers.filter((one) => stateOf(one) === 'shared').length >= 40);
  assert.equal(new Set(answers.map(({ headers }) => headers['x-onetake-generation'])).size, 1);
  const prices = answers.filter(({ text }) => text.startsWith('{')).map((one) => [stateOf(one), priceOf(one)]);
  for (const [state, price] of prices) assert.equal(price, state === 'miss' ? 0.04 : 0);
  assert.equal(await charged('a fox for fifty'), 1);
});

test('who began it and leaves takes nothing from those who share it', async () => {
  const fields = { model: 'sandbox/slow:2', prompt: 'a fox left early' };
  const headers = { ...by('ann'), ...ON, 'x-onetake-on-disconnect': 'cancel' };
  const left = assert.rejects(generate(gateway.url, fields, { headers, timeoutMs: 1_000 }), { name: 'AbortError' });
  await new Promise((resolve) => setTimeout(resolve, 400));
  const shared = await ask(fields);
  await left;
  assert.deepEqual([shared.status, stateOf(shared)], [200, 'shared']);
  assert.equal(await charged('a fox left early'), 1);
});

test('a route turns it on, and the request’s own word wins', async () => {
  const prompt = 'a fox on a route';
  assert.equal(stateOf(await ask({ model: 'kept', prompt }, {})), 'miss');
  assert.equal(stateOf(await ask({ model: 'kept', prompt }, {})), 'hit');
  assert.equal(stateOf(await ask({ model: 'kept', prompt }, OFF)), undefined);
  // What two routes send a target is one request to it.
  assert.equal(stateOf(await ask({ model: 'other', prompt }, ON)), 'hit');
  assert.equal(stateOf(await ask({ model: 'other', prompt }, {})), undefined);
  assert.equal(await charged(prompt), 3);
});

test('a seed that the caller gave asks for the same again, a drawn one does not', async () => {
  const seeded = { model: 'lab/paint', prompt: 'a seeded fox', size: undefined, seed: 5 };
  const states = [await ask(seeded, {}), await ask(seeded, {}), await ask(seeded, OFF)].map(stateOf);
  assert.deepEqual(states, ['miss', 'hit', undefined]);
  assert.equal(stateOf(await ask({ ...seeded, seed: undefined }, {})), undefined);
  // Nobody knows that this model takes seeds.
  assert.equal(stateOf(await ask({ prompt: 'a hopeful fox', seed: 5 }, {})), undefined);
});

test('making a generation once more makes it', async () => {
  const { headers } = await ask({ model: 'kept', prompt: 'a fox once more' }, {});
  const url = `${gateway.url}/v1/generations/${headers['x-onetake-generation']}/regenerate`;
  const again = await fetch(url, { method: 'POST', headers: by('ann') });
  assert.deepEqual([again.status, again.headers.get('x-onetake-cache')], [200, null]);
  await again.body?.cancel();
  assert.equal(await charged('a fox once more'), 2);
});

test('a failure is told and not kept', async () => {
  const fields = { model: 'sandbox/400,ok', prompt: 'an unlucky fox' };
  const [failed, made, hit] = [await ask(fields), await ask(fields), await ask(fields)];
  assert.deepEqual([failed.status, stateOf(failed)], [400, 'miss'], failed.text);
  assert.deepEqual([made.status, stateOf(made)], [200, 'miss']);
  assert.deepEqual([hit.status, stateOf(hit)], [200, 'hit']);
});

test('an Idempotency-Key repeats what it was told first', async () => {
  const headers = { ...ON, 'idempotency-key': 'fox-1' };
  const one = await ask({ prompt: 'a patient fox' }, headers);
  const two = await ask({ prompt: 'a patient fox' }, headers);
  assert.deepEqual([two.headers['idempotent-replayed'], two.text], ['true', one.text]);
});

test('a restart keeps what is cached', async () => {
  const one = await ask({ prompt: 'a lasting fox' });
  const { home } = gateway;
  await gateway.end();
  gateway = await startGateway({ home, yaml: yamlOf(server.url), env: ENV });
  const two = await ask({ prompt: 'a lasting fox' });
  assert.deepEqual([stateOf(two), two.body.data], ['hit', one.body.data]);
});

test('another server behind the same name is another picture', async () => {
  const fields = { model: 'lab/paint', prompt: 'a fox of this server', size: undefined, seed: 1 };
  assert.deepEqual([await ask(fields), await ask(fields)].map(stateOf), ['miss', 'hit']);
  const moved = await startSeededServer();
  const { home } = gateway;
  await gateway.end();
  gateway = await startGateway({ home, yaml: yamlOf(moved.url), env: ENV });
  const elsewhere = await ask(fields);
  moved.close();
  assert.deepEqual([stateOf(elsewhere), moved.asked.length], ['miss', 1]);
});

test('the command line shows what is cached, and clears it', async () => {
  await ask({ prompt: 'a counted fox' });
  await ask({ prompt: 'a counted fox' });
  const env = { ...process.env, ONETAKE_URL: gateway.url, ONETAKE_API_KEY: 'ann-key-1' };
  const onetake = async (...args: readonly string[]) => {
    const command = ['--conditions=onetake-source', ONETAKE, 'cache', ...args];
    return (await promisify(execFile)(process.execPath, command, { cwd: gateway.home, env })).stdout;
  };
  const shown = await onetake('stats');
  assert.match(shown, /^\d+ results?, .+ of 1.0 GB; \d+ hits?, \$[\d.]+ saved$/m);
  assert.match(shown, /^sandbox\/ok /m);
  const before = JSON.parse(await onetake('stats', '--json'));
  assert.ok(before.entries > 1 && before.hits > 0 && before.saved_usd > 0, shown);
  assert.deepEqual(JSON.parse(await onetake('clear', '--json')).entries, before.entries);
  assert.match(await onetake(), /nothing is cached/);
  assert.equal(stateOf(await ask({ prompt: 'a counted fox' })), 'miss');
  // What bob has is bob's.
  const own = await generate(
    gateway.url,
    { model: 'sandbox/ok', prompt: 'a private fox' },
    { headers: { ...by('bob'), ...ON } },
  );
  assert.equal(stateOf(own), 'hit');
});
