/** A seed for every picture that can have one, and the same picture once more by its id. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { TINY_PNG_BASE64 } from '../packages/core/src/testing/tiny-png.ts';
import { call } from './rig/call.ts';
import { ONETAKE, type RunningGateway, startGateway } from './rig/gateway.ts';
import { type SeededServer, startSeededServer } from './rig/seeded-server.ts';

/** What a browser adds to the requests of a page of another origin. */
const PAGE = { origin: 'https://app.example' };

const yamlOf = (url: string) => `
providers:
  lab: { kind: openai-compatible, base_url: '${url}', key_env: LAB_KEY }
models:
  lab/paint:
    operations: [generate, edit]
    size: { kind: list, sizes: ['1024x1024'] }
    max_images_per_call: 1
    max_seed: 4294967295
    references: { max: 4, as: inline }
    price: { per_image_usd: 0.02 }
routes:
  best: { targets: [lab/paint], payment: strict }
cors: { origins: ['${PAGE.origin}'] }
`;

let server: SeededServer;
let gateway: RunningGateway;

before(async () => {
  server = await startSeededServer();
  const env = { LAB_KEY: 'lab-secret-key', ONETAKE_API_KEYS: 'ann:ann-key-1,bob:bob-key-1' };
  gateway = await startGateway({ yaml: yamlOf(server.url), env });
});
after(async () => {
  await gateway?.close();
  server?.close();
});

const ANN = { authorization: 'Bearer ann-key-1' };
const ask = (fields: object, headers: Readonly<Record<string, string>> = {}) =>
  call(`${gateway.url}/v1/images/generations`, { body: { model: 'best', ...fields }, headers: { ...ANN, ...headers } });
const again = (id: unknown, body: object | undefined, headers: Readonly<Record<string, string>> = ANN) =>
  call(`${gateway.url}/v1/generations/${id}/regenerate`, { method: 'POST', headers, ...(body && { body }) });
const seedsOf = (body: Readonly<Record<string, unknown>>) => {
  const { images = [] } = (body.onetake ?? {}) as { images?: readonly { readonly seed?: number }[] };
  return images.map(({ seed }) => seed);
};

test('a seed is drawn, sent and told, though the provider does not repeat it', async () => {
  const { status, body, headers } = await ask({ prompt: 'a red fox' });
  const sent = server.asked.at(-1)?.seed;
  assert.equal(status, 200);
  assert.ok(Number.isInteger(sent) && Number(sent) >= 0, String(sent));
  assert.deepEqual(seedsOf(body), [sent]);
  // Nothing of the request was changed by it.
  assert.equal(headers['x-onetake-adapted'], undefined);
  const strict = await ask({ prompt: 'a red fox', size: '1024x1024' }, { 'x-onetake-strict': 'on' });
  assert.equal(strict.status, 200, strict.text);
});

test('pictures of one request have seeds that differ', async () => {
  const { body } = await ask({ prompt: 'three foxes', n: 3 });
  const seeds = seedsOf(body);
  assert.equal(new Set(seeds).size, 3, String(seeds));
  assert.deepEqual(
    server.asked
      .slice(-3)
      .map(({ seed }) => seed)
      .toSorted(),
    [...seeds].toSorted(),
  );
});

test('a second payment is for the same seed', async () => {
  server.answer(500);
  const from = server.asked.length;
  await call(`${gateway.url}/v1/images/generations`, {
    headers: { ...ANN, 'x-onetake-payment': 'standard' },
    body: { model: 'lab/paint', prompt: 'a fox twice' },
  });
  server.answer(200);
  const seeds = server.asked.slice(from).map(({ seed }) => seed);
  assert.equal(seeds.length, 2);
  assert.equal(new Set(seeds).size, 1);
});

test('regenerating asks the same target for the same again, as a generation of its own', async () => {
  const first = await ask({ prompt: 'a blue fox', size: '900x900' });
  const id = first.body.onetake?.generation;
  const { status, body, text } = await again(id, undefined);
  assert.equal(status, 200, text);
  assert.deepEqual(server.asked.at(-1), server.asked.at(-2));
  assert.deepEqual(seedsOf(body), seedsOf(first.body));
  assert.notEqual(body.onetake?.generation, id);
  assert.equal(body.onetake?.regenerated_from, id);
  const { body: view } = await call(`${gateway.url}/v1/generations/${body.onetake?.generation}`, { headers: ANN });
  assert.equal(view.regenerated_from, id);
  // What may be paid is as it was allowed the first time.
  assert.deepEqual((view.policy as { readonly payment: string }).payment, 'strict');
});

test('a page of another origin pays as the route has it, not as a server was allowed to', async () => {
  const allowed = { 'x-onetake-payment': 'available', 'x-onetake-max-paid-attempts': '5' };
  const first = await ask({ model: 'lab/paint', prompt: 'a costly fox' }, allowed);
  assert.equal(first.status, 200, first.text);
  const policyOf = async (headers: Readonly<Record<string, string>>) => {
    const { body, status, text } = await again(first.body.onetake?.generation, {}, { ...ANN, ...headers });
    assert.equal(status, 200, text);
    const { body: view } = await call(`${gateway.url}/v1/generations/${body.onetake?.generation}`, { headers: ANN });
    const policy = view.policy as { readonly payment: string; readonly max_paid_attempts: number };
    return [policy.payment, policy.max_paid_attempts];
  };
  assert.deepEqual(await policyOf({}), ['available', 5]);
  const plain = await policyOf(PAGE);
  assert.equal(plain[0], 'standard');
  assert.ok(Number(plain[1]) < 5, String(plain[1]));
  assert.equal((await policyOf({ ...PAGE, 'x-onetake-payment': 'strict' }))[0], 'strict');
});

test('seed, prompt and number may be others; anything else is a new request', async () => {
  const first = await ask({ prompt: 'a green fox' });
  const id = first.body.onetake?.generation;
  const other = await again(id, { seed: 7, prompt: 'a green owl', n: 2 });
  assert.equal(other.status, 200, other.text);
  const asked = server.asked.slice(-2).map(({ seed, prompt }) => [seed, prompt]);
  assert.deepEqual(asked.toSorted(), [
    [7, 'a green owl'],
    [8, 'a green owl'],
  ]);
  const wrong = await again(id, { size: '1024x1024' });
  assert.deepEqual([wrong.status, wrong.body.error?.code, wrong.body.error?.param], [400, 'unknown_parameter', 'size']);
  const elsewhere = await again(id, { model: 'lab/paint', seed: 9 });
  assert.deepEqual([elsewhere.status, seedsOf(elsewhere.body)], [200, [9]], elsewhere.text);
});

test('an edit is made again from the pictures that it was made from', async () => {
  const image_url = `data:image/png;base64,${TINY_PNG_BASE64}`;
  const body = { model: 'best', prompt: 'the fox in snow', images: [{ image_url }] };
  const first = await call(`${gateway.url}/v1/images/edits`, { body, headers: ANN });
  assert.equal(first.status, 200, first.text);
  const second = await again(first.body.onetake?.generation, { prompt: 'the fox in rain' });
  assert.equal(second.status, 200, second.text);
  assert.deepEqual(seedsOf(second.body), seedsOf(first.body));
  const parts = server.asked.slice(-2).map(({ form }) => String(form));
  assert.ok(parts.every((form) => form.includes('name="image') && form.includes('IHDR')));
  assert.ok(parts[1]?.includes('the fox in rain'));
});

test('it is the caller’s own, and there', async () => {
  const { body } = await ask({ prompt: 'a secret fox' });
  const foreign = await again(body.onetake?.generation, {}, { authorization: 'Bearer bob-key-1' });
  assert.deepEqual([foreign.status, foreign.body.error?.code], [404, 'not_found']);
  assert.equal((await again('gen_000000000000000000000000', {})).status, 404);
});

test('an Idempotency-Key gives the same answer again, with the same seed', async () => {
  const { body } = await ask({ prompt: 'a patient fox' });
  const headers = { ...ANN, 'idempotency-key': 'once-more' };
  const one = await again(body.onetake?.generation, {}, headers);
  const asked = server.asked.length;
  const two = await again(body.onetake?.generation, {}, headers);
  assert.equal(two.headers['idempotent-replayed'], 'true');
  assert.equal(two.text, one.text);
  assert.equal(server.asked.length, asked);
});

test('the command line writes the whole effective request beside the picture, and makes it once more', async () => {
  const env = { ...process.env, ONETAKE_URL: gateway.url, ONETAKE_API_KEY: 'ann-key-1' };
  const onetake = (args: readonly string[]) =>
    promisify(execFile)(process.execPath, ['--conditions=onetake-source', ONETAKE, ...args], {
      cwd: gateway.home,
      env,
    });
  await onetake(['generate', 'a paper fox', '--model', 'best', '--size', '900x900', '-o', 'paper.png']);
  const read = (name: string) => JSON.parse(readFileSync(join(gateway.home, name), 'utf8'));
  const sidecar = read('paper.json');
  const { seed } = sidecar;
  assert.deepEqual(sidecar.request, {
    ...{ operation: 'generate', prompt: 'a paper fox', n: 1, size: '1024x1024', seed },
  });
  assert.deepEqual([sidecar.provider, sidecar.model, sidecar.price_usd], ['lab', 'paint', 0.02]);
  assert.deepEqual([sidecar.adapted[0].field, sidecar.adapted[0].action], ['size', 'mapped']);
  assert.match(sidecar.provider_request_id, /^theirs-\d+$/);
  assert.ok(!JSON.stringify(sidecar).includes('key'), JSON.stringify(sidecar));
  const { stderr } = await onetake(['regenerate', sidecar.generation, '-o', 'again.png']);
  assert.match(stderr, /^regenerating gen_\w+, which cost \$0\.02…$/m);
  const second = read('again.json');
  assert.deepEqual([second.regenerated_from, second.seed], [sidecar.generation, seed]);
  assert.deepEqual(second.request, sidecar.request);
});
