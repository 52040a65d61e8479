import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli, temporaryDirectory } from '../testing/cli.ts';
import { delivered, fakeGateway, type Reply } from '../testing/fake-gateway.ts';

const REFUSED: Reply = {
  status: 424,
  headers: { 'x-onetake-generation': 'gen_9' },
  body: {
    error: { message: 'no verdict\ncame', type: 'server_error', code: 'outcome_unknown', param: null },
    onetake: { billed: 'maybe', advice: 'Look it up before paying again.' },
  },
};

test('a failure says what happened and leaves no file', async (t) => {
  const cwd = temporaryDirectory(t);
  const { url, received } = await fakeGateway(t, () => REFUSED);
  const { exitCode, stdout, stderr } = await cli(t, ['generate', 'fox', '-o', 'fox.png'], {
    cwd,
    env: { ONETAKE_URL: url },
  });
  assert.equal(
    stderr.replace(/^.*…\n/, ''),
    `onetake: no verdict came
  code         outcome_unknown
  billed       maybe
  advice       Look it up before paying again.
  generation   gen_9
`,
  );
  assert.deepEqual({ exitCode, stdout, files: readdirSync(cwd) }, { exitCode: 1, stdout: '', files: [] });
  assert.equal(received.length, 1);
  const json = await cli(t, ['generate', 'fox', '-o', 'fox.png', '--json'], { cwd, env: { ONETAKE_URL: url } });
  assert.equal(JSON.parse(json.stdout).error.code, 'outcome_unknown');
});

test('a picture that only stands in is a failure too', async (t) => {
  const cwd = temporaryDirectory(t);
  const failure = {
    status: 424,
    message: 'no luck',
    code: 'generation_failed',
    billed: 'maybe',
    advice: 'Look there.',
  };
  const { url } = await fakeGateway(t, () => delivered(undefined, { degraded: { kind: 'placeholder', failure } }));
  const env = { ONETAKE_URL: url };
  const { exitCode, stderr } = await cli(t, ['generate', 'fox', '-o', 'fox.png'], { cwd, env });
  assert.deepEqual({ exitCode, files: readdirSync(cwd) }, { exitCode: 1, files: [] });
  assert.match(
    stderr,
    /^onetake: no luck\n {2}code {9}generation_failed\n {2}billed {7}maybe\n {2}advice {7}Look there\.\n {2}generation {3}gen_1$/m,
  );
});

const UNUSABLE: readonly (readonly [name: string, reply: Reply, says: RegExp])[] = [
  [
    'a picture that does not open',
    delivered([Buffer.from('<html>').toString('base64')]),
    /the picture arrived damaged: /,
  ],
  [
    'an answer without pictures',
    delivered([]),
    /the answer holds no picture; no file was written; the gateway keeps it as generation gen_1/,
  ],
  ['a connection that dies', 'reset', /broke off: .*; see onetake generations/],
  ['an answer of another server', { status: 500, body: [] }, /the answer was HTTP 500 and not the gateway's/],
];
for (const [name, reply, says] of UNUSABLE) {
  test(`${name} leaves no file`, async (t) => {
    const cwd = temporaryDirectory(t);
    const { url } = await fakeGateway(t, () => reply);
    const { exitCode, stderr } = await cli(t, ['generate', 'fox', '-o', 'fox.png'], { cwd, env: { ONETAKE_URL: url } });
    assert.match(stderr, says);
    assert.deepEqual({ exitCode, files: readdirSync(cwd) }, { exitCode: 1, files: [] });
  });
}

test('a file that cannot get its name leaves nothing half written, and the picture can still be found', async (t) => {
  const cwd = temporaryDirectory(t);
  mkdirSync(join(cwd, 'fox.png'));
  const { url } = await fakeGateway(t, () => delivered());
  const { exitCode, stderr } = await cli(t, ['generate', 'fox', '-o', 'fox.jpg'], { cwd, env: { ONETAKE_URL: url } });
  assert.match(stderr, /fox\.png could not be written: .*; the gateway keeps it as generation gen_1/);
  assert.deepEqual({ exitCode, files: readdirSync(cwd) }, { exitCode: 1, files: ['fox.png'] });
});

test('Ctrl-C ends the wait with 130', async (t) => {
  const stop = new AbortController();
  const { url } = await fakeGateway(t, () => {
    stop.abort();
    return 'silence';
  });
  const { exitCode, stderr } = await cli(t, ['generate', 'fox', '-o', 'fox.png'], {
    env: { ONETAKE_URL: url },
    signal: stop.signal,
  });
  assert.match(stderr, /onetake: interrupted; what was sent may be billed/);
  assert.equal(exitCode, 130);
});

test('with no gateway running, one is started for the duration', async (t) => {
  const calls: string[] = [];
  const { url } = await fakeGateway(t, () => delivered());
  const env = { ONETAKE_PORT: '0', ONETAKE_API_KEYS: 'app:longenough' };
  const { exitCode } = await cli(t, ['generate', 'fox', '-o', 'fox.png'], {
    env,
    startGateway: async ({ host, port }) => {
      calls.push(`start ${host}:${port}`);
      return { url, close: async () => void calls.push('close') };
    },
  });
  assert.deepEqual([exitCode, ...calls], [0, 'start 127.0.0.1:0', 'close']);
});

test('a gateway named by ONETAKE_URL must be there', async (t) => {
  const { url } = await fakeGateway(t, () => delivered());
  const found = await cli(t, ['generations'], { env: { ONETAKE_URL: `${url}/v1/` } });
  assert.equal(found.exitCode, 0);
  const missing = await cli(t, ['generations'], { env: { ONETAKE_URL: 'http://127.0.0.1:1' } });
  assert.match(missing.stderr, /no gateway answers at http:\/\/127\.0\.0\.1:1 \(ONETAKE_URL\)/);
  assert.equal(missing.exitCode, 1);
});
