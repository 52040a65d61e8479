import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TINY_PNG_BASE64 } from '@onetake/core/testing';
import { type CliOptions, type CliRun, cli, temporaryDirectory } from '../testing/cli.ts';
import { fakeGateway, type Received } from '../testing/fake-gateway.ts';
import { type FakeTasks, type FakeTasksOptions, fakeTasks, problem } from '../testing/fake-tasks.ts';

interface Bench {
  readonly cwd: string;
  readonly tasks: FakeTasks;
  readonly received: readonly Received[];
  readonly posts: () => readonly Received[];
  readonly batch: (args: string, options?: CliOptions) => Promise<CliRun>;
  readonly json: (file: string) => Record<string, unknown>;
}

/** A directory with prompts and a gateway that has tasks. */
async function bench(t: TestContext, prompts: readonly unknown[], options: FakeTasksOptions = {}): Promise<Bench> {
  const cwd = temporaryDirectory(t);
  writeFileSync(join(cwd, 'prompts.jsonl'), prompts.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const tasks = fakeTasks(options);
  const { url, received } = await fakeGateway(t, tasks.reply);
  const env = { ONETAKE_URL: url, ONETAKE_API_KEY: 'secret-key' };
  return {
    cwd,
    tasks,
    received,
    posts: () => received.filter(({ method }) => method === 'POST'),
    batch: (args, more = {}) =>
      cli(t, ['batch', ...args.split(' ').filter((arg) => arg !== '')], { cwd, env, ...more }),
    json: (file) => JSON.parse(readFileSync(join(cwd, file), 'utf8')),
  };
}

const GOOD = 'prompts.jsonl --model good --out out';

test('every line becomes a file named after it, and what it cost is told', async (t) => {
  const prompts = ['a fox', { prompt: 'two foxes', n: 2, model: 'better', onetake: { payment: 'strict' } }];
  const { batch, cwd, posts, json } = await bench(t, prompts);
  const { exitCode, stdout, stderr } = await batch(`${GOOD} --size 64x64`);
  assert.equal(exitCode, 0);
  assert.equal(
    stdout,
    'lines      2 of 2 done, 0 failed, 0 unknown, 0 left\npictures   3\nspent      $0.12\nreport     out/report.json\n',
  );
  assert.equal(stderr, '2 lines into out\n2/2 done · 0 failed · 0 left · $0.12 spent · $0.00 reserved\n');
  const files = readdirSync(join(cwd, 'out'));
  assert.deepEqual(files, [
    '0001.png',
    '0002-2.png',
    '0002.png',
    'batch.json',
    'failed.jsonl',
    'lines.jsonl',
    'progress.jsonl',
    'report.json',
  ]);
  assert.deepEqual(readFileSync(join(cwd, 'out', '0002-2.png')), Buffer.from(TINY_PNG_BASE64, 'base64'));
  const [first, second] = posts();
  assert.deepEqual(JSON.parse(first?.body ?? ''), { model: 'good', size: '64x64', prompt: 'a fox' });
  assert.deepEqual(JSON.parse(second?.body ?? '').onetake, { payment: 'strict' });
  assert.equal(first?.headers['x-onetake-priority'], 'batch');
  assert.equal(first?.headers.authorization, 'Bearer secret-key');
  assert.equal(first?.headers['idempotency-key'], `batch-${json('out/batch.json').id}-1`);
  assert.equal(first?.headers['x-onetake-max-paid-attempts'], undefined);
});

test('failures do not stop the others; they are listed with their reasons and repeated by name', async (t) => {
  const state = { failing: true };
  const { batch, cwd, json, tasks, posts } = await bench(t, ['a fox', 'refused', 'failed', 'unknown', { n: 3 }], {
    endOf: ({ prompt }) =>
      prompt === 'a fox' || (prompt === 'failed' && !state.failing) ? 'completed' : (prompt as 'refused'),
  });
  const { exitCode, stdout } = await batch(GOOD);
  assert.equal(exitCode, 1);
  assert.match(stdout, /^lines {6}1 of 5 done, 3 failed, 1 unknown, 0 left$/m);
  assert.match(stdout, /^spent {6}\$0\.04, possibly \$0\.08 more$/m);
  const report = json('out/report.json');
  assert.deepEqual(report.codes, {
    content_policy_violation: 1,
    generation_failed: 1,
    outcome_unknown: 1,
    missing_required_parameter: 1,
  });
  const id = json('out/batch.json').id;
  assert.deepEqual(report.unknown, [
    { line: 4, code: 'outcome_unknown', task: `gen_batch-${id}-4`, generation: `gen_batch-${id}-4` },
  ]);
  const failed = readFileSync(join(cwd, 'out', 'failed.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one));
  assert.deepEqual(
    failed.map(({ line, prompt, code, kind, billed }) => [line, prompt, code, kind, billed]),
    [
      [2, 'refused', 'content_policy_violation', 'policy', 'no'],
      [3, 'failed', 'generation_failed', 'server', 'maybe'],
      [4, 'unknown', 'outcome_unknown', 'network', 'maybe'],
      [5, undefined, 'missing_required_parameter', null, 'no'],
    ],
  );
  state.failing = false;
  const sent = posts().length;
  const again = await batch('retry out --only server,outcome_unknown');
  assert.equal(again.exitCode, 1);
  assert.equal(posts().length, sent + 1, 'never an unknown one without --retry-unknown');
  assert.deepEqual([...tasks.sent.keys()].at(-1), `batch-${id}-3-2`);
  assert(existsSync(join(cwd, 'out', '0003.png')));
  await batch('resume out --retry-unknown');
  assert.deepEqual([...tasks.sent.keys()].at(-1), `batch-${id}-4-2`);
  assert.deepEqual(new Set(tasks.sent.values()), new Set([1]));
});

test('--dry-run says what it would cost and which lines cannot work, and sends nothing', async (t) => {
  const prompts = [
    'a fox',
    { prompt: 'two', n: 2 },
    { prompt: 'x'.repeat(32_001) },
    { prompt: 'y', model: 'unknown-model' },
  ];
  const limits = { images: [{ count: 5, window_ms: 60_000 }], concurrency: 2 };
  const { batch, cwd, received } = await bench(t, prompts, {
    model: { price: { per_image_usd: 0.05, lowest_usd: 0.04 }, limits },
  });
  const { exitCode, stdout } = await batch('prompts.jsonl --model good --dry-run');
  assert.equal(exitCode, 0);
  assert.equal(
    stdout,
    `work    2 lines, 3 pictures
price   $0.12–$0.15
time    about 36 s at the limits known now
model   good, $0.05 a picture, 5 pictures in 1 min, 2 at once
2 lines cannot work:
  line 3: prompt: "${'x'.repeat(60)}…" (32001 characters) is not a text of 1 to 32000 characters; change it
  line 4: model: did you mean "good"?
`,
  );
  assert.deepEqual(readdirSync(cwd), ['prompts.jsonl']);
  assert.deepEqual(new Set(received.map(({ method }) => method)), new Set(['GET']));
  const json = await batch('prompts.jsonl --model good --dry-run --json');
  const { price_usd, time_ms, problems } = JSON.parse(json.stdout);
  assert.deepEqual([price_usd, time_ms, problems.length], [{ low: 0.12, high: 0.15 }, 36_000, 2]);
  const none = await batch('prompts.jsonl --model unknown-model --dry-run');
  assert.equal(none.exitCode, 1);
  assert.match(none.stderr, /no line can work, so nothing was sent\n4 lines cannot work:/);
});

test('a price that nobody knows is unknown in a dry run, and refuses a cap before anything is sent', async (t) => {
  const tokens = { price: { per_million_tokens_usd: { text_input: 5, image_input: 10, output: 40 } } };
  const { batch, posts, cwd } = await bench(t, ['a fox'], { model: tokens });
  const dry = await batch('prompts.jsonl --model good --dry-run');
  assert.match(dry.stdout, /^price {3}unknown: good is billed by the tokens its answers report$/m);
  assert.match(dry.stdout, /^time {4}unknown: no limit is known here/m);
  const { exitCode, stderr } = await batch(`${GOOD} --max-cost 10`);
  assert.equal(exitCode, 2);
  assert.match(stderr, /--max-cost: nobody here knows in advance what a picture of good costs/);
  assert.deepEqual([posts().length, existsSync(join(cwd, 'out'))], [0, false]);
  assert.equal((await batch(GOOD)).exitCode, 0, 'without a cap it runs');
  writeFileSync(join(cwd, 'more.txt'), 'refused');
  await batch('more.txt --model good --out more');
  const retried = await batch('retry more --only policy --max-cost 1');
  assert.deepEqual([retried.exitCode, posts().length], [2, 2], 'a retry is held to the same');
});

test('the cap is met and not passed; the rest stays pending and a higher cap goes on', async (t) => {
  const { batch, json, tasks, posts } = await bench(
    t,
    Array.from({ length: 8 }, (_, index) => `fox ${index}`),
  );
  const { exitCode, stdout } = await batch(`${GOOD} --max-cost 0.20`);
  assert.equal(exitCode, 3);
  assert.match(stdout, /to go on: onetake batch resume out --max-cost <more>/);
  const report = json('out/report.json') as { lines: Record<string, number>; spent_usd: number };
  assert.deepEqual([report.lines.done, report.lines.pending, report.spent_usd], [5, 3, 0.2]);
  const attempts = posts().map(({ headers }) => headers['x-onetake-max-paid-attempts']);
  assert.deepEqual(new Set(attempts), new Set(['2', '1']), 'what may be paid twice is held back twice');
  assert.equal((await batch('resume out')).exitCode, 3, 'the cap stays');
  assert.equal(tasks.byKey.size, 5);
  const more = await batch('resume out --max-cost 1');
  assert.deepEqual([more.exitCode, tasks.byKey.size], [0, 8]);
});

test('--json: a line per end and a summary', async (t) => {
  const { batch } = await bench(t, ['a fox', 'refused']);
  const { stdout } = await batch(`${GOOD} --json --concurrency 1`);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map(({ type, line, status, code, exit_code }) => [type, line, status ?? exit_code, code]),
    [
      ['line', 1, 'done', undefined],
      ['line', 2, 'failed', 'content_policy_violation'],
      ['summary', undefined, 1, undefined],
    ],
  );
  assert.deepEqual(events[0].files[0].file, '0001.png');
});

test('Ctrl-C begins nothing more, finishes what runs, leaves what waits in the queue, and resume goes on', async (t) => {
  const stop = new AbortController();
  const made = { running: false };
  const { batch, tasks, json } = await bench(t, ['processing', 'pending', 'a fox'], {
    endOf: ({ prompt }) =>
      prompt === 'a fox' || (prompt === 'processing' && made.running) ? 'completed' : (prompt as 'pending'),
    instead: ({ url }) => {
      if (url.includes('-2') && !stop.signal.aborted) stop.abort();
      if (stop.signal.aborted && url.includes('-1')) made.running = true;
      return undefined;
    },
  });
  const { exitCode, stderr } = await batch(`${GOOD} --concurrency 2`, { signal: stop.signal });
  assert.equal(exitCode, 130);
  assert.match(stderr, /interrupted; go on by onetake batch resume out/);
  const { lines, ended_by } = json('out/report.json') as { lines: Record<string, number>; ended_by: string };
  assert.deepEqual([ended_by, lines.done, lines.accepted, lines.pending], ['interrupt', 1, 1, 1]);
  tasks.settle();
  assert.equal((await batch('resume out')).exitCode, 0);
  assert.deepEqual(new Set(tasks.sent.values()), new Set([1]));
});

test('a full queue is waited for as told', async (t) => {
  let refusals = 2;
  const { batch, tasks } = await bench(t, ['a fox'], {
    instead: ({ method }) =>
      method === 'POST' && refusals-- > 0 ? problem(429, 'queue_full', 'later', { 'retry-after-ms': '1' }) : undefined,
  });
  assert.equal((await batch(GOOD)).exitCode, 0);
  assert.equal(tasks.byKey.size, 1);
});

test('a key the gateway refuses stops the batch, and nothing is lost', async (t) => {
  const gate = { open: false };
  const { batch, json } = await bench(t, ['a fox', 'two'], {
    instead: ({ method }) =>
      method === 'POST' && !gate.open ? problem(401, 'invalid_api_key', 'wrong key') : undefined,
  });
  const { exitCode, stderr } = await batch(GOOD);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^onetake: wrong key; go on by onetake batch resume out$/m);
  assert.equal(json('out/report.json').ended_by, 'error');
  gate.open = true;
  assert.equal((await batch('resume out')).exitCode, 0);
});

test('stdin, a directory in use, and what cannot be a batch', async (t) => {
  const { batch, cwd } = await bench(t, ['a fox']);
  async function* stdin() {
    yield Buffer.from('a fox\n\na bear\n');
  }
  assert.equal((await batch('- --model good --out piped', { stdin: stdin() })).exitCode, 0);
  assert(existsSync(join(cwd, 'piped', '0003.png')), 'named after the line, blank ones counted');
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /which prompts\?/],
    ['prompts.jsonl --model good', /--out is missing/],
    ['none.jsonl --out out', /none\.jsonl: cannot be read \(ENOENT\)/],
    ['prompts.jsonl --model good --out piped', /holds a batch; go on with it by onetake batch resume/],
    ['prompts.jsonl --model good --out .', /is not empty \(p\w+(\.jsonl)?\); choose another --out/],
    ['resume nowhere', /holds no batch/],
    ['retry piped', /--only is missing/],
    ['prompts.jsonl --model good --out out --max-cost ten', /expected an amount in US dollars/],
  ];
  for (const [args, says] of wrong) {
    const { exitCode, stderr } = await batch(args);
    assert.match(stderr, says);
    assert.equal(exitCode, 2, args);
  }
  writeFileSync(
    join(cwd, 'piped', 'batch.lock'),
    JSON.stringify({ pid: process.ppid, host: 'elsewhere', started: null }),
  );
  const held = await batch('resume piped');
  assert.match(held.stderr, /process \d+ on elsewhere works on this batch; end it there, or remove/);
  assert.equal(held.exitCode, 1);
});

test('a batch does not go on through a gateway that does not know it', async (t) => {
  const { batch, tasks, cwd } = await bench(t, ['pending']);
  const stop = new AbortController();
  const run = batch(GOOD, { signal: stop.signal });
  while (tasks.byKey.size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  stop.abort();
  assert.equal((await run).exitCode, 130);
  const other = fakeTasks();
  const { url } = await fakeGateway(t, other.reply);
  const strange = await cli(t, ['batch', 'resume', 'out'], { cwd, env: { ONETAKE_URL: url } });
  assert.match(strange.stderr, /this batch was sent through http.*which does not know it/);
  assert.deepEqual([strange.exitCode, other.byKey.size], [2, 0]);
  const moved = await fakeGateway(t, tasks.reply);
  tasks.settle();
  const same = await cli(t, ['batch', 'resume', 'out'], { cwd, env: { ONETAKE_URL: moved.url } });
  assert.equal(same.exitCode, 0, 'one of another name that knows it is the same');
});
