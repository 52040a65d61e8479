/** Batches of chat through OpenAI's own SDK: every line has one answer, and what was answered is not asked again. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type OpenAI from 'openai';
import { call } from './rig/call.ts';
import { removeDirectory, temporaryDirectory } from './rig/directories.ts';
import { startFleet } from './rig/fleet.ts';
import { ONETAKE, type RunningGateway, startGateway } from './rig/gateway.ts';
import { clientOf, countsOf, create, ended } from './rig/http-batches.ts';
import { readLedger } from './rig/ledger.ts';
import { until } from './rig/poll.ts';
import { runFile } from './rig/processes.ts';
import { type RunningSandbox, startSandbox } from './rig/sandbox.ts';

const CHAT = '/v1/chat/completions';

/** A line of an output or error file. */
interface Line<Body> {
  readonly id: string;
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly request_id: string; readonly body: Body } | null;
  readonly error: { readonly code: string } | null;
}

interface Refused {
  readonly error: { readonly code: string; readonly param: string | null };
  readonly onetake: { readonly billed?: string; readonly generation?: string };
}

let sandbox: RunningSandbox;
let gateway: RunningGateway;
let client: OpenAI;
before(async () => {
  sandbox = await startSandbox();
  gateway = await startGateway({ yaml: yamlFor(sandbox) });
  client = clientOf(gateway);
});
after(async () => {
  await gateway?.close();
  await sandbox?.close();
});

/** Slow lines go a few at a time, so that a kill meets a batch at work. */
function yamlFor({ url }: RunningSandbox): string {
  const lab = `  lab: { kind: openai-compatible, base_url: "${url}/v1" }`;
  return ['providers:', lab, 'limits:', '  "lab/slow:0.2": { concurrency: 8 }', ''].join('\n');
}

/** A line that says its name. */
function line(customId: string, model: string, body: object = {}) {
  const messages = [{ role: 'user', content: customId }];
  return { custom_id: customId, method: 'POST', url: CHAT, body: { model, messages, ...body } };
}

async function linesOf<Body>(from: OpenAI, fileId: string | null | undefined): Promise<readonly Line<Body>[]> {
  if (!fileId) return [];
  const text = await (await from.files.content(fileId)).text();
  return text
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one));
}

/** How often each was asked, by what was said. */
async function timesAsked(url: string): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (const { prompt = '' } of (await readLedger(url)).entries) times.set(prompt, (times.get(prompt) ?? 0) + 1);
  return times;
}

const namesOf = (lines: readonly Line<unknown>[]) => lines.map(({ custom_id }) => custom_id);

test('a batch from upload to answers: what fails before an answer is repeated, what is refused is in the error file', async () => {
  const begun = await create(
    client,
    [
      line('plain', 'lab/ok'),
      line('throttled', 'lab/429,ok'),
      line('died', 'lab/die-before-first,ok'),
      line('refused', 'lab/400'),
      line('empty', 'lab/ok', { messages: [] }),
      line('streamed', 'lab/ok', { stream: true }),
      line('unnamed', ''),
      line('last', 'lab/tokens:7'),
    ],
    CHAT,
  );
  assert.deepEqual([begun.endpoint, begun.status], [CHAT, 'validating']);
  const batch = await ended(client, begun.id);
  assert.deepEqual([batch.status, ...countsOf(batch)], ['completed', 8, 4, 4]);
  const output = await linesOf<OpenAI.ChatCompletion>(client, batch.output_file_id);
  assert.deepEqual(namesOf(output), ['plain', 'throttled', 'died', 'last']);
  for (const { id, response, error } of output) {
    assert.deepEqual([response?.status_code, response?.request_id, error], [200, id, null]);
    assert.equal(response?.body.object, 'chat.completion');
    assert.ok(response.body.choices[0]?.message.content);
  }
  const total = output.reduce((sum, { response }) => sum + (response?.body.usage?.total_tokens ?? 0), 0);
  assert.ok(total > 0);
  assert.equal(batch.usage?.total_tokens, total);
  assert.equal(total, (batch.usage?.input_tokens ?? 0) + (batch.usage?.output_tokens ?? 0));
  const errors = await linesOf<Refused>(client, batch.error_file_id);
  assert.deepEqual(
    errors.map(({ custom_id, response }) => [custom_id, response?.status_code, response?.body.error.param]),
    [
      ['refused', 400, errors[0]?.response?.body.error.param],
      ['empty', 400, 'messages'],
      ['streamed', 400, 'stream'],
      ['unnamed', 400, 'model'],
    ],
  );
  const asked = await timesAsked(sandbox.url);
  assert.deepEqual([asked.get('plain'), asked.get('throttled'), asked.get('died'), asked.get('refused')], [1, 2, 2, 1]);
  const { generation } = errors[0]?.response?.body.onetake ?? {};
  assert.equal((await call(`${gateway.url}/v1/generations/${generation}`)).body.status, 'failed');
});

test('answers of the Responses API, and vectors', async () => {
  const responses = ['one', 'two'].map((name) => ({
    ...{ custom_id: name, method: 'POST', url: '/v1/responses' },
    body: { model: 'lab/ok', input: `say ${name}` },
  }));
  const first = await ended(client, (await create(client, responses, '/v1/responses')).id);
  const said = await linesOf<OpenAI.Responses.Response>(client, first.output_file_id);
  assert.deepEqual(
    said.map(({ custom_id, response }) => [custom_id, response?.body.object, response?.body.status]),
    [
      ['one', 'response', 'completed'],
      ['two', 'response', 'completed'],
    ],
  );
  const vectors = [['a', 'b'], 'c'].map((input, index) => ({
    ...{ custom_id: `v${index}`, method: 'POST', url: '/v1/embeddings' },
    body: { model: 'lab/ok', input },
  }));
  const second = await ended(client, (await create(client, vectors, '/v1/embeddings')).id);
  const found = await linesOf<OpenAI.CreateEmbeddingResponse>(client, second.output_file_id);
  assert.deepEqual(
    found.map(({ response }) => response?.body.data.length),
    [2, 1],
  );
  assert.deepEqual([second.usage?.output_tokens, (second.usage?.input_tokens ?? 0) > 0], [0, true]);
});

test('a file for another endpoint fails its batch before anything is asked', async () => {
  const before = (await readLedger(sandbox.url)).total.requests;
  const batch = await ended(client, (await create(client, [line('a', 'lab/ok')], '/v1/responses')).id);
  assert.deepEqual([batch.status, batch.errors?.data?.[0]?.code], ['failed', 'invalid_url']);
  assert.equal((await readLedger(sandbox.url)).total.requests, before);
});

test('canceled: what is answered is in the output, what is in flight is broken off, the rest never asked', async () => {
  const quick = Array.from({ length: 3 }, (_, index) => line(`quick ${index}`, 'lab/ok'));
  const slow = Array.from({ length: 397 }, (_, index) => line(`slow ${index}`, 'lab/slow:60'));
  const { id } = await create(client, [...quick, ...slow], CHAT);
  await until('three answers', async () => (await client.batches.retrieve(id)).request_counts?.completed === 3);
  const canceledAt = performance.now();
  await client.batches.cancel(id);
  const batch = await ended(client, id);
  assert.ok(performance.now() - canceledAt < 10_000);
  assert.deepEqual([batch.status, ...countsOf(batch)], ['cancelled', 400, 3, 397]);
  assert.deepEqual(namesOf(await linesOf(client, batch.output_file_id)), ['quick 0', 'quick 1', 'quick 2']);
  const errors = await linesOf<Refused>(client, batch.error_file_id);
  assert.deepEqual(
    namesOf(errors),
    slow.map(({ custom_id }) => custom_id),
  );
  const codes = new Set(errors.map(({ response, error }) => response?.body.error.code ?? error?.code));
  assert.deepEqual([...codes].toSorted(), ['batch_cancelled', 'canceled']);
  const running = (await call(`${gateway.url}/v1/tasks?status=processing`)).body as { data?: readonly unknown[] };
  assert.deepEqual(running.data, []);
});

const COUNT = 200;

/** Every tenth line is refused, one is throttled and one dies at first: each a target of its own, so that no breaker opens. */
function mixed(prefix: string, lab: string) {
  return Array.from({ length: COUNT }, (_, index) => {
    const slow = `slow:0.2${String(index).padStart(3, '0')}`;
    const failing = ['400', `429,${slow}`, `die-before-first,${slow}`];
    return line(`${prefix} ${index}`, `${lab}/${failing[index % 10] ?? 'slow:0.2'}`);
  });
}

async function assertEveryLineOnce(from: OpenAI, batch: OpenAI.Batch, prefix: string): Promise<void> {
  assert.equal(batch.status, 'completed');
  const output = await linesOf<OpenAI.ChatCompletion>(from, batch.output_file_id);
  const errors = await linesOf<Refused>(from, batch.error_file_id);
  const all = Array.from({ length: COUNT }, (_, index) => `${prefix} ${index}`);
  const isRefused = (_: string, index: number) => index % 10 === 0;
  assert.deepEqual(namesOf(errors), all.filter(isRefused));
  assert.deepEqual(
    namesOf(output),
    all.filter((name, index) => !isRefused(name, index)),
  );
  assert.deepEqual(countsOf(batch), [COUNT, output.length, errors.length]);
  assert.ok(errors.every(({ response }) => response?.status_code === 400));
}

/** The lines whose answer is on the disk, by number. */
function answeredIn(dataDir: string, id: string): readonly number[] {
  const text = readFileSync(join(dataDir, 'assets', 'batches', id, 'answers.log'), 'utf8');
  const records = text
    .split('\n')
    .slice(0, -1)
    .filter((record) => record !== '');
  return records.map((record) => JSON.parse(record.split('\t')[0] ?? '').index);
}

test('killed in the middle again and again: every line has one answer, and what was answered was asked once', async (context) => {
  let own = await startGateway({ yaml: yamlFor(sandbox) });
  context.after(() => own.close());
  const { id } = await create(clientOf(own), mixed('fox', 'lab'), CHAT);
  let answered: readonly number[] = [];
  let before: ReadonlyMap<string, number> = new Map();
  for (let kill = 0; kill < 3; kill += 1) {
    const known = answered.length;
    await until('some answers', () => Promise.resolve(countIn(own.dataDir, id) > known + 20));
    await own.kill();
    const again = await timesAsked(sandbox.url);
    for (const index of answered) assert.equal(again.get(`fox ${index}`), before.get(`fox ${index}`), `fox ${index}`);
    answered = answeredIn(own.dataDir, id);
    before = again;
    assert.ok(answered.length < COUNT, 'the kill came after the end');
    own = await startGateway({ home: own.home });
  }
  const batch = await ended(clientOf(own), id);
  await assertEveryLineOnce(clientOf(own), batch, 'fox');
  const asked = await timesAsked(sandbox.url);
  for (const index of answered) assert.equal(asked.get(`fox ${index}`), before.get(`fox ${index}`), `fox ${index}`);
});

function countIn(dataDir: string, id: string): number {
  try {
    return answeredIn(dataDir, id).length;
  } catch {
    return 0;
  }
}

test('a node that is killed leaves its batch to another, which asks only what has no answer', async (context) => {
  const fleet = await startFleet(3);
  context.after(() => fleet.close());
  const connect = () => {
    const [node] = fleet.nodes();
    if (node === undefined) throw new Error('no node is alive');
    return clientOf(node);
  };
  const { id } = await create(connect(), mixed('lynx', 'lab2'), CHAT);
  for (let kill = 0; kill < 3; kill += 1) {
    await pause(200 + Math.random() * 300);
    await fleet.killOne();
  }
  const batch = await ended(connect(), id);
  await assertEveryLineOnce(connect(), batch, 'lynx');
});

test('onetake batch: killed with its gateway and gone on with, every line has one answer in the directory', async (context) => {
  const home = temporaryDirectory();
  context.after(() => removeDirectory(home));
  writeFileSync(join(home, 'onetake.yaml'), yamlFor(sandbox));
  const requests = mixed('owl', 'lab');
  writeFileSync(join(home, 'requests.jsonl'), requests.map((one) => JSON.stringify(one)).join('\n'));
  const dataDir = join(home, 'data');
  const run = (args: readonly string[]) =>
    runFile(ONETAKE, ['batch', ...args], { cwd: home, env: { ONETAKE_PORT: '0', ONETAKE_DATA: dataDir } });
  const first = run(['requests.jsonl', '--out', 'out']);
  await until('its first report', () => Promise.resolve(first.stderr().includes(' left\n')));
  const id: string = JSON.parse(readFileSync(join(home, 'out', 'chat-batch.json'), 'utf8')).batch;
  await until('some answers', () => Promise.resolve(countIn(dataDir, id) > 20));
  await first.end('SIGKILL');
  const answered = answeredIn(dataDir, id);
  const before = await timesAsked(sandbox.url);
  assert.ok(answered.length < COUNT);
  const second = run(['resume', 'out', '--json']);
  assert.equal(await second.ended(60_000), 1);
  const summary = JSON.parse(second.stdout());
  assert.deepEqual([summary.batch, summary.lines, summary.completed, summary.failed], [id, COUNT, 180, 20]);
  const read = (name: string) =>
    readFileSync(join(home, 'out', name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((one) => JSON.parse(one).custom_id);
  const names = requests.map(({ custom_id }) => custom_id);
  const isRefused = (name: string) => Number(name.split(' ')[1]) % 10 === 0;
  assert.deepEqual(
    read('output.jsonl'),
    names.filter((name) => !isRefused(name)),
  );
  assert.deepEqual(read('failed.jsonl'), names.filter(isRefused));
  assert.deepEqual(read('errors.jsonl'), names.filter(isRefused));
  const asked = await timesAsked(sandbox.url);
  for (const index of answered) assert.equal(asked.get(`owl ${index}`), before.get(`owl ${index}`), `owl ${index}`);
});
