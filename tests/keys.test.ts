/** Keys that are made here, from outside: who may what, what is said to who may not, and that no key leaks. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { type Answer, call, generate } from './rig/call.ts';
import { ONETAKE, type RunningGateway, startGateway } from './rig/gateway.ts';
import { create, ended, linesOf, request } from './rig/http-batches.ts';
import { countOf } from './rig/ledger.ts';
import { runFile } from './rig/processes.ts';

const YAML = `
routes:
  image-best: { targets: [sandbox/ok] }
  art: { targets: [sandbox/ok] }
default_model: art
`;

let gateway: RunningGateway;
/** Every key there is, by its caller. */
const secrets = new Map<string, string>();

before(async () => {
  gateway = await startGateway({ yaml: YAML });
  secrets.set('admin', readFileSync(join(gateway.dataDir, 'admin.key'), 'utf8').trim());
});
after(() => gateway.close());

function as(caller: string): Record<string, string> {
  return { authorization: `Bearer ${secrets.get(caller) ?? assert.fail(caller)}` };
}

async function make(name: string, fields: object = {}): Promise<Answer> {
  const made = await call(`${gateway.url}/v1/keys`, { headers: as('admin'), body: { name, ...fields } });
  if (typeof made.body.key === 'string') secrets.set(name, made.body.key);
  return made;
}

function get(path: string, caller: string): Promise<Answer> {
  return call(`${gateway.url}/v1/${path}`, { headers: as(caller) });
}

const errorOf = ({ status, body }: Answer) => [status, body.error?.code];

test('until there is a key everybody here is local, who administers; from the first one on nobody calls without', async () => {
  assert.equal((await generate(gateway.url, { prompt: 'before keys' })).status, 200);
  assert.deepEqual((await call(`${gateway.url}/v1/keys`)).body.data, []);
  assert.equal((await make('first')).status, 201);
  assert.deepEqual(errorOf(await generate(gateway.url, { prompt: 'x' })), [401, 'invalid_api_key']);
  assert.deepEqual(errorOf(await get('keys', 'first')), [403, 'admin_only']);
  assert.equal((await generate(gateway.url, { prompt: 'with a key' }, { headers: as('first') })).status, 200);
});

test('a key asks for the models it may, by whichever door, and sees no others', async () => {
  await make('narrow', { models: ['image-*'] });
  const headers = as('narrow');
  const post = (path: string, body: object) => call(`${gateway.url}/v1/${path}`, { headers, body });
  const made = await generate(gateway.url, { model: 'image-best', prompt: 'x' }, { headers });
  assert.equal(made.status, 200, made.text);
  const picture = { image: 'data:image/png;base64,AAAA', prompt: 'x' };
  const id = made.headers['x-onetake-generation'];
  for (const [path, body] of [
    ['images/generations', { prompt: 'the default is another' }],
    ['images/generations', { model: 'sandbox/ok', prompt: 'x' }],
    ['images/generations', { model: 'image-best', prompt: 'x', candidates: [{}, { model: 'art' }] }],
    ['images/edits', { model: 'art', ...picture }],
    ['tasks', { model: 'art', prompt: 'x' }],
    [`generations/${id}/regenerate`, { model: 'art' }],
    ['chat/completions', { model: 'gpt-5', messages: [{ role: 'user', content: 'x' }] }],
    ['responses', { model: 'gpt-5', input: 'x' }],
    ['embeddings', { model: 'text-embedding-3-small', input: 'x' }],
  ] as const) {
    const { status, body: told } = await post(path, body);
    assert.deepEqual(
      [path, status, told.error?.code, told.error?.type],
      [path, 403, 'model_not_allowed', 'permission_error'],
    );
    assert.match(told.error?.message ?? '', /may use image-\*/);
  }
  assert.equal((await post(`generations/${id}/regenerate`, {})).status, 200, 'what it made it may make again');
  const { body } = await get('models', 'narrow');
  assert.deepEqual(
    body.data?.map((one) => one.id),
    ['image-best'],
  );
  assert.deepEqual(errorOf(await get('models/art', 'narrow')), [403, 'model_not_allowed']);
});

test('a line of a batch is held to the models of its key', async () => {
  await make('bulk', { models: ['image-*'] });
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: secrets.get('bulk') ?? '', logLevel: 'off' });
  const batch = await create(client, [
    request('may', { model: 'image-best', prompt: 'a line that may' }),
    request('may not', { model: 'art', prompt: 'a line that may not' }),
  ]);
  const { output_file_id: output, error_file_id: errors } = await ended(client, batch.id);
  const told = [...(await linesOf(client, output)), ...(await linesOf(client, errors))];
  assert.deepEqual(
    told.map(({ custom_id: id, response }) => [id, response?.status_code, response?.body.error?.code]),
    [
      ['may', 200, undefined],
      ['may not', 403, 'model_not_allowed'],
    ],
  );
});

test('who is refused is told what is wrong with the key', async () => {
  await make('gone');
  await call(`${gateway.url}/v1/keys/gone`, { method: 'DELETE', headers: as('admin') });
  const said = async (key: string) => {
    const { status, body } = await call(`${gateway.url}/v1/models`, { headers: { 'x-api-key': key } });
    assert.equal(status, 401);
    return body.error?.message ?? '';
  };
  const gone = secrets.get('gone') ?? '';
  assert.match(await said(gone), /"gone" was revoked at 2\d{3}-/);
  assert.match(await said(gone.slice(0, 30)), /truncated: 24 characters/);
  assert.match(await said(`${gone.slice(0, -4)}AAAA`), /no key of this gateway is like it/);
});

test('requests are counted, and the one too many costs nothing', async () => {
  await make('slow', { rpm: 3, images: { count: 100, per: 'day' } });
  const ask = (prompt: string) => generate(gateway.url, { model: 'sandbox/ok,ok', prompt }, { headers: as('slow') });
  const answers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(ask));
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 200, 200, 429, 429]);
  const refused = answers.find(({ status }) => status === 429) ?? assert.fail('none is refused');
  assert.deepEqual([refused.body.error?.code, refused.headers['x-should-retry']], ['rate_limit_exceeded', 'true']);
  const seconds = Number(refused.headers['retry-after']);
  assert.ok(seconds > 50 && seconds <= 60);
  for (const { headers } of answers) {
    assert.equal(headers['ratelimit-policy'], '"requests";q=3;w=60, "images";q=100;w=86400');
    assert.match(String(headers.ratelimit), /^"requests";r=[0-2];t=\d+, "images";r=\d+;t=\d+$/);
  }
  assert.deepEqual(await countOf(gateway.sandboxUrl, 'ok,ok'), { requests: 3, charged: 3 });
});

test('a browser key is for pages of its origin, and no other key opens the gateway to them', async () => {
  const origin = 'https://page.example';
  await make('page', { browser: { origins: [origin] } });
  const options = { headers: { ...as('page'), origin } };
  const made = await generate(gateway.url, { prompt: 'from a page' }, options);
  assert.deepEqual([made.status, made.headers['access-control-allow-origin']], [200, origin]);
  const raised = await generate(
    gateway.url,
    { prompt: 'x' },
    { headers: { ...options.headers, 'x-onetake-payment': 'available' } },
  );
  assert.equal(raised.status, 403, raised.text);
  for (const headers of [as('page'), { ...as('page'), origin: 'https://evil.example' }, { ...as('first'), origin }])
    assert.deepEqual(errorOf(await generate(gateway.url, { prompt: 'x' }, { headers })), [403, 'forbidden_origin']);
  await call(`${gateway.url}/v1/keys/page`, { method: 'DELETE', headers: as('admin') });
  const over = await generate(gateway.url, { prompt: 'x' }, options);
  assert.deepEqual([over.status, over.headers['access-control-allow-origin']], [403, undefined]);
});

test('administrators see everybody’s generations and tasks, others their own', async () => {
  await make('boss', { admin: true });
  const made = await generate(gateway.url, { prompt: 'of first' }, { headers: as('first') });
  const id = made.headers['x-onetake-generation'];
  for (const path of [`generations/${id}`, `tasks/${id}`]) {
    const statuses = ['first', 'boss', 'admin', 'narrow'].map(async (caller) => (await get(path, caller)).status);
    assert.deepEqual(await Promise.all(statuses), [200, 200, 200, 404], path);
  }
  const rowOf = async (path: string, caller: string) =>
    (await get(path, caller)).body.data?.find((one) => one.id === id);
  const has = async (path: string, caller: string) => (await rowOf(path, caller)) !== undefined;
  for (const path of ['generations?limit=100', 'tasks?limit=100']) {
    assert.deepEqual([await has(path, 'boss'), await has(path, 'narrow')], [true, false]);
    assert.equal((await rowOf(`${path}&caller=first`, 'admin'))?.caller, 'first');
    assert.equal(await has(`${path}&caller=narrow`, 'admin'), false);
    assert.equal((await get(`${path}&caller=first`, 'narrow')).status, 403);
  }
  const found = `generations?request_id=${made.headers['x-request-id']}`;
  assert.equal((await rowOf(found, 'boss'))?.caller, 'first');
  assert.deepEqual([await has(found, 'first'), await has(found, 'narrow')], [true, false]);
});

async function onetake(...args: string[]) {
  const env = { ONETAKE_DATA: gateway.dataDir, ONETAKE_URL: gateway.url };
  const running = runFile(ONETAKE, args, { cwd: gateway.home, env });
  return { exitCode: await running.ended(), stdout: running.stdout(), stderr: running.stderr() };
}

test('the command line makes, shows and ends keys with the key of this machine', async () => {
  const budgets = ['--budget', '$0.10/day', '--images', '100/day', '--rpm', '60'];
  const made = await onetake(
    'keys',
    'create',
    '--name',
    'shell',
    ...budgets,
    '--models',
    'image-*,art',
    '--expires',
    '30d',
  );
  assert.equal(made.exitCode, 0, made.stderr);
  assert.match(made.stdout, /^sk-onetake-[\w-]{43}\n$/);
  secrets.set('shell', made.stdout.trim());
  assert.match(made.stderr, /\$0\.10\/day, 100 images\/day, 60 requests\/min, models image-\* art, until 2/);
  assert.match(made.stderr, /OPENAI_API_KEY, with OPENAI_BASE_URL=http:\/\/127\.0\.0\.1:\d+\/v1/);
  assert.equal((await generate(gateway.url, { prompt: 'x' }, { headers: as('shell') })).status, 200);
  const shown = await onetake('keys', 'show', 'shell');
  assert.match(shown.stdout, /budget day \S+: \$0\.04 spent, \$0 held, \$0\.06 left of \$0\.10/);
  assert.match((await onetake('keys')).stdout, /^shell +app +usable +\$0\.04 of \$0\.10\/day +1 of 100\/day +60 /m);
  assert.match((await onetake('keys', 'revoke', 'shell')).stdout, /^shell \(sk-onetake-\S{4}…\), revoked/);
  const wrong = await onetake('keys', 'create', '--name', 'shell');
  assert.deepEqual([wrong.exitCode, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, /name: "shell" is taken/);
});

test('no key is in anything that was written, but the administrator’s in its file', () => {
  assert.ok(secrets.size >= 8);
  const said = gateway.process.stdout() + gateway.process.stderr();
  const files = readdirSync(gateway.home, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const found: string[] = [];
  for (const { name, parentPath } of files) {
    const bytes = readFileSync(join(parentPath, name));
    for (const [caller, secret] of secrets) if (bytes.includes(secret.slice(15))) found.push(`${name}: ${caller}`);
  }
  assert.deepEqual(found, ['admin.key: admin']);
  for (const secret of secrets.values()) assert.ok(!said.includes(secret.slice(15)));
});
