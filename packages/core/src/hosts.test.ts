import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCells } from './cells.ts';
import { type Connection, connectionAt, hostCredential, type Turns, withHostsOf } from './environment.ts';
import { createHealthBook } from './health.ts';
import type { Event } from './journal.ts';
import { createPacer } from './pacer.ts';
import type { PlannedTarget } from './plan.ts';
import type { CancelCall } from './providers/provider.ts';
import { PARKED, run } from './run.ts';
import { samplePlan, sampleTarget } from './testing/samples.ts';
import type { Behaviour } from './testing/scripted-io.ts';
import { ACCEPTED_BODY, createWorld, GOOD_BODY, type Play, type TargetScript } from './testing/simulated-world.ts';
import { createTurns } from './turns.ts';

const play = (behaviour: Behaviour): Play => ({ truth: 'free', behaviour });
const answer = (status: number, body: string, afterMs = 10): Play => play({ kind: 'answer', afterMs, status, body });
const ACCEPTED = answer(200, ACCEPTED_BODY);
const GOOD = answer(200, GOOD_BODY);
const REFUSED = play({ kind: 'refuse', afterMs: 1 });
const ERROR = answer(500, JSON.stringify({ error: { message: 'it failed', type: 'server_error' } }));

const [A, B, C] = ['pool:a:80', 'pool:b:80', 'pool:c:80'];
const HOSTS = { [A]: 'http://a', [B]: 'http://b', [C]: 'http://c' };

interface Setting {
  readonly a: Partial<TargetScript>;
  readonly b?: Partial<TargetScript>;
  readonly c?: Partial<TargetScript>;
  readonly hosts?: Readonly<Record<string, string>>;
  readonly target?: Partial<PlannedTarget>;
  readonly past?: readonly Event[];
  readonly cancel?: CancelCall;
  readonly turns?: Turns;
}

/** One run at a pool of the servers a, b and c, which bill nothing. */
async function end({ a, b = {}, c = {}, hosts = HOSTS, target, past, cancel, turns }: Setting) {
  const names = { free: true as const, stallMs: 20_000, credentials: [A, B, C] };
  const plan = { ...samplePlan(['pool']), targets: [sampleTarget('pool', { ...names, ...target })] };
  const whole = (script: Partial<TargetScript>) => ({ submits: [GOOD], polls: [GOOD], ...script });
  const scripts = { 'a/model': whole(a), 'b/model': whole(b), 'c/model': whole(c) };
  const at = (past?.at(-1)?.at ?? -1_000) + 1_000;
  const world = createWorld({ plan, scripts, journalMs: 1, presenceTurnsMs: [], cancelMs: undefined }, past, at);
  const connection = (id: string): Connection | undefined => {
    const made = world.environment.connection(id);
    if (made?.provider.image === undefined) return undefined;
    const image = { ...made.provider.image, ...(cancel && { cancel }) };
    return { ...made, provider: { ...made.provider, image }, hosts, baseUrl: 'http://nowhere' };
  };
  const outcome = await world.io.drive(
    run('run', plan, world.journal, { ...world.environment, connection, ...(turns && { turns }) }),
  );
  assert.ok(outcome !== PARKED);
  const tried = world.durable.flatMap((event) => (event.type === 'attempt-started' ? [event.credential] : []));
  const sent = world.io.sent.map(({ request }) => `${request.method} ${new URL(request.url).hostname}`);
  return { outcome, world, tried, sent, at: world.io.now() };
}

test('a host that dies with a job is not waited for: the picture comes from another one, within seconds', async () => {
  const { outcome, tried, at } = await end({ a: { submits: [ACCEPTED], polls: [ACCEPTED, REFUSED] } });
  assert.ok(outcome.ok);
  assert.deepEqual(tried, [A, B]);
  assert.ok(at < 20_000, `${at}`);
});

test('the place of a job that was given up is free at once', async () => {
  const open = new Set<string>();
  const freeTurn = (credential: string) => {
    open.add(credential);
    const over = () => void open.delete(credential);
    return { credential, sent: () => {}, observe: () => {}, settle: over, giveBack: over };
  };
  const setting = { a: { submits: [ACCEPTED], polls: [REFUSED] } };
  const turns: Turns = {
    take: async (_target, _claim, _signal, avoid = []) => {
      assert.deepEqual([...open], []);
      return freeTurn([A, B, C].find((one) => !avoid.includes(one)) ?? A);
    },
    adopt: (_target, credential) => freeTurn(credential),
    expect: () => undefined,
  };
  assert.ok((await end({ ...setting, turns })).outcome.ok);
  assert.deepEqual([...open], []);
});

test('after any failure the next try prefers a host that has not failed yet', async () => {
  const lost = play({ kind: 'reset', afterMs: 20 });
  const { outcome, tried } = await end({ a: { submits: [lost] }, b: { submits: [ERROR] } });
  assert.ok(outcome.ok);
  assert.deepEqual(tried, [A, B, C]);
});

test('when every host has failed, the one that failed last is the last choice', async () => {
  const script = { submits: [ERROR, GOOD] };
  const { outcome, tried } = await end({ a: script, b: script, c: script });
  assert.ok(outcome.ok);
  assert.deepEqual(tried, [A, B, C, A]);
});

test('a job that forgets itself over a restart of its server is made again', async () => {
  const { outcome, tried } = await end({ a: { submits: [ACCEPTED], polls: [answer(404, '{}')] } });
  assert.ok(outcome.ok);
  assert.deepEqual(tried, [A, B]);
});

test('a job that stands still is canceled at its host and made elsewhere', async () => {
  const cancel: CancelCall = {
    build: (_handle, { baseUrl }) => ({ method: 'GET', url: `${baseUrl}/cancel`, headers: {} }),
    parse: () => ({ confirmed: true, certainty: 'rejected', message: 'dropped' }),
  };
  const { outcome, tried, sent, world } = await end({
    ...{ a: { submits: [ACCEPTED], polls: [ACCEPTED] }, cancel },
    target: { firstByteMs: 15_000, stallMs: 15_000 },
  });
  assert.ok(outcome.ok);
  assert.deepEqual(tried, [A, B]);
  assert.equal(sent.filter((one) => one === 'GET nowhere').length, 0);
  assert.ok(world.io.sent.some(({ request }) => request.url === 'http://a/cancel'));
  const lost = world.durable.find((event) => event.type === 'attempt-ended');
  assert.ok(lost?.type === 'attempt-ended' && !lost.outcome.ok);
  assert.deepEqual([lost.outcome.failure.kind, lost.outcome.failure.clock?.name], ['timeout', 'idle']);
});

const ACCEPTED_AT_B: readonly Event[] = [
  { type: 'attempt-started', at: 0, attempt: 1, target: 'pool/model', credential: B, free: true },
  { type: 'handle-received', at: 10, attempt: 1, handle: { job: 'j1' }, pollAt: 1_000 },
];

test('a job is looked up at the host that has it, whatever the order of the pool is now', async () => {
  const { outcome, sent } = await end({ a: {}, past: ACCEPTED_AT_B, hosts: { [C]: 'http://c', [B]: 'http://b' } });
  assert.ok(outcome.ok);
  assert.deepEqual(sent, ['GET b']);
});

test('a job at a host that left the configuration is asked of nobody else, and made again', async () => {
  const { outcome, sent, tried } = await end({
    a: {},
    past: ACCEPTED_AT_B,
    hosts: { [A]: 'http://a', [C]: 'http://c' },
  });
  assert.ok(outcome.ok);
  assert.deepEqual(sent, ['POST a']);
  assert.deepEqual(tried, [B, A]);
});

test('where it may be billed, a job at a host that left the configuration is an unknown outcome', async () => {
  const [started, handle] = ACCEPTED_AT_B;
  assert.ok(started?.type === 'attempt-started' && handle);
  const { free: _, ...paid } = started;
  const plan = { ...samplePlan(['pool']), targets: [sampleTarget('pool', { credentials: [A, B] })] };
  const world = createWorld({ plan, scripts: {}, journalMs: 1, presenceTurnsMs: [], cancelMs: undefined }, [
    paid,
    handle,
  ]);
  const connection = (id: string): Connection | undefined => {
    const made = world.environment.connection(id);
    return made && { ...made, hosts: { [A]: 'http://a' } };
  };
  const outcome = await world.io.drive(run('run', plan, world.journal, { ...world.environment, connection }));
  assert.ok(outcome !== PARKED && !outcome.ok);
  assert.equal(outcome.failure.certainty, 'ambiguous');
  assert.equal(world.sends.length, 0);
});

test('too little memory is tried on one other host, and then said', async () => {
  const { world, outcome, tried } = await end({ a: {}, past: outOfMemoryAt(A, B) });
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.failure.kind, outcome.failure.certainty], ['out_of_memory', 'rejected']);
  assert.deepEqual([tried, world.sends.length], [[A, B], 0]);
  assert.deepEqual((await end({ a: {}, past: outOfMemoryAt(A) })).tried, [A, B]);
});

function outOfMemoryAt(...hosts: readonly string[]): readonly Event[] {
  const failure = { kind: 'out_of_memory', certainty: 'rejected', message: 'CUDA out of memory' } as const;
  return hosts.flatMap((credential, index): readonly Event[] => [
    { type: 'attempt-started', at: 0, attempt: index + 1, target: 'pool/model', credential, free: true },
    { type: 'attempt-ended', at: 0, attempt: index + 1, outcome: { ok: false, failure } },
  ]);
}

test('a host is named by host and port, with the port of its protocol', () => {
  assert.equal(hostCredential('comfyui', 'http://a:8188/api'), 'comfyui:a:8188');
  assert.equal(hostCredential('comfyui', 'https://a'), 'comfyui:a:443');
  assert.equal(hostCredential('comfyui', 'http://[::1]:8188'), 'comfyui:[::1]:8188');
});

test('a connection is had at the address of its credential, and not at another’s', () => {
  const connection = { id: 'pool', baseUrl: 'http://a', secret: '' } as Connection;
  assert.equal(connectionAt(connection, 'pool')?.baseUrl, 'http://a');
  assert.equal(connectionAt(connection, 'pool:POOL_KEY_2')?.baseUrl, 'http://a');
  assert.equal(connectionAt(connection, A)?.baseUrl, 'http://a');
  assert.equal(connectionAt(connection, B), undefined);
  assert.equal(connectionAt({ ...connection, hosts: HOSTS }, B)?.baseUrl, 'http://b');
  assert.equal(connectionAt({ ...connection, hosts: { [A]: 'http://a' } }, B), undefined);
});

test('a planned target goes on with those of its hosts that are left, else with those there are now', () => {
  const connection = (...names: readonly string[]) =>
    ({ id: 'pool', baseUrl: '', secret: '', hosts: Object.fromEntries(names.map((name) => [name, ''])) }) as never;
  const target = sampleTarget('pool', { credentials: [A, B] });
  assert.deepEqual(withHostsOf(connection(B, C), target).credentials, [B]);
  assert.deepEqual(withHostsOf(connection(C), target).credentials, [C]);
  assert.equal(withHostsOf(undefined, target), target);
});

test('of several idle hosts the one that rested longest goes next, and never two at once where one is allowed', async () => {
  let now = 0;
  const io = { now: () => now, timer: () => () => {} };
  const health = createHealthBook();
  const pacer = createPacer({ limits: () => ({ concurrency: 1 }), cells: createMemoryCells(), io });
  const turns = createTurns({ pacer, health, io, ticket: () => ({ caller: '', tag: 0 }) });
  const target = sampleTarget('pool', { credentials: [A, B, C] });
  const take = async (...avoid: readonly string[]) => {
    now += 1_000;
    const turn = await turns.take(target, { images: 1 }, new AbortController().signal, avoid);
    assert.ok(turn);
    return turn;
  };
  const done = { ok: true, images: [] } as const;
  const first = await take();
  const second = await take();
  const third = await take();
  assert.deepEqual([first.credential, second.credential, third.credential], [A, B, C]);
  for (const turn of [third, first, second]) {
    now += 1_000;
    turn.settle(done);
  }
  const order = [await take(), await take()];
  assert.deepEqual(
    order.map((turn) => turn.credential),
    [C, A],
  );
  assert.equal((await take(C, A)).credential, B);
});
