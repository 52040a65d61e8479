import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { cli, temporaryDirectory } from '../testing/cli.ts';
import { delivered, fakeGateway, type Received } from '../testing/fake-gateway.ts';

const UNKNOWN = {
  ...{ id: 'gen_0', object: 'generation', status: 'failed', target: 'lab/m', prompt: 'a fox', attempts: 1 },
  ...{ paid_attempts: 1, billed: 'maybe', price_usd: null, possible_usd: 0.04, created_at: Date.UTC(2026, 10, 21) },
  failure: { message: 'no verdict came', advice: 'Look it up.', answer: { code: 'outcome_unknown' }, request_id: 'r1' },
};

function gateway(t: TestContext, view: object = UNKNOWN) {
  return fakeGateway(t, ({ method, url }) => {
    if (url.endsWith('/regenerate')) return delivered();
    return { body: method === 'POST' ? { ...view, settled: 'charged', billed: 'yes', price_usd: 0.04 } : view };
  });
}

const asked = (received: readonly Received[]) => received.map(({ method, url, body }) => `${method} ${url} ${body}`);

test('settle says which of them it was, and what that came to', async (t) => {
  const { url, received } = await gateway(t);
  const env = { ONETAKE_URL: url };
  const charged = await cli(t, ['generations', 'settle', 'gen_0', '--charged', '--usd', '0.04'], { env });
  assert.deepEqual([charged.exitCode, charged.stdout], [0, 'gen_0 was charged, $0.04 in all\n']);
  const free = await cli(t, ['generations', 'settle', 'gen_0', '--free'], { env });
  assert.equal(free.stdout, 'gen_0 was free; what was held for it can be spent again\n');
  const json = await cli(t, ['generations', 'settle', 'gen_0', '--charged', '--json'], { env });
  assert.equal(JSON.parse(json.stdout).settled, 'charged');
  assert.deepEqual(asked(received), [
    'POST /v1/generations/gen_0/settle {"verdict":"charged","usd":0.04}',
    'POST /v1/generations/gen_0/settle {"verdict":"free"}',
    'POST /v1/generations/gen_0/settle {"verdict":"charged"}',
  ]);
});

test('settle without a verdict, with both, or with an amount of what is free is wrong usage', async (t) => {
  const { url, received } = await gateway(t);
  for (const args of [[], ['--charged', '--free'], ['--free', '--usd', '1']]) {
    const { exitCode } = await cli(t, ['generations', 'settle', 'gen_0', ...args], { env: { ONETAKE_URL: url } });
    assert.equal(exitCode, 2, args.join(' '));
  }
  assert.equal(received.length, 0);
});

test('retry pays for nothing twice without a word', async (t) => {
  const { url, received } = await gateway(t);
  const refused = await cli(t, ['generations', 'retry', 'gen_0'], { env: { ONETAKE_URL: url } });
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /gen_0 may have been billed \$0\.04, and another one is billed too: .*--pay-again/);
  const made = await gateway(t, { ...UNKNOWN, billed: 'yes', price_usd: 0.05 });
  const twice = await cli(t, ['generations', 'retry', 'gen_0'], { env: { ONETAKE_URL: made.url } });
  assert.match(twice.stderr, /was billed \$0\.05, and another one is billed too; add --pay-again/);
  const open = await gateway(t, { ...UNKNOWN, status: 'processing' });
  const early = await cli(t, ['generations', 'retry', 'gen_0'], { env: { ONETAKE_URL: open.url } });
  assert.match(early.stderr, /is still being made/);
  assert.ok([...received, ...made.received, ...open.received].every(({ method }) => method === 'GET'));
});

test('retry with that word, or of what was free, makes it again into a file', async (t) => {
  const cwd = temporaryDirectory(t);
  const { url, received } = await gateway(t);
  const paid = await cli(t, ['generations', 'retry', 'gen_0', '--pay-again'], { cwd, env: { ONETAKE_URL: url } });
  assert.equal(paid.exitCode, 0, paid.stderr);
  assert.ok(existsSync(join(cwd, 'gen_0.png')));
  assert.ok(asked(received).some((line) => line.startsWith('POST /v1/generations/gen_0/regenerate')));
  const free = await gateway(t, { ...UNKNOWN, billed: 'no', price_usd: 0 });
  const args = ['generations', 'retry', 'gen_0', '-o', 'again.png', '--json'];
  const again = await cli(t, args, { cwd, env: { ONETAKE_URL: free.url } });
  assert.deepEqual([again.exitCode, existsSync(join(cwd, 'again.png'))], [0, true]);
});

test('show tells of one generation what became of it', async (t) => {
  const { url } = await gateway(t, UNKNOWN);
  const { stdout } = await cli(t, ['generations', 'show', 'gen_0'], { env: { ONETAKE_URL: url } });
  assert.equal(
    stdout,
    `generation   gen_0
status       failed
model        lab/m
prompt       a fox
created      2026-11-21 00:00:00 UTC
attempts     1 (1 paid, or possibly)
charge       possibly $0.04
failure      outcome_unknown: no verdict came
request id   r1
advice       Look it up.
`,
  );
  const settled = await gateway(t, { ...UNKNOWN, settled: 'free', billed: 'no' });
  const env = { ONETAKE_URL: settled.url };
  const over = (await cli(t, ['generations', 'show', 'gen_0'], { env })).stdout;
  assert.match(over, /^charge +none\nsettled +as free$/m);
  assert.doesNotMatch(over, /advice/);
  const json = await cli(t, ['generations', 'show', 'gen_0', '--json'], { env });
  assert.equal(JSON.parse(json.stdout).settled, 'free');
});
