/** A limit is kept by waiting, so that nobody who asks for more at once is told to come back. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { generate } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { mostInAnyWindow, readLedger } from './rig/ledger.ts';
import { type RunningSandbox, startSandbox } from './rig/sandbox.ts';
import { finishedTask, submitTask } from './rig/tasks.ts';

const REQUESTS = 20;
const MOST = 5;
const WINDOW_MS = 3_000;
/** The sandbox notes an arrival when its process gets the processor; `bench:pacing` judges a whole minute without this. */
const NOTED_LATE_MS = 150;

/** It has no limit of its own: what is kept, the gateway keeps. */
let sandbox: RunningSandbox;
let gateway: RunningGateway;
before(async () => {
  sandbox = await startSandbox();
  gateway = await startGateway({
    yaml: [
      'providers:',
      `  lab: { kind: openai-compatible, base_url: "${sandbox.url}/v1" }`,
      'limits:',
      `  "lab/*": { images: ${MOST}/${WINDOW_MS}ms }`,
      'sandbox: off',
      '',
    ].join('\n'),
  });
});
after(async () => {
  await gateway.close();
  await sandbox.close();
});

async function assertPaced(model: string): Promise<void> {
  const entries = (await readLedger(sandbox.url)).entries.filter((entry) => entry.model === model);
  assert.deepEqual([entries.length, mostInAnyWindow(entries, WINDOW_MS - NOTED_LATE_MS)], [REQUESTS, MOST]);
  const tookMs = (entries.at(-1)?.at ?? 0) - (entries[0]?.at ?? 0);
  const leastMs = (REQUESTS / MOST - 1) * WINDOW_MS;
  assert.ok(tookMs < leastMs * 1.25, `${tookMs} ms for what needs ${leastMs}`);
}

// Each has a model, and so a limit, of its own.
suite(`${REQUESTS} requests at ${MOST} per ${WINDOW_MS / 1_000} s`, { concurrency: true }, () => {
  test('as calls: every one gets its picture, and no window is overrun', async () => {
    const model = 'slow:0.011';
    const ask = (_: unknown, index: number) => generate(gateway.url, { model: `lab/${model}`, prompt: `fox ${index}` });
    const answers = await Promise.all(Array.from({ length: REQUESTS }, ask));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    const waited = answers.map(({ headers }) => Number(headers['x-onetake-queued-ms'] ?? 0));
    assert.ok(Math.max(...waited) > 2 * WINDOW_MS, `the longest wait told is ${Math.max(...waited)} ms`);
    await assertPaced(model);
  });

  test('as tasks: every one gets its picture, and no window is overrun', async () => {
    const model = 'slow:0.012';
    const submit = (_: unknown, index: number) =>
      submitTask(gateway.url, { model: `lab/${model}`, prompt: `fox ${index}` });
    const tasks = await Promise.all(Array.from({ length: REQUESTS }, submit));
    const ended = await Promise.all(tasks.map(({ id }) => finishedTask(gateway.url, id)));
    assert.deepEqual([...new Set(ended.map(({ status }) => status))], ['completed']);
    await assertPaced(model);
  });
});
