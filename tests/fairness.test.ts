/** One caller with much to do does not make another wait for all of it, whichever way either asks. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, generate } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { readLedger } from './rig/ledger.ts';
import { until } from './rig/poll.ts';
import { finishedTask, submitTask } from './rig/tasks.ts';

const ANN = { authorization: 'Bearer key-of-ann' };
const BOB = { authorization: 'Bearer key-of-bob' };
const MANY = 32;
/** All of Ann's have come by then, and her first still runs. */
const ARRIVAL_MS = 120;

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({
    env: { ONETAKE_API_KEYS: 'ann:key-of-ann,bob:key-of-bob' },
    yaml: ['limits:', '  "sandbox/*": { concurrency: 1 }', ''].join('\n'),
  });
});
after(() => gateway.close());

type Headers = Record<string, string>;
type Ask = (model: string, prompt: string, headers: Headers) => Promise<string>;

/** Resolves with how it ended. */
const call: Ask = async (model, prompt, headers) => {
  const { status, body }: Answer = await generate(gateway.url, { model, prompt }, { headers });
  return status === 200 && body.data?.length === 1 ? 'completed' : `answered ${status}`;
};

const task: Ask = async (model, prompt, headers) => {
  const { id } = await submitTask(gateway.url, { model, prompt }, headers);
  return (await finishedTask(gateway.url, id, headers)).status;
};

/**
 * Ann's first is at the provider when her others come, and then Bob; resolves with whose came when, and how many had
 * come when Bob's was in: one, unless the machine is busy.
 */
async function orderOf(model: string, annAsks: (index: number) => Ask, bobAsks: Ask) {
  const name = `sandbox/${model}`;
  const served = async () => (await readLedger(gateway.sandboxUrl)).entries.filter((entry) => entry.model === model);
  const ann = (index: number) => annAsks(index)(name, `ann ${index}`, ANN);
  const first = ann(0);
  await until('the first at the provider', async () => (await served()).length > 0);
  const others = Array.from({ length: MANY - 1 }, (_, index) => ann(index + 1));
  await pause(ARRIVAL_MS);
  const bob = bobAsks(name, 'bob', BOB);
  await pause(4 * ARRIVAL_MS);
  const servedThen = (await served()).length;
  const ended = await Promise.all([first, ...others, bob]);
  assert.deepEqual([...new Set(ended)], ['completed']);
  const order = (await served()).map(({ prompt = '' }) => prompt.split(' ')[0] ?? '');
  return { order, servedThen };
}

const SCENARIOS: readonly (readonly [sentence: string, annAsks: (index: number) => Ask, bobAsks: Ask])[] = [
  ['key A has 32 calls open and key B one: B is served second', () => call, call],
  ['key A has 32 tasks in the queue and key B one: B is served second', () => task, task],
  ['calls and tasks share one order: B, who calls, is served second', (i) => (i % 2 === 0 ? task : call), call],
  ['calls and tasks share one order: B, who leaves a task, is served second', (i) => (i % 2 ? task : call), task],
];

// Each has a model, and so a queue, of its own.
suite('who is served when', { concurrency: true }, () => {
  for (const [index, [sentence, annAsks, bobAsks]] of SCENARIOS.entries()) {
    test(sentence, async () => {
      const { order, servedThen } = await orderOf(`slow:1.0${index}`, annAsks, bobAsks);
      assert.equal(order.length, MANY + 1);
      const place = order.indexOf('bob');
      assert.ok(place <= servedThen, `bob came as number ${place + 1}, ${servedThen} had come when his was in`);
    });
  }
});
