import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Config } from '../../config.ts';
import { cli, temporaryDirectory } from '../testing/cli.ts';

const KEY = 'sk-verysecretverysecret';
const GATEWAY = { url: 'http://127.0.0.1:8484', sandbox: { url: 'http://127.0.0.1:40111' } };

test('without a key the screen says that the sandbox plays', async (t) => {
  const cwd = temporaryDirectory(t);
  const stop = new AbortController();
  const calls: string[] = [];
  const startGateway = async ({ port }: Config) => {
    calls.push(`start ${port}`);
    return { ...GATEWAY, close: async () => void calls.push('close') };
  };
  const onOutput = (text: string) => text.includes('Ctrl-C') && stop.abort();
  const { exitCode, stdout } = await cli(t, [], { cwd, signal: stop.signal, startGateway, onOutput });
  assert.equal(
    stdout,
    `gateway   http://127.0.0.1:8484
page      http://127.0.0.1:8484/ in a browser
sandbox   http://127.0.0.1:40111
data      ${join(cwd, 'onetake-data')}
callers   anybody on this machine, no key needed

no provider key found: every model is played by the sandbox; set OPENAI_API_KEY for the real ones

try it
  curl     curl -s http://127.0.0.1:8484/v1/images/generations -H 'content-type: application/json' -d '{"prompt":"a red fox"}'
  node     await new OpenAI({ baseURL: 'http://127.0.0.1:8484/v1', apiKey: 'local' }).images.generate({ prompt: 'a red fox' })
  python   OpenAI(base_url="http://127.0.0.1:8484/v1", api_key="local").images.generate(prompt="a red fox")
  chat     curl -sN http://127.0.0.1:8484/v1/chat/completions -H 'content-type: application/json' -d '{"model":"gpt-5-nano","stream":true,"messages":[{"role":"user","content":"hello"}]}'

Ctrl-C ends it
`,
  );
  assert.deepEqual(calls, ['start 8484', 'close']);
  assert.equal(exitCode, 0);
});

test('keys are told by the name of what holds them', async (t) => {
  const env = {
    OPENAI_API_KEY: KEY,
    ONETAKE_LAB_BASE_URL: 'http://10.0.0.2:1234/v1',
    ONETAKE_API_KEYS: `app:${KEY}-app,ci:${KEY}-ci`,
    OPENAI_BASE_URL: 'http://127.0.0.1:8484/v1',
  };
  const startGateway = async () => ({ ...GATEWAY, close: async () => {} });
  const { stdout } = await cli(t, ['start'], { env, signal: AbortSignal.abort(), startGateway });
  assert.match(stdout, /^callers {3}app, ci$/m);
  assert.match(stdout, /^page {6}http:\/\/127\.0\.0\.1:8484\/ in a browser, for an admin key$/m);
  assert.match(stdout, /^ {2}openai {3}OPENAI_API_KEY {3}gpt-image-2\.5-sunburst, .* and \d+ more$/m);
  assert.match(stdout, /^ {2}lab {6}no key {11}lab\/<any model>, at http:\/\/10\.0\.0\.2:1234\/v1$/m);
  assert.match(stdout, /^ {2}OPENAI_BASE_URL is set; applications use it to reach Onetake/m);
  assert.match(stdout, /Bearer \$ONETAKE_API_KEY/);
  assert(!stdout.includes(KEY));
});

test('who may call is told as it is, also without names', async (t) => {
  const told = async (env: Record<string, string>, hasKeys: boolean) => {
    const startGateway = async () => ({ ...GATEWAY, hasKeys, close: async () => {} });
    const { stdout } = await cli(t, ['start'], { env, signal: AbortSignal.abort(), startGateway });
    assert(!stdout.includes(KEY));
    assert.match(stdout, /Bearer \$ONETAKE_API_KEY/);
    return /^callers {3}(.*)$/m.exec(stdout)?.[1];
  };
  assert.equal(await told({}, true), 'those that "onetake keys list" shows');
  assert.equal(await told({ ONETAKE_API_KEYS: `app:${KEY}` }, true), 'app and those that "onetake keys list" shows');
  const adminKey = { ONETAKE_ADMIN_KEY: `${KEY}-admin` };
  assert.equal(await told(adminKey, false), 'admin alone; make keys for others with "onetake keys create"');
});

const FAILED_STARTS: readonly (readonly [error: Error, says: RegExp])[] = [
  [Object.assign(new Error(), { code: 'EADDRINUSE' }), /^onetake: port 8484 on 127\.0\.0\.1 is in use; .*ONETAKE_PORT/],
  [
    Object.assign(new Error(), { name: 'StoreInUseError' }),
    /onetake-data is in use by another gateway; .*ONETAKE_DATA/,
  ],
  [new Error('out of luck'), /^onetake: the gateway did not start: out of luck\n$/],
];
for (const [error, says] of FAILED_STARTS) {
  test(`a start that fails: ${says.source}`, async (t) => {
    const { exitCode, stderr } = await cli(t, [], { startGateway: () => Promise.reject(error) });
    assert.match(stderr, says);
    assert.equal(exitCode, 1);
  });
}
