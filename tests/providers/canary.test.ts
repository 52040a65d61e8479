/** Secrets are planted everywhere, much is done with them, and then everything that was written or said is searched. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { call } from '../rig/call.ts';
import { CANARIES, secret } from '../rig/canaries.ts';
import { removeDirectory, temporaryDirectory } from '../rig/directories.ts';
import { type EchoingProvider, startEchoingProvider } from '../rig/echoing-provider.ts';
import { filesUnder, leaksIn } from '../rig/leaks.ts';
import { letterBox } from '../rig/letter-box.ts';
import { until } from '../rig/poll.ts';
import { type Running, runFile } from '../rig/processes.ts';
import { type RunningSandbox, startSandbox } from '../rig/sandbox.ts';
import { type Said, startOutside } from '../rig/seen-from-outside.ts';
import { onetake } from '../rig/upstream.ts';

/** Of pictures and chats: for those who may look at a generation, and nobody else. */
const PROMPT = 'a heliotrope walrus in a gondola';
const ANN = { authorization: `Bearer ${secret('ann')}` };
const admin = () => ({ authorization: `Bearer ${secret('admin')}` });

/** What was said, by where. */
const said: Said[] = [];

let home: string;
let echoing: EchoingProvider;
let sandbox: RunningSandbox;
let outside: Awaited<ReturnType<typeof startOutside>>;
let gateway: Running;
let url: string;
before(async () => {
  home = temporaryDirectory();
  [echoing, sandbox] = await Promise.all([startEchoingProvider(), startSandbox()]);
  outside = await startOutside({
    ...{ channel: secret('channel'), refusing: secret('refusing channel'), nowhere: secret('unreachable channel') },
    ...{ hook: secret('secret of alerts'), collector: secret('collector') },
  });
  writeFileSync(join(home, 'the-key'), `${secret('key file')}\n`, { mode: 0o600 });
  writeFileSync(
    join(home, 'onetake.yaml'),
    `
providers:
  echo: { base_url: "${echoing.url}", key_env: ECHO_KEY }
  pool: { kind: openai, base_url: "${sandbox.url}/openai/v1", key_env: [POOL_A, POOL_B] }
  file: { kind: bfl, base_url: "${sandbox.url}/bfl", key_file: ./the-key }
  local: { kind: automatic1111, base_url: "${sandbox.url}/automatic1111", key_env: LOCAL_AUTH }
  played: { kind: openai, base_url: "sandbox:500,ok", key_env: PLAYED_KEY }
  broken: { kind: openai, base_url: "${sandbox.url}/fault/401/openai/v1", key_env: POOL_B }
webhooks:
  allow_private: true
  keys: { ann: { secret_env: HOOK_SECRET } }
${outside.yaml}`,
  );
  Object.assign(ENV, outside.env);
  gateway = runFile(fileURLToPath(new URL('../rig/debug-gateway.ts', import.meta.url)), [], { cwd: home, env: ENV });
  url = (await gateway.said(/^gateway (\S+)$/m))[1] ?? '';
  CANARIES.admin = readFileSync(join(home, 'data', 'admin.key'), 'utf8').trim();
  assert.match(secret('admin'), /^sk-onetake-/);
});
after(async () => {
  await gateway?.end('SIGKILL');
  echoing?.close();
  outside?.close();
  await sandbox?.close();
  removeDirectory(home);
});

const ENV: Record<string, string> = {
  ONETAKE_PORT: '0',
  ONETAKE_DATA: './data',
  ECHO_KEY: secret('echoed'),
  POOL_A: secret('pool a'),
  POOL_B: secret('pool b'),
  LOCAL_AUTH: secret('user and password'),
  PLAYED_KEY: secret('played'),
  HOOK_SECRET: secret('webhook'),
  ONETAKE_API_KEYS: `ann:${secret('ann')},bob:${secret('bob')}`,
  SOME_OTHER_TOKEN: secret('environment'),
};

async function ask(path: string, body?: object, headers: Record<string, string> = ANN, method?: string) {
  const answer = await call(`${url}${path}`, { headers, ...(body && { body }), ...(method && { method }) });
  const where = `${method ?? (body ? 'POST' : 'GET')} ${path}`;
  said.push([where, `${answer.text}\n${JSON.stringify(answer.headers)}`]);
  return answer;
}

async function run(args: readonly string[], key: string, more: Readonly<Record<string, string>> = {}) {
  const env = { ...ENV, ONETAKE_API_KEY: secret(key), ...more };
  const told = await onetake({ url, home }, args, { env });
  said.push([`onetake ${args.join(' ')}`, `${told.stdout}\n${told.stderr}`]);
  return told;
}

const generations: string[] = [];

test('requests of all kinds, that end well and badly', async () => {
  const image = (model: string, more: object = {}) =>
    ask('/v1/images/generations', { model, prompt: `a heron by ${model} ${PROMPT}`, ...more });
  const asked = ['echo/ok', 'echo/400', 'echo/401', 'echo/403', 'echo/429', 'echo/500', 'echo/503'];
  asked.push('pool/gpt-image-2', 'file/flux-2-pro', 'local/default', 'played/gpt-image-2', 'broken/gpt-image-2');
  for (const model of asked) {
    const answer = await image(model, { onetake: { timeout_ms: 4_000 } });
    generations.push(String(answer.headers['x-onetake-generation']));
  }
  await image('pool/gpt-image-2', { stream: true });
  for (const model of ['echo/ok', 'echo/400', 'echo/429', 'echo/500', 'pool/gpt-5'])
    for (const stream of [false, true]) {
      const messages = [{ role: 'user', content: `say a plain word ${PROMPT}` }];
      const answer = await ask('/v1/chat/completions', { model, messages, stream, onetake: { timeout_ms: 4_000 } });
      generations.push(String(answer.headers['x-onetake-generation']));
    }
});

test('callers whose keys are wrong, in every header where keys stand', async () => {
  const basic = Buffer.from(`user:${secret('basic stranger')}`).toString('base64');
  for (const headers of [
    { authorization: `Bearer ${secret('stranger')}` },
    { authorization: secret('stranger') },
    { authorization: `Basic ${basic}` },
    { 'x-api-key': secret('stranger'), cookie: `session=${secret('cookie')}` },
    { authorization: `Bearer  "${secret('stranger')}"` },
    { ...ANN, 'x-api-key': secret('bob') },
  ]) {
    const { status } = await ask(
      '/v1/images/generations',
      { model: 'echo/ok', prompt: 'p' },
      headers as Record<string, string>,
    );
    assert.equal(status, 401);
  }
});

test('tasks, batches, webhooks and keys', async (t) => {
  const box = await letterBox(t);
  await ask('/v1/tasks', {
    model: 'pool/gpt-image-2',
    prompt: 'a task',
    webhook_url: box.url,
    onetake: { webhook_url: box.url },
  });
  const file = `${JSON.stringify({ custom_id: 'one', method: 'POST', url: '/v1/images/generations', body: { model: 'echo/400', prompt: 'a line' } })}\n`;
  const form = new FormData();
  form.append('purpose', 'batch');
  form.append('file', new Blob([file]), 'lines.jsonl');
  const uploaded = await fetch(`${url}/v1/files`, { method: 'POST', headers: ANN, body: form });
  const { id } = (await uploaded.json()) as { id: string };
  const batch = await ask('/v1/batches', {
    input_file_id: id,
    endpoint: '/v1/images/generations',
    completion_window: '24h',
  });
  await until('the batch', async () => {
    const { body } = await call(`${url}/v1/batches/${String(batch.body.id)}`, { headers: ANN });
    return body.status === 'completed' || body.status === 'failed';
  });
  await ask(`/v1/batches/${String(batch.body.id)}`);
  for (const caller of ['ann', 'bob']) {
    const bearer = { authorization: `Bearer ${secret(caller)}` };
    const { body } = await ask('/v1/webhooks/secret', undefined, bearer);
    if (caller === 'bob') CANARIES['made webhook secret'] = String(body.secret);
  }
  assert.match(secret('made webhook secret'), /^whsec_/);
  const made = await ask('/v1/keys', { name: 'made', budget: { usd: 5, per: 'day' } }, admin());
  assert.equal(made.status, 201, made.text);
  CANARIES.managed = String(made.body.key ?? made.body.secret);
  assert.match(secret('managed'), /^sk-onetake-/);
  const own = { authorization: `Bearer ${secret('managed')}` };
  await ask('/v1/images/generations', { model: 'pool/gpt-image-2', prompt: 'by a made key' }, own);
});

test('everything that can be looked at', async () => {
  const seen = generations.filter((id) => id.startsWith('gen_'));
  assert.ok(seen.length >= 15, generations.join());
  for (const id of seen) {
    await ask(`/v1/generations/${id}`);
    await ask(`/v1/generations/${id}/upstream`);
  }
  const lists = [
    'generations',
    'tasks',
    'batches',
    'files',
    'refusals',
    'cache',
    'targets',
    'webhooks',
    'models',
    'keys',
  ];
  lists.push(
    'keys/made',
    'costs?by=model,key&since=1d',
    'failures?since=1d',
    'config',
    'doctor',
    'assets',
    'candidates',
  );
  for (const path of lists) {
    await ask(`/v1/${path}`);
    await ask(`/v1/${path}`, undefined, admin());
  }
  for (const path of ['/', '/health/live', '/health/ready', '/metrics', '/no/such/path']) await ask(path);
});

test('what the page asks for, signed in by a cookie, and what other tools read', async () => {
  const page = { 'x-onetake-page': '1', 'sec-fetch-site': 'same-origin' };
  for (const key of ['stranger', 'ann'])
    assert.ok((await ask('/v1/session', { key: secret(key) }, page)).status >= 401, 'no administrator');
  const { headers } = await ask('/v1/session', { key: secret('admin') }, page);
  const [cookie = ''] = headers['set-cookie']?.[0]?.split(';') ?? [];
  CANARIES.session = cookie.slice(cookie.indexOf('=') + 1);
  const signedIn = { ...page, cookie };
  await until('an alert that could not be told', async () => /an alert could not be told/.test(gateway.stderr()));
  for (const path of ['', 'session', 'now', 'alerts', 'gallery', 'generations?text=heron', 'config', 'keys', 'targets'])
    await ask(path === '' ? '/' : `/v1/${path}`, undefined, {
      ...signedIn,
      ...(path === '' && { accept: 'text/html' }),
    });
  for (const path of ['/v1/alerts/test', '/v1/estimates'])
    await ask(path, path.endsWith('test') ? {} : { model: 'echo/ok', prompt: PROMPT }, signedIn);
  assert.match((await ask('/metrics', undefined, admin())).text, /^onetake_attempts_total/m);
  assert.match((await ask('/v1/alerts', undefined, admin())).text, /"state":"firing"/);
  await ask('/v1/session', undefined, signedIn, 'DELETE');
});

test('every command that prints or writes something', async () => {
  const [ok = '', refused = ''] = generations;
  const file = generations[8] ?? '';
  const ofOne = [ok, refused, file].map(async (id) => {
    await run(['trace', id], 'ann');
    const printed = await run(['replay', id, '--curl'], 'ann');
    assert.match(printed.stdout, /\$(?:ECHO_KEY|FILE_API_KEY)"/, printed.stderr);
    if (id === ok)
      for (const args of [
        ['trace', id],
        ['replay', id, '--curl'],
      ])
        await run([...args, '--json'], 'admin');
    await run(['report', id, '--with-prompt'], 'ann');
    assert.equal((await run(['report', id, '-o', `whole-${id}.json`], 'admin')).code, 0);
  });
  await Promise.all(ofOne);
  const lists = ['generations', 'targets', 'tasks', 'assets', 'keys', 'costs', 'failures'].map((name) => [
    name,
    '--json',
  ]);
  const others = [
    ['config', 'show'],
    ['config', 'check'],
    ['doctor', '--json'],
    ['doctor', '--fix-hints'],
  ];
  for (const args of [...lists, ...others, ['explain', 'Incorrect API key provided']]) await run(args, 'admin');
  await run(['generations', 'list'], 'stranger');
});

test('commands that cannot reach the database they are told of', async () => {
  const database = {
    ONETAKE_ADMIN_KEY: secret('admin of the environment'),
    ONETAKE_URL: '',
    ONETAKE_DATABASE_URL: `postgres://user:${secret('database')}@127.0.0.1:1/onetake`,
  };
  for (const args of [['start'], ['config', 'show'], ['doctor', '--json', '--offline'], ['doctor']])
    await run(args, 'admin', database);
});

test('no secret is in any of it, in no form, nor an authorization header or base64', async () => {
  await gateway.end('SIGTERM');
  said.push(['stdout', gateway.stdout()], ['stderr', gateway.stderr()], ...outside.said);
  assert.ok(gateway.stderr().includes('"level":'), 'it logged something');
  const files = filesUnder(home).map((path): Said => [relative(home, path), readFileSync(path, 'latin1')]);
  assert.ok(
    files.some(([where]) => where.includes('onetake.db')) && files.some(([where]) => where.startsWith('report-')),
  );
  const found = [...said, ...files].flatMap(([where, text]) => leaksIn(where, text, CANARIES));
  assert.deepEqual(found, []);
  const told = outside.said.map(([where]) => where);
  for (const where of ['OTLP /v1/traces', 'OTLP /v1/metrics', 'alert to slack', 'alert to refuse', 'alert to hook'])
    assert.ok(told.includes(where), `${where}: ${told.join()}`);
  const seen = said.filter(([where]) => /^(?:std|OTLP|alert to|GET \/(?:metrics|v1\/(?:alerts|targets)))/.test(where));
  assert.deepEqual(
    seen.filter(([, text]) => text.includes(PROMPT)).map(([where]) => where),
    [],
  );
});

test('the search finds what it is for', () => {
  const searched = (text: string) => leaksIn('here', text, CANARIES);
  const hidden = Buffer.from(`x${secret('echoed')}y`).toString('base64');
  assert.deepEqual(searched(`…${hidden}…`), ['here: echoed']);
  assert.deepEqual(searched(`{"k":"${secret('pool a')}"}`), ['here: pool a']);
  assert.deepEqual(searched('authorization: Bearer abcdefgh0123'), ['here: an authorization header']);
  assert.deepEqual(searched(`"${'QUJD'.repeat(60)}"`), ['here: base64']);
  assert.deepEqual(searched('-H "authorization: Bearer $ECHO_KEY"'), []);
});
