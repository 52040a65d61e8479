/** The gallery, the list that is searched, and what a request would cost, as a caller meets them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { type Answer, call } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { readLedger } from './rig/ledger.ts';

const ANN = { authorization: 'Bearer key-of-ann' };
const BOB = { authorization: 'Bearer key-of-bob' };
const ADMIN = { authorization: 'Bearer key-of-the-one-who-runs-it' };
const ENV = { ONETAKE_API_KEYS: 'ann:key-of-ann,bob:key-of-bob', ONETAKE_ADMIN_KEY: 'key-of-the-one-who-runs-it' };

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({
    env: ENV,
    yaml: `
default_model: sandbox/ok
providers:
  black: { kind: openai, base_url: "sandbox:black,ok" }
routes:
  again: { targets: [black/gpt-image-2], suspect: retry_new_seed }
  best: { targets: [sandbox/refuse, sandbox/ok] }
`,
  });
});
after(() => gateway.close());

interface Picture {
  readonly generation: string;
  readonly hash: string;
  readonly index: number;
  readonly prompt: string;
  readonly mark: string | null;
  readonly candidates: string | null;
  readonly caller?: string;
  readonly url: string;
  readonly thumbnail_url: string;
}

async function make(fields: object, headers: Readonly<Record<string, string>> = ANN): Promise<Answer> {
  const body = { prompt: 'a red fox', size: '512x384', response_format: 'url', ...fields };
  const answer = await call(`${gateway.url}/v1/images/generations`, { headers, body });
  assert.equal(answer.status, 200, answer.text);
  return answer;
}

async function ask(path: string, headers: Readonly<Record<string, string>> = ANN, body?: object): Promise<Answer> {
  return call(`${gateway.url}${path}`, { headers, ...(body && { body }) });
}

async function gallery(query = '', headers = ANN): Promise<readonly Picture[]> {
  const { status, text, body } = await ask(`/v1/gallery${query}`, headers);
  assert.equal(status, 200, text);
  return (body.data ?? []) as unknown as readonly Picture[];
}

const idOf = ({ headers }: Answer) => String(headers['x-onetake-generation']);

test('what was handed over is in the gallery, and nothing else that was made or sent', async () => {
  const two = idOf(await make({ prompt: 'Two RED foxes', n: 2 }));
  assert.deepEqual(
    (await gallery(`?generation=${two}`)).map(({ index, prompt }) => [index, prompt]),
    [
      [0, 'Two RED foxes'],
      [1, 'Two RED foxes'],
    ],
  );
  const aside = await make({ prompt: 'set aside', model: 'again', onetake: { max_paid_attempts: 2 } });
  assert.equal((await gallery(`?generation=${idOf(aside)}`)).length, 1);
  const [reference] = await gallery('?limit=1');
  const bytes = Buffer.from(await (await fetch(String(reference?.url))).arrayBuffer());
  const dataUrl = `data:image/png;base64,${bytes.toString('base64')}`;
  const edit = await call(`${gateway.url}/v1/images/edits`, {
    headers: ANN,
    body: { prompt: 'an edit', model: 'sandbox/ok', images: [{ image_url: dataUrl }], size: '512x384' },
  });
  assert.equal(edit.status, 200, edit.text);
  const edited = await gallery(`?generation=${idOf(edit)}`);
  assert.equal(edited.length, 1);
  assert.notEqual(edited[0]?.hash, reference?.hash);
  await make({ prompt: 'streamed', stream: true, partial_images: 2 });
  assert.equal((await gallery('?text=streamed')).length, 1);
  const thumbnail = await fetch(String(edited[0]?.thumbnail_url));
  assert.equal(thumbnail.status, 200);
  assert.ok((await thumbnail.arrayBuffer()).byteLength < 100_000);
  assert.deepEqual(await gallery('', BOB), []);
});

test('candidates name their set; marks are each caller’s own', async () => {
  const made = await make({ prompt: 'one of three', candidates: 3 });
  const set = String(made.headers['x-onetake-candidates']);
  const shown = await gallery('?text=one+of+three');
  assert.deepEqual([shown.length, new Set(shown.map(({ candidates }) => candidates))], [3, new Set([set])]);
  const [first, second] = shown;
  const mark = (hash: unknown, value: string | null, headers = ANN) =>
    ask('/v1/gallery/marks', headers, { hash, mark: value });
  assert.equal((await mark(first?.hash, 'star')).status, 200);
  assert.equal((await mark(second?.hash, 'reject')).status, 200);
  assert.equal((await mark(first?.hash, 'star', BOB)).status, 404);
  const marked = async (query: string, headers = ANN) =>
    (await gallery(`?text=one+of+three&mark=${query}`, headers)).map(({ hash }) => hash);
  assert.deepEqual([await marked('star'), await marked('reject')], [[first?.hash], [second?.hash]]);
  assert.equal((await marked('unrejected')).length, 2);
  assert.equal((await marked('none', ADMIN)).length, 3, 'an administrator has marks of their own');
  const [seen] = await gallery('?limit=1', ADMIN);
  assert.equal(seen?.caller, 'ann');
});

test('the list is searched by words, model, target, kind, code and time, and shows the first picture', async () => {
  const began = Date.now();
  const failed = await ask('/v1/images/generations', BOB, { prompt: 'Bob’s LOST fox', model: 'sandbox/policy' });
  assert.equal(failed.status, 400);
  await make({ prompt: 'bob’s fox', model: 'best' }, BOB);
  const found = async (query: string, headers = BOB) =>
    (await ask(`/v1/generations?${query}`, headers)).body.data ?? [];
  const [lost, ...none] = await found('code=content_policy_violation');
  assert.deepEqual([lost?.prompt, lost?.pictures, lost?.thumbnail_url, none], ['Bob’s LOST fox', 0, null, []]);
  const [fox] = await found('model=best&target=sandbox/ok&makes=pictures&text=BOB');
  assert.deepEqual([fox?.makes, fox?.pictures], ['pictures', 1]);
  assert.ok(Number(fox?.duration_ms) >= 0 && (await fetch(String(fox?.thumbnail_url))).status === 200);
  assert.equal((await found(`since=${began}&text=fox`)).length, 2);
  assert.equal((await found(`until=${began}`)).length, 0);
  assert.equal((await found('makes=chat')).length, 0);
  assert.equal((await found('text=two+red&target=sandbox/', ADMIN)).length, 1);
  assert.equal((await ask('/v1/generations?makes=art', BOB)).status, 400);
});

test('an address with U+0000 in it is refused before any database reads it', async () => {
  for (const [path, param] of [
    ['/v1/generations/gen_%00', 'id'],
    ['/v1/generations?model=%00', 'model'],
    ['/v1/gallery?caller=%00', 'caller'],
  ] as const) {
    const { status, body } = await ask(path, ADMIN);
    assert.deepEqual([status, body.error?.code, body.error?.param], [400, 'invalid_value', param], path);
  }
});

test('an estimate is what the request then costs, sends nothing, and refuses what would be refused', async () => {
  const before = await readLedger(gateway.sandboxUrl);
  const body = { prompt: 'dear', model: 'best', n: 2, size: '512x384' };
  const told = await ask('/v1/estimates', ANN, body);
  assert.equal(told.status, 200, told.text);
  assert.deepEqual([told.body.target, told.body.fallbacks], ['sandbox/refuse', ['sandbox/ok']]);
  assert.deepEqual((await readLedger(gateway.sandboxUrl)).total, before.total);
  assert.deepEqual(await gallery('?text=dear'), []);
  const made = await make(body);
  assert.equal(told.body.usd, made.body.onetake?.price_usd);
  for (const wrong of [
    { prompt: '' },
    { prompt: 'p', model: 'nobody/x' },
    { prompt: 'p', n: 99 },
    { prompt: 'p', pick: 1, candidates: 9 },
  ]) {
    const [there, here] = [await ask('/v1/images/generations', ANN, wrong), await ask('/v1/estimates', ANN, wrong)];
    assert.ok(there.status >= 400 && there.status < 500, there.text);
    assert.deepEqual([here.status, here.body.error], [there.status, there.body.error]);
  }
  assert.equal((await ask('/v1/estimates', { authorization: 'Bearer wrong' }, body)).status, 401);
});

test('the request to the provider comes with a command that sends it', async () => {
  const id = idOf(await make({ prompt: "curl's fox" }));
  const { curl, url } = (await ask(`/v1/generations/${id}/upstream`)).body;
  assert.ok(String(curl).startsWith('curl ') && String(curl).includes(String(url)), String(curl));
  const charged = async () =>
    (await readLedger(gateway.sandboxUrl)).entries.filter(({ prompt }) => prompt === "curl's fox").length;
  const earlier = await charged();
  execFileSync('/bin/sh', ['-c', String(curl)], { stdio: 'ignore', timeout: 20_000 });
  assert.equal(await charged(), earlier + 1);
});
