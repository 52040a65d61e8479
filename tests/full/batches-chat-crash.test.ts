/** Batches of chat whose processes are killed: what was answered is not asked again, and every line has one answer. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type OpenAI from 'openai';
import { CHAT, line, linesOf, namesOf, type Refused, timesAsked, yamlFor } from '../rig/chat-batches.ts';
import { removeDirectory, temporaryDirectory } from '../rig/directories.ts';
import { startFleet } from '../rig/fleet.ts';
import { ONETAKE, startGateway } from '../rig/gateway.ts';
import { clientOf, countsOf, create, ended } from '../rig/http-batches.ts';
import { until } from '../rig/poll.ts';
import { runFile } from '../rig/processes.ts';
import { type RunningSandbox, startSandbox } from '../rig/sandbox.ts';

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(() => sandbox?.close());

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
