import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  createFairClock,
  createHealthBook,
  createMemoryAssets,
  createMemoryCells,
  createPacer,
  createRepeats,
  type Failure,
  systemIo,
} from '@onetake/core';
import { StoreOverloadedError, StoreUnavailableError } from '../store/errors.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';
import { createWorker } from '../tasks/worker.ts';
import { sampleChatBody, sampleChatPlan, sampleConnection } from '../testing/chat-samples.ts';
import { createChats } from './chats.ts';

const TOKEN = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n';
const END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

/** A provider that says one token and then waits to be told how to go on. */
async function openProvider(context: TestContext) {
  const calls: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(TOKEN);
      calls.push(response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  context.after(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const called = async () => {
    for (;;) {
      const last = calls.at(-1);
      if (last) return last;
      await pause(5);
    }
  };
  return { baseUrl: `http://127.0.0.1:${port}`, calls, called };
}

interface Rig {
  readonly maxLive?: number;
  readonly storeWith?: (store: Store) => Partial<Store>;
  readonly afford?: (store: Store, id: string) => Promise<Failure | undefined>;
}

async function rig(context: TestContext, { maxLive = 10, storeWith = () => ({}), afford }: Rig = {}) {
  const provider = await openProvider(context);
  const memory = await openSqliteStore({ path: ':memory:' });
  context.after(() => memory.close());
  const store: Store = { ...memory, ...storeWith(memory) };
  const io = systemIo();
  context.after(() => io.close());
  const [health, clock, assets] = [createHealthBook(), createFairClock(), createMemoryAssets()];
  const pacer = createPacer({ limits: () => undefined, cells: createMemoryCells(), io });
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const common = {
    ...{ store, io, assets, health, pacer, clock, unsentGraceMs: 1_000, onError },
    connection: () => sampleConnection(provider.baseUrl),
  };
  const worker = createWorker({ ...common, onFinished: () => {}, onInterruptedError: onError, leaseMs: 15_000 });
  context.after(() => worker.stop(0));
  const affordFor = afford && {
    affordFor:
      ({ id }: { readonly id: string }) =>
      () =>
        afford(store, id),
  };
  const repeats = createRepeats(io);
  const chats = createChats({ ...common, ...affordFor, worker, repeats, maxLive, onStoreError: onError });
  const pieces: Uint8Array[] = [];
  const bodies: WeakRef<Uint8Array>[] = [];
  const bodyAsked = () => {
    const body = sampleChatBody();
    bodies.push(new WeakRef(body.bytes));
    return body;
  };
  const begin = () =>
    chats.begin({
      ...{ caller: 'local', endpoint: '/v1/chat/completions', requestId: 'req_1' },
      ...{ plan: { ...sampleChatPlan(), createdAt: io.now() }, body: bodyAsked() },
      sink: () => ({ begin: () => {}, write: (bytes) => void pieces.push(bytes) }),
    });
  return { ...provider, store, worker, begin, bodies, errors, text: () => Buffer.concat(pieces).toString() };
}

test('an answer goes to its sink and its journal behind it', async (context) => {
  const { begin, called, store, worker, text } = await rig(context);
  const chat = begin();
  assert.ok(chat);
  (await called()).end(END);
  assert.equal((await chat.outcome).ok, true);
  assert.equal(text(), TOKEN + END);
  await worker.running.ended();
  const stored = await store.read(chat.live.id);
  assert.equal(stored?.status, 'completed');
  assert.deepEqual(
    stored?.journals[0]?.map(({ type }) => type),
    ['attempt-started', 'answer-begun', 'attempt-ended', 'finished'],
  );
});

test('it is nobody’s to attach to, however it ends', async (context) => {
  const { begin, called, store, worker } = await rig(context);
  begin();
  (await called()).destroy();
  await worker.running.ended();
  assert.deepEqual(await store.undelivered(0, 10), []);
});

test('when the grace of a stop is over its caller is told, the provider is left, and what was used is written', async (context) => {
  const { begin, called, store, worker } = await rig(context);
  const chat = begin();
  assert.ok(chat);
  const call = await called();
  const left = once(call, 'close');
  const stopped = worker.stop(50);
  const outcome = await chat.outcome;
  assert.ok(!outcome.ok && outcome.failure.kind === 'interrupted');
  await Promise.all([left, stopped]);
  const stored = await store.read(chat.live.id);
  assert.deepEqual([stored?.status, stored?.code, stored?.billed], ['failed', 'interrupted', 'maybe']);
});

test('what is held is held for an answer that the store knows', async (context) => {
  const known: boolean[] = [];
  const { begin, called, worker } = await rig(context, {
    async afford(store, id) {
      known.push((await store.read(id)) !== undefined);
      return undefined;
    },
  });
  begin();
  (await called()).end(END);
  await worker.running.ended();
  assert.deepEqual(known, [true]);
});

test('what nobody may pay for is not asked', async (context) => {
  const failure: Failure = { kind: 'budget', certainty: 'not_sent', message: 'the budget is spent' };
  const { begin, calls, store, worker } = await rig(context, { afford: async () => failure });
  const chat = begin();
  const outcome = await chat?.outcome;
  assert.ok(outcome?.ok === false);
  assert.deepEqual(outcome.failure, failure);
  await worker.running.ended();
  const stored = await store.read(chat?.live.id ?? '');
  assert.deepEqual([stored?.code, stored?.billed, calls.length], ['budget_exceeded', 'no', 0]);
});

test('no more run at once than may, pictures among them', async (context) => {
  const { begin } = await rig(context, { maxLive: 1 });
  assert.ok(begin());
  assert.equal(begin(), undefined);
});

test('a store that stays away costs nobody an answer, and is told of once', async (context) => {
  const away = () => Promise.reject(new Error('the disk is gone'));
  const { begin, called, errors, worker, text } = await rig(context, {
    storeWith: () => ({ create: away, append: away }),
  });
  const chat = begin();
  assert.ok(chat);
  (await called()).end(END);
  assert.equal((await chat.outcome).ok, true);
  assert.equal(text(), TOKEN + END);
  await worker.running.ended();
  assert.equal(errors.length, 1);
});

test('a store that is away for a moment is waited for', async (context) => {
  let failures = 2;
  const { begin, called, errors, store, worker } = await rig(context, {
    storeWith: (memory) => ({
      append: (...args) => {
        failures -= 1;
        return failures >= 0 ? Promise.reject(new StoreOverloadedError(9)) : memory.append(...args);
      },
    }),
  });
  const chat = begin();
  assert.ok(chat);
  (await called()).end(END);
  await chat.outcome;
  await worker.running.ended();
  assert.equal((await store.read(chat.live.id))?.status, 'completed');
  assert.deepEqual(errors, []);
});

for (const error of [new StoreOverloadedError(9), new StoreUnavailableError('it starts again', true)]) {
  test(`a store that is away when an answer begins is told of it later: ${error.name}`, async (context) => {
    let failures = 2;
    const { begin, called, errors, store, worker } = await rig(context, {
      storeWith: (memory) => ({
        create: (...args) => {
          failures -= 1;
          return failures >= 0 ? Promise.reject(error) : memory.create(...args);
        },
      }),
    });
    const chat = begin();
    assert.ok(chat);
    (await called()).end(END);
    await chat.outcome;
    await worker.running.ended();
    assert.deepEqual(errors, []);
    assert.equal((await store.read(chat.live.id))?.status, 'completed');
  });
}

test('what waits for its store holds no bodies', async (context) => {
  let isAway = true;
  const { begin, called, bodies, worker } = await rig(context, {
    storeWith: (memory) => ({
      append: (...args) => (isAway ? Promise.reject(new StoreOverloadedError(9)) : memory.append(...args)),
    }),
  });
  const chat = begin();
  assert.ok(chat);
  (await called()).end(END);
  await chat.outcome;
  const [body] = bodies;
  assert.ok(body);
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  await pause(20);
  collect();
  assert.equal(body.deref(), undefined);
  assert.equal(worker.running.size(), 1);
  isAway = false;
  await worker.running.ended();
});

test('a creation that was done and not answered is not done twice', async (context) => {
  let isFirst = true;
  const { begin, called, errors, store, worker } = await rig(context, {
    storeWith: (memory) => ({
      create: async (...args) => {
        const created = await memory.create(...args);
        if (!isFirst) return created;
        isFirst = false;
        throw new StoreUnavailableError('the connection was lost', true);
      },
    }),
  });
  const chat = begin();
  assert.ok(chat);
  (await called()).end(END);
  await chat.outcome;
  await worker.running.ended();
  assert.deepEqual(errors, []);
  assert.equal((await store.read(chat.live.id))?.status, 'completed');
});

test('what another process left is ended, not asked again', async (context) => {
  const { begin, called, calls, store, worker } = await rig(context);
  const chat = begin();
  assert.ok(chat);
  await called();
  await pause(100);
  const { live } = chat;
  await store.renew(worker.id, [live.id], 0);
  const other = await rig(context, { storeWith: () => store });
  await other.worker.recover();
  const stored = await readOver(store, live.id);
  assert.equal(stored.code, 'interrupted');
  assert.equal(calls.length + other.calls.length, 1);
});

async function readOver(store: Store, id: string) {
  for (;;) {
    const stored = await store.read(id);
    if (stored?.finishedAt !== undefined) return stored;
    await pause(5);
  }
}
