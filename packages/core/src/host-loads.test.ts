import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCells } from './cells.ts';
import type { Connection } from './environment.ts';
import { createHealthBook } from './health.ts';
import { createHostLoads } from './host-loads.ts';
import { numberAt } from './json.ts';
import { createPacer } from './pacer.ts';
import { openaiCompatible } from './providers/openai.ts';
import type { Provider } from './providers/provider.ts';
import type { Limits } from './rate.ts';
import { sampleTarget } from './testing/samples.ts';
import { type Behaviour, createScriptedIo } from './testing/scripted-io.ts';
import { createTurns } from './turns.ts';

const [A, B] = ['pool:a:80', 'pool:b:80'];
const told = (jobs: unknown, afterMs = 5): Behaviour => ({
  ...{ kind: 'answer', status: 200, afterMs },
  body: JSON.stringify({ jobs }),
});

/** A pool of two servers, each of which says how many jobs it has. */
function poolOf(answers: () => Readonly<Record<string, Behaviour>>, limits?: Limits) {
  const queue: NonNullable<Provider['image']>['queue'] = {
    build: ({ baseUrl }) => ({ method: 'GET', url: `${baseUrl}/queue`, headers: {} }),
    parse: ({ body }) => numberAt(body, 'jobs'),
  };
  const { image } = openaiCompatible;
  assert.ok(image);
  const connection: Connection = {
    ...{ id: 'pool', provider: { ...openaiCompatible, image: { ...image, queue } }, baseUrl: 'http://a', secret: '' },
    hosts: { [A]: 'http://a', [B]: 'http://b' },
  };
  const io = createScriptedIo(({ url }) => answers()[new URL(url).hostname] ?? { kind: 'hang' });
  const loads = createHostLoads((id) => (id === 'pool' ? connection : undefined), io);
  const health = createHealthBook();
  const pacer = createPacer({ limits: () => limits, load: loads.of, cells: createMemoryCells(), io });
  const turns = createTurns({ pacer, health, io, loads, ticket: () => ({ caller: '', tag: 0 }) });
  const target = sampleTarget('pool', { credentials: [A, B] });
  const take = async () => {
    const turn = await io.drive(turns.take(target, { images: 1 }, new AbortController().signal));
    assert.ok(turn);
    return turn;
  };
  const pause = (ms: number) => io.drive(new Promise<void>((resolve) => io.timer(io.now() + ms, resolve)));
  return { io, loads, take, pause };
}

test('the server that other people keep busy is chosen last, and still chosen', async () => {
  const { take } = poolOf(() => ({ a: told(3), b: told(0) }), { concurrency: 1 });
  const turns = [await take(), await take()];
  assert.deepEqual(
    turns.map((turn) => turn.credential),
    [B, A],
  );
});

test('what a server has of ours is not counted twice', async () => {
  let jobs = 0;
  const { take, pause } = poolOf(() => ({ a: told(jobs), b: told(2) }));
  assert.equal((await take()).credential, A);
  jobs = 1;
  await pause(3_000);
  assert.equal((await take()).credential, A);
});

test('servers are asked at most every two seconds, however many requests come', async () => {
  const { take, io, pause } = poolOf(() => ({ a: told(0), b: told(0) }));
  for (let count = 0; count < 20; count += 1) await take();
  assert.equal(io.sent.length, 2);
  await pause(2_000);
  await take();
  assert.equal(io.sent.length, 4);
});

test('a server that does not say holds nothing up for long, and counts as idle', async () => {
  const silent: readonly Behaviour[] = [
    { kind: 'hang' },
    { kind: 'refuse', afterMs: 1 },
    { kind: 'answer', status: 500, afterMs: 1, body: 'oops' },
    told('many'),
  ];
  for (const behaviour of silent) {
    const { take, io } = poolOf(() => ({ a: behaviour, b: told(2) }));
    assert.equal((await take()).credential, A);
    assert.ok(io.now() <= 500, `${io.now()}`);
  }
});

test('who chooses without waiting, as for tasks, has it asked for the next choice', async () => {
  const { loads, pause, io } = poolOf(() => ({ a: told(3), b: told(0) }));
  assert.equal(loads.of('pool/model', A), 0);
  await pause(100);
  assert.equal(loads.of('pool/model', A), 3);
  assert.equal(io.sent.length, 2);
});

test('what was told long ago is forgotten', async () => {
  const { loads, take, pause } = poolOf(() => ({ a: told(3), b: told(0) }));
  await take();
  assert.equal(loads.of('pool/model', A), 3);
  await pause(10_001);
  assert.equal(loads.of('pool/model', A), 0);
});
