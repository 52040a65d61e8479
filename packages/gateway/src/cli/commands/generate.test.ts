import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TINY_PNG_BASE64 } from '@onetake/core/testing';
import { cli, temporaryDirectory } from '../testing/cli.ts';
import { delivered, fakeGateway } from '../testing/fake-gateway.ts';

const PNG = Buffer.from(TINY_PNG_BASE64, 'base64');

test('a picture becomes a file with a sidecar', async (t) => {
  const cwd = temporaryDirectory(t);
  const { url, received } = await fakeGateway(t, () => delivered());
  const args = ['generate', 'a red fox', '-o', 'fox.png', '--model', 'best', '--size', '1x1', '--seed', '7'];
  const limits = ['--timeout-ms', '5000', '--payment', 'strict'];
  const { exitCode, stdout, stderr } = await cli(t, [...args, ...limits], {
    cwd,
    env: { ONETAKE_URL: url, ONETAKE_API_KEY: 'secret-key' },
  });
  assert.match(
    stdout,
    /^fox\.png {3}1x1 {3}\d+ B\nprice {8}\$0\.04\ntime {9}\d+\.\d s\nattempts {5}2 \(1 paid\)\nmodel {8}openai\/gpt-image-2\ngeneration {3}gen_1\n$/,
  );
  assert.equal(stderr, `generating through ${url}…\n`);
  assert.equal(exitCode, 0);
  assert.deepEqual(readdirSync(cwd), ['fox.json', 'fox.png']);
  assert.deepEqual(readFileSync(join(cwd, 'fox.png')), PNG);
  const { created, time_ms, ...sidecar } = JSON.parse(readFileSync(join(cwd, 'fox.json'), 'utf8'));
  assert.equal(typeof time_ms, 'number');
  assert.match(created, /^\d{4}-.*Z$/);
  assert.deepEqual(sidecar, {
    prompt: 'a red fox',
    revised_prompt: 'a very red fox',
    model: 'gpt-image-2',
    provider: 'openai',
    seed: 7,
    size: '1x1',
    type: 'png',
    bytes: PNG.length,
    sha256: createHash('sha256').update(PNG).digest('hex'),
    price_usd: 0.04,
    price_basis: 'per-image',
    attempts: 2,
    paid_attempts: 1,
    generation: 'gen_1',
  });
  const [request] = received;
  assert.equal(`${request?.method} ${request?.url}`, 'POST /v1/images/generations');
  assert.deepEqual(JSON.parse(request?.body ?? ''), {
    prompt: 'a red fox',
    model: 'best',
    size: '1x1',
    seed: 7,
    response_format: 'b64_json',
  });
  assert.equal(request?.headers.authorization, 'Bearer secret-key');
  assert.equal(request?.headers['x-onetake-timeout-ms'], '5000');
  assert.equal(request?.headers['x-onetake-payment'], 'strict');
  assert.equal(request?.headers['idempotency-key'], undefined);
});

test('the extension follows the bytes, and an unknown price is not 0', async (t) => {
  const cwd = temporaryDirectory(t);
  const { url, received } = await fakeGateway(t, () => delivered([TINY_PNG_BASE64], { price_usd: null }));
  const { stdout, stderr } = await cli(t, ['generate', 'fox', '-o', 'fox.jpg'], { cwd, env: { ONETAKE_URL: url } });
  assert.match(stdout, /^fox\.png .*\nprice {8}price unknown\n/);
  assert.match(stderr, /^note: the picture is a PNG, so the file ends in \.png, not \.jpg$/m);
  assert.deepEqual(readdirSync(cwd), ['fox.json', 'fox.png']);
  assert.equal(JSON.parse(readFileSync(join(cwd, 'fox.json'), 'utf8')).price_usd, null);
  assert.equal(JSON.parse(received[0]?.body ?? '').output_format, 'jpeg');
});

test('several pictures are numbered, and what is missing is told', async (t) => {
  const cwd = temporaryDirectory(t);
  const said = { missing: [{ message: 'the provider failed' }], possible_charges: 2 };
  const { url } = await fakeGateway(t, () => delivered([TINY_PNG_BASE64, TINY_PNG_BASE64], said));
  const { exitCode, stdout, stderr } = await cli(t, ['generate', 'fox', '-o', 'fox.png', '--n', '3'], {
    cwd,
    env: { ONETAKE_URL: url },
  });
  assert.deepEqual(readdirSync(cwd), ['fox-1.json', 'fox-1.png', 'fox-2.json', 'fox-2.png']);
  assert.match(stdout, /^price {8}\$0\.04, and 2 possible charges more$/m);
  assert.match(stderr, /^missing: 1 picture\n {2}the provider failed$/m);
  assert.equal(exitCode, 1);
});

test('--json prints what was written', async (t) => {
  const { url } = await fakeGateway(t, () => delivered());
  const cwd = temporaryDirectory(t);
  const { stdout } = await cli(t, ['generate', 'fox', '-o', 'fox.png', '--json'], { cwd, env: { ONETAKE_URL: url } });
  const { files } = JSON.parse(stdout);
  assert.deepEqual([files.length, files[0].file, files[0].size], [1, join(cwd, 'fox.png'), '1x1']);
});

test('--image sends an edit', async (t) => {
  const cwd = temporaryDirectory(t);
  for (const name of ['a.png', 'b.png']) writeFileSync(join(cwd, name), PNG);
  const { url, received } = await fakeGateway(t, () => delivered());
  const args = ['generate', 'fox', '-o', 'fox.png', '--image', 'a.png', 'b.png'];
  assert.equal((await cli(t, args, { cwd, env: { ONETAKE_URL: url } })).exitCode, 0);
  const [request] = received;
  assert.equal(request?.url, '/v1/images/edits');
  assert.match(String(request?.headers['content-type']), /^multipart\/form-data; boundary=/);
  assert.equal(request?.body.split('name="image[]"; filename="').length, 3);
  assert(request?.body.includes(PNG.toString('latin1')));
  const missing = await cli(t, ['generate', 'fox', '-o', 'fox.png', '--image', 'none.png'], {
    cwd,
    env: { ONETAKE_URL: url },
  });
  assert.match(missing.stderr, /--image .*none\.png: cannot be read \(ENOENT\)/);
  assert.equal(missing.exitCode, 2);
});
