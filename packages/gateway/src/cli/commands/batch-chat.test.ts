import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CliRun, cli, temporaryDirectory } from '../testing/cli.ts';
import { fakeGateway, type Received, type Reply } from '../testing/fake-gateway.ts';

const URL = '/v1/chat/completions';

function line(customId: string, url = URL) {
  return JSON.stringify({ custom_id: customId, method: 'POST', url, body: { model: 'any', messages: [] } });
}

interface Bench {
  readonly cwd: string;
  readonly received: readonly Received[];
  readonly batch: (args: string) => Promise<CliRun>;
  readonly read: (file: string) => string;
}

const OUTPUT = '{"custom_id":"a","response":{},"error":null}\n';
const ERRORS = '{"custom_id":"b","response":{},"error":null}\n';

/** A gateway whose batch is over at the second look. */
async function bench(
  t: TestContext,
  lines: readonly string[],
  instead: (one: Received) => Reply | undefined = () => undefined,
): Promise<Bench> {
  const cwd = temporaryDirectory(t);
  writeFileSync(join(cwd, 'requests.jsonl'), lines.join('\n'));
  let looks = 0;
  const { url, received } = await fakeGateway(t, (one) => instead(one) ?? reply(one));
  function reply({ method, url: path }: Received): Reply {
    if (path === '/v1/files') return { body: { id: 'file-1' } };
    if (path === '/v1/files/file-out/content') return { bytes: Buffer.from(OUTPUT) };
    if (path === '/v1/files/file-err/content') return { bytes: Buffer.from(ERRORS) };
    if (method === 'POST') return { body: { id: 'batch_1' } };
    looks += 1;
    const counts = { total: 2, completed: looks > 1 ? 1 : 0, failed: looks > 1 ? 1 : 0 };
    const status = looks > 1 ? 'completed' : 'in_progress';
    const usage = { input_tokens: 12, output_tokens: 34 };
    const files = looks > 1 ? { output_file_id: 'file-out', error_file_id: 'file-err' } : {};
    return { body: { id: 'batch_1', status, request_counts: counts, usage, ...files } };
  }
  const env = { ONETAKE_URL: url, ONETAKE_API_KEY: 'secret-key' };
  return {
    cwd,
    received,
    batch: (args) => cli(t, ['batch', ...args.split(' ')], { cwd, env }),
    read: (file) => readFileSync(join(cwd, file), 'utf8'),
  };
}

test('a file of chat lines becomes a batch of the gateway, and its files come into the directory', async (t) => {
  const { batch, received, read } = await bench(t, ['', line('a'), line('b')]);
  const { exitCode, stdout, stderr } = await batch('requests.jsonl --out out');
  assert.equal(exitCode, 1);
  assert.equal(stdout, 'lines      1 of 2 answered, 1 failed\ntokens     12 in, 34 out\nanswers    out/output.jsonl\n');
  assert.match(stderr, /^2 lines into out\n0\/2 answered · 0 failed · 2 left\n1\/2 answered · 1 failed · 0 left\n/);
  assert.deepEqual([read('out/output.jsonl'), read('out/errors.jsonl')], [OUTPUT, ERRORS]);
  assert.equal(read('out/failed.jsonl'), `${line('b')}\n`);
  assert.equal(JSON.parse(read('out/report.json')).usage.output_tokens, 34);
  const [file, created] = received;
  assert.ok(file?.body.includes(line('a')) && file.body.includes('name="purpose"'));
  assert.deepEqual(JSON.parse(created?.body ?? ''), {
    ...{ input_file_id: 'file-1', endpoint: URL, completion_window: '24h' },
  });
  assert.equal(created?.headers['idempotency-key'], `batch-${JSON.parse(read('out/chat-batch.json')).key}`);
  assert.equal(created?.headers.authorization, 'Bearer secret-key');
});

test('what was sent is not sent again: a batch goes on from the step it came to, under the same key', async (t) => {
  let broken = true;
  const { batch, received, read } = await bench(t, [line('a'), line('b')], ({ method, url }) => {
    const isCreation = method === 'POST' && url === '/v1/batches';
    return isCreation && broken ? { status: 400, body: { error: { code: 'no', message: 'not now' } } } : undefined;
  });
  assert.match((await batch('requests.jsonl --out out')).stderr, /no: not now/);
  assert.equal(JSON.parse(read('out/chat-batch.json')).file, 'file-1');
  broken = false;
  assert.equal((await batch('resume out')).exitCode, 1);
  assert.equal((await batch('resume out')).exitCode, 1);
  const posts = received.filter(({ method }) => method === 'POST');
  assert.deepEqual(
    posts.map(({ url }) => url),
    ['/v1/files', '/v1/batches', '/v1/batches'],
  );
  assert.equal(posts[1]?.headers['idempotency-key'], posts[2]?.headers['idempotency-key']);
});

test('what cannot be is told before anything is sent', async (t) => {
  const { batch, received, cwd } = await bench(t, [line('a'), line('a'), line('c', '/v1/embeddings')]);
  const wrong = await batch('requests.jsonl --out out');
  assert.equal(wrong.exitCode, 1);
  assert.match(wrong.stderr, /line 2: custom_id "a" stands on an earlier line too/);
  assert.match(wrong.stderr, /line 3: url is not "\/v1\/chat\/completions"/);
  for (const [option, why] of [
    ['--max-cost 1', /--max-cost: what an answer of chat costs shows only/],
    ['--model x', /--model: a line of chat says all itself/],
  ] as const) {
    const refused = await batch(`requests.jsonl --out out ${option}`);
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, why);
  }
  writeFileSync(join(cwd, 'good.jsonl'), `${line('a')}\n${line('b')}\n`);
  const dry = await batch('good.jsonl --dry-run');
  assert.equal(dry.stdout, `2 lines for ${URL}\nprice      unknown: tokens show only in the answers\n`);
  assert.equal(existsSync(join(cwd, 'out')), false);
  assert.equal(received.length, 0);
});

test('a gateway that does not know the batch, or refuses it, is told', async (t) => {
  let answer: Reply = { status: 404, body: { error: { code: 'not_found', message: 'none' } } };
  const { batch } = await bench(t, [line('a'), line('b')], ({ method, url }) =>
    method === 'GET' && url === '/v1/batches/batch_1' ? answer : undefined,
  );
  const unknown = await batch('requests.jsonl --out out');
  assert.match(unknown.stderr, /the gateway does not know batch_1; it was sent through \S+\n$/);
  assert.equal(unknown.exitCode, 2);
  const counts = { total: 2, completed: 0, failed: 0 };
  const errors = { data: [{ message: 'line 1: too odd' }] };
  answer = { body: { id: 'batch_1', status: 'failed', request_counts: counts, errors } };
  const refused = await batch('resume out');
  assert.deepEqual([refused.exitCode, /refused the batch\n {2}line 1: too odd/.test(refused.stderr)], [1, true]);
  assert.match((await batch('retry out --only x')).stderr, /begin another: onetake batch out\/failed.jsonl/);
});

test('files are asked for until the gateway has them', async (t) => {
  let turns = 0;
  const headers = { 'retry-after-ms': '1' };
  const { batch, read } = await bench(t, [line('a'), line('b')], ({ url }) => {
    if (url !== '/v1/files/file-out/content') return undefined;
    turns += 1;
    const busy = { error: { code: 'storage_unavailable', message: 'not now' } };
    return turns < 3 ? { status: 503, headers, body: busy } : undefined;
  });
  assert.equal((await batch('requests.jsonl --out out')).exitCode, 1);
  assert.deepEqual([turns, read('out/output.jsonl')], [3, OUTPUT]);
});
