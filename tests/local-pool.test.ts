/** A pool of servers that bill nothing: what one of them loses another makes, and each works on one picture at a time. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import {
  type Catalogue,
  type Connection,
  costOf,
  createHealthBook,
  createMemoryAssets,
  createMemoryCells,
  createPacer,
  createTurns,
  type Event,
  foldGeneration,
  hostCredential,
  PARKED,
  type Plan,
  type Provider,
  planImage,
  RUN_LIMITS,
  run,
  systemIo,
} from '@onetake/core';
import { until } from './rig/poll.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGM4ESACAAMQAS10/WenAAAAAElFTkSuQmCC';
const LOOK_MS = 30;

/** A server with jobs: one look is 10 % of a job; `hold` lets none of them end. */
interface Host {
  readonly url: string;
  hold: boolean;
  readonly submits: () => number;
  /** The most jobs it ever had at once. */
  readonly most: () => number;
  die(): Promise<void>;
}

async function startHost(context: TestContext): Promise<Host> {
  const jobs = new Map<string, number>();
  const seen = { submits: 0, most: 0 };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    const send = (body: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (request.method === 'POST') {
      seen.submits += 1;
      const id = String(seen.submits);
      jobs.set(id, 0);
      seen.most = Math.max(seen.most, jobs.size);
      return send({ id });
    }
    const id = request.url?.split('/').at(-1) ?? '';
    const progress = jobs.get(id);
    if (progress === undefined) return response.writeHead(404).end();
    if (progress >= 100) {
      jobs.delete(id);
      return send({ image: PNG });
    }
    jobs.set(id, host.hold ? Math.min(90, progress + 10) : progress + 10);
    return send({ id, progress });
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const die = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  const host: Host = {
    ...{ url: `http://127.0.0.1:${address.port}`, hold: false, die },
    ...{ submits: () => seen.submits, most: () => seen.most },
  };
  context.after(die);
  return host;
}

const model = {
  id: 'model',
  maxImagesPerCall: 1,
  operations: ['generate'],
  streams: false,
  limits: { concurrency: 1 },
} as const;
const words = (body: unknown) => (typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {});

/** The protocol of `startHost`. */
const local: Provider = {
  id: 'local',
  models: [model],
  model: (id) => (id === model.id ? model : undefined),
  resubmit: 'safe',
  authorize: (request) => request,
  classify: () => undefined,
  image: {
    submit: {
      build: (_request, { baseUrl }) => ({ method: 'POST', url: `${baseUrl}/jobs`, headers: {} }),
      parse: ({ body }) => ({ kind: 'waiting', handle: { id: String(words(body).id) }, pollAfterMs: LOOK_MS }),
    },
    poll: {
      build: ({ id }, { baseUrl }) => ({ method: 'GET', url: `${baseUrl}/jobs/${id}`, headers: {} }),
      parse({ body }, handle) {
        const { image, progress } = words(body);
        if (image !== undefined) return { kind: 'done', images: [{ source: { kind: 'base64', base64: PNG } }] };
        return { kind: 'waiting', handle, pollAfterMs: LOOK_MS, progress: Number(progress) };
      },
    },
  },
};

/** Everything that runs share, on the real network. */
function startEngine(context: TestContext, hosts: readonly Host[]) {
  const io = systemIo();
  context.after(() => io.close());
  const [first] = hosts;
  const connection: Connection = {
    ...{ id: 'local', provider: local, baseUrl: first?.url ?? '', secret: '' },
    hosts: Object.fromEntries(hosts.map(({ url }) => [hostCredential('local', url), url])),
  };
  const catalogue: Catalogue = { connections: [connection], routes: {}, defaultModel: 'local/model' };
  const [health, assets] = [createHealthBook(), createMemoryAssets()];
  const pacer = createPacer({ limits: () => model.limits, cells: createMemoryCells(), io });
  const plan = (): Plan => {
    const request = { operation: 'generate', prompt: 'a lighthouse', n: 1 } as const;
    const planned = planImage(request, undefined, catalogue, {}, io.now());
    assert.ok(planned.ok);
    return planned.plan;
  };
  let tickets = 0;
  async function generate(events: Event[] = []) {
    const planned = plan();
    const journal = { events: [...events], append: async (added: readonly Event[]) => void events.push(...added) };
    const ticket = () => ({ caller: '', tag: ++tickets });
    const outcome = await run(`run ${tickets}`, planned, journal, {
      ...{ io, assets, health, turns: createTurns({ pacer, health, io, ticket }), limits: RUN_LIMITS },
      connection: () => connection,
      presence: () => ({ unsentGraceMs: 0 }),
      onPresence: () => () => {},
      cancel: new AbortController().signal,
      park: new AbortController().signal,
    });
    assert.ok(outcome !== PARKED);
    return { outcome, cost: costOf(planned, foldGeneration([events])), paid: foldGeneration([events]).paidAttempts };
  }
  return { generate };
}

test('a host killed in the middle of its job: the picture comes from the other one, once, and for nothing', async (context) => {
  const hosts = [await startHost(context), await startHost(context)] as const;
  const { generate } = startEngine(context, hosts);
  hosts[0].hold = true;
  const events: Event[] = [];
  const work = generate(events);
  await until('the job is under way', async () =>
    events.some((event) => event.type === 'polled' && event.progress === 30),
  );
  await hosts[0].die();
  const { outcome, cost, paid } = await work;
  assert.ok(outcome.ok && outcome.images.length === 1);
  assert.deepEqual([hosts[0].submits(), hosts[1].submits()], [1, 1]);
  assert.deepEqual([cost.usd, cost.basis, cost.possibleCharges, paid], [0, 'none', 0, 0]);
  const lost = events.find((event) => event.type === 'attempt-ended');
  assert.ok(lost?.type === 'attempt-ended' && !lost.outcome.ok);
  assert.deepEqual([lost.outcome.failure.kind, lost.outcome.failure.certainty], ['network', 'rejected']);
});

test('a host that is down from the start costs one refused connection', async (context) => {
  const hosts = [await startHost(context), await startHost(context)] as const;
  const { generate } = startEngine(context, hosts);
  await hosts[0].die();
  const { outcome } = await generate();
  assert.ok(outcome.ok);
  assert.equal(hosts[1].submits(), 1);
});

test('twelve requests at three hosts: each works on one at a time, and all of them work', async (context) => {
  const hosts = [await startHost(context), await startHost(context), await startHost(context)];
  const { generate } = startEngine(context, hosts);
  const done = await Promise.all(Array.from({ length: 12 }, () => generate()));
  assert.ok(done.every(({ outcome }) => outcome.ok));
  assert.deepEqual(
    hosts.map((host) => host.most()),
    [1, 1, 1],
  );
  assert.ok(
    hosts.every((host) => host.submits() >= 3),
    hosts.map((host) => host.submits()).join(),
  );
});
