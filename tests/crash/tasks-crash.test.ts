/** A task that was accepted outlives every process: it goes on where it stood, and nothing of it is paid twice. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { call } from '../rig/call.ts';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';
import { chargesByPrompt, readLedger } from '../rig/ledger.ts';
import { until } from '../rig/poll.ts';
import { type RunningSandbox, restartSandbox, startSandbox } from '../rig/sandbox.ts';
import { finishedTask, readTask, submitTask } from '../rig/tasks.ts';

let sandbox: RunningSandbox;
let gateway: RunningGateway;
before(async () => {
  sandbox = await startSandbox();
  gateway = await startGateway({ yaml: yamlFor(sandbox.url) });
});
after(async () => {
  await gateway.close();
  await sandbox.close();
});

function yamlFor(sandboxUrl: string): string {
  return [
    'providers:',
    `  lab: { kind: sandbox-task, base_url: "${sandboxUrl}" }`,
    'limits:',
    '  "lab/slow:0.8": { concurrency: 1 }',
    '  "lab/slow:25": { concurrency: 1 }',
    '',
  ].join('\n');
}

async function submit(model: string, prompt: string): Promise<string> {
  return (await submitTask(gateway.url, { model, prompt })).id;
}

async function chargedFor(url: string, prompt: string): Promise<number | undefined> {
  return chargesByPrompt(await readLedger(url)).get(prompt);
}

async function eventsOf(id: string): Promise<readonly string[]> {
  const { body } = await call(`${gateway.url}/v1/generations/${id}`);
  return ((body.timeline ?? []) as readonly { readonly type: string }[]).map(({ type }) => type);
}

async function untilJournaled(id: string, event: string): Promise<void> {
  await until(`${event} of ${id}`, async () => (await eventsOf(id)).includes(event));
}

async function restart(): Promise<void> {
  await gateway.kill();
  gateway = await startGateway({ home: gateway.home });
}

test('the gateway and the provider are killed while a job runs: the same task completes, charged once', async () => {
  const id = await submit('lab/slow:6', 'a fox that outlives them');
  await untilJournaled(id, 'handle-received');
  await Promise.all([gateway.kill(), sandbox.kill()]);
  sandbox = await restartSandbox(sandbox);
  gateway = await startGateway({ home: gateway.home });
  const task = await finishedTask(gateway.url, id);
  assert.deepEqual([task.status, task.data?.length], ['completed', 1], JSON.stringify(task));
  const picture = await fetch(task.data?.[0]?.url ?? '');
  assert.ok((await picture.arrayBuffer()).byteLength > 100);
  assert.equal(await chargedFor(sandbox.url, 'a fox that outlives them'), 1);
});

test('killed with the sandbox that the gateway brings along: the same, although it listens elsewhere then', async () => {
  const id = await submit('sandbox-task/slow:3', 'a fox that moves');
  await untilJournaled(id, 'handle-received');
  const { sandboxUrl } = gateway;
  await gateway.kill();
  await until('the end of its sandbox', () =>
    call(`${sandboxUrl}/ledger`).then(
      () => false,
      () => true,
    ),
  );
  gateway = await startGateway({ home: gateway.home });
  const task = await finishedTask(gateway.url, id);
  assert.equal(task.status, 'completed', JSON.stringify(task));
  assert.equal(await chargedFor(gateway.sandboxUrl, 'a fox that moves'), 1);
});

test('tasks that wait in a queue survive a kill, and keep their order', async () => {
  const prompts = Array.from({ length: 5 }, (_, index) => `waiting fox ${index}`);
  const ids: string[] = [];
  for (const prompt of prompts) ids.push(await submit('lab/slow:0.8', prompt));
  await untilJournaled(ids[0] ?? '', 'handle-received');
  await restart();
  const tasks = await Promise.all(ids.map((id) => finishedTask(gateway.url, id)));
  assert.deepEqual(
    tasks.map(({ status }) => status),
    prompts.map(() => 'completed'),
  );
  const bill = (await readLedger(sandbox.url)).entries.filter(({ prompt = '' }) => prompts.includes(prompt));
  assert.deepEqual(
    bill.map(({ prompt, charged }) => [prompt, charged]),
    prompts.map((prompt) => [prompt, 1]),
  );
});

test('a task canceled at the provider, and one canceled in the queue, stay canceled', async () => {
  const running = await submit('lab/slow:25', 'a fox nobody wants');
  await untilJournaled(running, 'handle-received');
  const waiting = await submit('lab/slow:25', 'a fox nobody sees');
  for (const id of [waiting, running]) {
    const { status, text } = await call(`${gateway.url}/v1/tasks/${id}`, { method: 'DELETE' });
    assert.equal(status, 200, text);
  }
  await restart();
  for (const id of [waiting, running]) assert.equal((await readTask(gateway.url, id)).status, 'canceled');
  assert.equal(await chargedFor(sandbox.url, 'a fox nobody sees'), undefined);
  // What takes the queue's one place next shows that both left it.
  const next = await submit('lab/slow:25', 'a fox in their place');
  await untilJournaled(next, 'handle-received');
  await call(`${gateway.url}/v1/tasks/${next}`, { method: 'DELETE' });
});
