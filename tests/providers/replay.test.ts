/** `replay --curl`, run by a shell: every imitation gets what it got from the gateway. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { call } from '../rig/call.ts';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';
import { until } from '../rig/poll.ts';
import { type RunningSandbox, startSandbox } from '../rig/sandbox.ts';
import { meaningOf, onetake, paidRequests, type Said, sh } from '../rig/upstream.ts';

/** What a shell would make something of. */
const HOSTILE = `it's "5" $HOME \`date\` $(date) \\ !! * 🦊\nsecond line; @file <file %41 'ende'`;

interface Imitated {
  readonly kind: string;
  readonly path: string;
  readonly model: string;
  readonly key?: string;
  /** Pictures in one request, where it takes several. */
  readonly n?: number;
}

const IMITATED: readonly Imitated[] = [
  { kind: 'openai', path: '/openai/v1', model: 'gpt-image-2', n: 2 },
  { kind: 'openai-responses', path: '/openai/v1', model: 'gpt-image-2' },
  { kind: 'azure', path: '/azure', model: 'gpt-image-2' },
  { kind: 'bfl', path: '/bfl', model: 'flux-2-pro' },
  { kind: 'stability', path: '/stability', model: 'core' },
  { kind: 'leonardo', path: '/leonardo/api/rest/v1', model: 'phoenix-1.0' },
  { kind: 'replicate', path: '/replicate/v1', model: 'black-forest-labs/flux-schnell' },
  { kind: 'fal', path: '/fal', model: 'fal-ai/flux/schnell', key: 'key-id:key-secret' },
  { kind: 'google', path: '/google/v1beta', model: 'gemini-3.1-flash-image' },
  { kind: 'foxapi', path: '/foxapi/v1', model: 'grok-imagine-image' },
  { kind: 'evolink', path: '/evolink/v1', model: 'gpt-image-2' },
  { kind: 'midjourney', path: '/midjourney/mj', model: 'imagine' },
  { kind: 'automatic1111', path: '/automatic1111', model: 'default', key: 'user:it$ `word`'.replaceAll(' ', '') },
  { kind: 'comfyui', path: '/comfyui', model: 'local' },
];

const variableOf = (kind: string) => `KEY_${kind.toUpperCase().replaceAll('-', '_')}`;
const KEYS = Object.fromEntries(IMITATED.map(({ kind, key }) => [variableOf(kind), key ?? `canary-key-of-${kind}`]));

let sandbox: RunningSandbox;
let gateway: RunningGateway;
before(async () => {
  sandbox = await startSandbox();
  const entries = IMITATED.map(
    ({ kind, path }) => `  x-${kind}: {kind: ${kind}, base_url: "${sandbox.url}${path}", key_env: ${variableOf(kind)}}`,
  );
  const scripted = `  flaky: {kind: openai, base_url: "${sandbox.url}/fault/500%2Cok/openai/v1", key_env: ${variableOf('openai')}}`;
  const strict = `  strict: {kind: openai, base_url: "${sandbox.url}/fault/policy%2Cok/openai/v1", key_env: ${variableOf('openai')}}`;
  const routes =
    'prompt_rules: on\nroutes:\n  softly: {targets: [strict/gpt-image-2], refusals: {ladder: [laxer_setting]}}';
  gateway = await startGateway({
    yaml: ['providers:', ...entries, scripted, strict, routes, ''].join('\n'),
    env: KEYS,
  });
});
after(async () => {
  await Promise.allSettled([gateway?.close(), sandbox?.close()]);
});

async function make(path: string, request: object, headers: Record<string, string> = {}): Promise<string> {
  const { status, text, body } = await call(`${gateway.url}${path}`, { body: request, headers });
  assert.equal(status, 200, text);
  return String(body.onetake?.generation);
}

/** The command printed, run, and what the provider got of it as against what it had got before. */
async function replayed(id: string, args: readonly string[] = []): Promise<Said> {
  const before = await paidRequests(sandbox.url);
  const printed = await onetake(gateway, ['replay', id, '--curl', ...args]);
  assert.equal(printed.code, 0, printed.stderr);
  for (const key of Object.values(KEYS)) assert.ok(!printed.stdout.includes(key) && !printed.stderr.includes(key));
  const ran = await sh(printed.stdout, gateway.home, KEYS);
  assert.equal(ran.code, 0, ran.stderr);
  const now = await paidRequests(sandbox.url);
  assert.equal(now.length, Math.min(100, before.length + 1), `${printed.stdout}\n${ran.stdout}`);
  return printed;
}

async function sameAsBefore(id: string, args: readonly string[] = [], at = -1): Promise<Said> {
  const sent = (await paidRequests(sandbox.url)).at(at);
  const printed = await replayed(id, args);
  const again = (await paidRequests(sandbox.url)).at(-1);
  assert.ok(sent && again);
  assert.deepEqual(meaningOf(again), meaningOf(sent), printed.stdout);
  return printed;
}

for (const { kind, model, n } of IMITATED) {
  test(`${kind}: the printed command sends what the gateway sent`, async () => {
    const id = await make('/v1/images/generations', { model: `x-${kind}/${model}`, prompt: HOSTILE, ...(n && { n }) });
    const { stdout } = await sameAsBefore(id);
    assert.ok(stdout.includes(`$${variableOf(kind)}`), stdout);
  });
}

test('an edit goes as a form whose files lie beside the command', async () => {
  const { body } = await call(`${gateway.url}/v1/images/generations`, {
    body: { model: 'x-openai/gpt-image-2', prompt: 'a picture', size: '1024x1024' },
  });
  const image = `data:image/png;base64,${body.data?.[0]?.b64_json}`;
  const long = `${HOSTILE} ${'word '.repeat(1_500)}`;
  for (const model of ['x-openai/gpt-image-2', 'x-stability/sd3.5-large']) {
    const edit = { model, prompt: model.startsWith('x-openai') ? long : HOSTILE, images: [{ image_url: image }] };
    const id = await make('/v1/images/edits', edit);
    const { stderr } = await sameAsBefore(id);
    const files = readdirSync(gateway.home).filter((name) => name.startsWith(`replay-${id}`));
    assert.ok(
      files.some((name) => name.endsWith('.png')),
      files.join(),
    );
    for (const name of files) {
      assert.equal(statSync(join(gateway.home, name)).mode & 0o777, 0o600);
      assert.ok(stderr.includes(join(gateway.home, name)), stderr);
    }
  }
});

test('pictures inside JSON go to a file with it; uploads whose names nobody knows are told', async () => {
  const { body } = await call(`${gateway.url}/v1/images/generations`, {
    body: { model: 'x-openai/gpt-image-2', prompt: 'a picture', size: '1024x1024' },
  });
  const images = [{ image_url: `data:image/png;base64,${body.data?.[0]?.b64_json}` }];
  for (const model of ['x-bfl/flux-2-pro', 'x-google/gemini-3.1-flash-image', 'x-automatic1111/default']) {
    const id = await make('/v1/images/edits', { model, prompt: HOSTILE, images });
    await sameAsBefore(id);
    assert.ok(existsSync(join(gateway.home, `replay-${id}.json`)), model);
  }
  const id = await make('/v1/images/edits', { model: 'x-evolink/gpt-image-2', prompt: 'p', images });
  const { code, stderr } = await onetake(gateway, ['replay', id, '--curl']);
  assert.equal(code, 1);
  assert.match(stderr, /names only the provider knew.*LINK-TO-UPLOAD-1/);
});

test('a long body goes to a file that only its owner may read', async () => {
  const prompt = `${HOSTILE} ${'and so on '.repeat(600)}`;
  const id = await make('/v1/images/generations', { model: 'x-openai/gpt-image-2', prompt });
  const { stdout, stderr } = await sameAsBefore(id);
  const file = join(gateway.home, `replay-${id}.json`);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal((JSON.parse(readFileSync(file, 'utf8')) as { prompt: string }).prompt, prompt);
  assert.ok(stderr.includes(file) && stdout.includes(`--data-binary '@replay-${id}.json'`) && stdout.length < 1_000);
});

test('every run of a split generation, and every attempt, is the one that was sent', async () => {
  const split = await make('/v1/images/generations', { model: 'x-comfyui/local', prompt: 'four', n: 4 });
  await sameAsBefore(split);
  const four = await make('/v1/images/generations', {
    model: 'x-bfl/flux-2-pro',
    prompt: 'three foxes',
    n: 3,
    seed: 7,
  });
  const sent = (await paidRequests(sandbox.url)).slice(-3).map(meaningOf);
  for (const run of [0, 1, 2]) {
    await replayed(four, ['--run', String(run)]);
    const again = (await paidRequests(sandbox.url)).at(-1);
    const seed = 7 + run;
    const found = sent.find(({ body }) => (body as { seed?: number }).seed === seed);
    assert.deepEqual(again && meaningOf(again), found);
  }
  const unknown = await onetake(gateway, ['replay', four, '--curl', '--run', '3']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /no run 3/);
});

test('what a ladder changed, and what was asked twice, is told by attempt', async () => {
  for (const model of ['flaky/gpt-image-2', 'softly']) {
    const id = await make('/v1/images/generations', { model, prompt: `${model} twice` });
    const sent = (await paidRequests(sandbox.url)).slice(-2).map(meaningOf);
    const view = await call(`${gateway.url}/v1/generations/${id}`);
    assert.equal(view.body.attempts, 2, view.text);
    for (const attempt of [1, 2]) {
      await replayed(id, ['--attempt', String(attempt)]);
      const again = (await paidRequests(sandbox.url)).at(-1);
      assert.deepEqual(again && meaningOf(again), sent[attempt - 1]);
    }
    assert.equal(isDeepStrictEqual(sent[0], sent[1]), model !== 'softly');
  }
});

test('another caller, an answer of chat and a missing attempt are refused with the reason', async () => {
  const id = await make('/v1/images/generations', { model: 'x-openai/gpt-image-2', prompt: 'p' });
  const missing = await call(`${gateway.url}/v1/generations/${id}/upstream?attempt=9`);
  assert.equal(missing.status, 404, missing.text);
  const misread = await call(`${gateway.url}/v1/generations/${id}/upstream?attempt=x`);
  assert.equal(misread.status, 400, misread.text);
  const chat = await call(`${gateway.url}/v1/chat/completions`, {
    body: { model: 'x-openai/gpt-5', messages: [{ role: 'user', content: 'hello' }] },
  });
  assert.equal(chat.status, 200, chat.text);
  const answer = String(chat.headers['x-onetake-generation']);
  // An answer of chat is written behind it.
  const refused = await until('its generation', async () => {
    const told = await call(`${gateway.url}/v1/generations/${answer}/upstream`);
    return told.status !== 404 && told;
  });
  assert.equal(refused.status, 409, refused.text);
  assert.match(refused.text, /what is said there is not stored/);
});

test('replay asks before it pays: without a terminal it refuses, and with --yes it makes the picture', async () => {
  const id = await make('/v1/images/generations', { model: 'x-bfl/flux-2-pro', prompt: 'a fox, again' });
  const refused = await onetake(gateway, ['replay', id]);
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(refused.stderr, /costs .*--yes/s);
  const made = await onetake(gateway, ['replay', id, '--yes', '-o', 'again.png', '--json']);
  assert.equal(made.code, 0, made.stderr);
  assert.ok(readdirSync(gateway.home).some((name) => name.startsWith('again.')));
  const free = await make('/v1/images/generations', { model: 'x-comfyui/local', prompt: 'for nothing' });
  assert.equal((await onetake(gateway, ['replay', free, '-o', 'free.png'])).code, 0);
});

test('a trace is found by our request id and by the provider’s; a report has no prompt unless it is wanted', async () => {
  const body = { model: 'x-openai/gpt-image-2', prompt: 'an umbrella seldom seen', style: 'vivid' };
  const { status, headers } = await call(`${gateway.url}/v1/images/generations`, { body });
  assert.equal(status, 400);
  const id = String(headers['x-onetake-generation']);
  const traced = await onetake(gateway, ['trace', id]);
  const theirs = /provider's request id (\S+)/.exec(traced.stdout)?.[1] ?? '';
  assert.match(traced.stdout, /classified by status 400/);
  for (const known of [String(headers['x-request-id']), theirs])
    assert.equal((await onetake(gateway, ['trace', known])).stdout, traced.stdout, known);
  const unknown = await onetake(gateway, ['trace', 'req_of_nobody']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /no generation has this id/);
  for (const options of [[], ['--with-prompt']]) {
    const { code, stderr } = await onetake(gateway, ['report', id, '-o', 'report.json', ...options]);
    assert.equal(code, 0, stderr);
    const file = join(gateway.home, 'report.json');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const text = readFileSync(file, 'utf8');
    assert.equal(text.includes('umbrella'), options.length > 0);
    const { config, targets, failures, explained } = JSON.parse(text);
    assert.ok(config && targets.length > 0 && failures.length === 1 && explained, text);
    assert.match(stderr, options.length > 0 ? /prompts ARE in it/ : /length and SHA-256 alone/);
  }
});
