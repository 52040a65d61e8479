import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUN_LIMITS, type RunEnvironment } from './environment.ts';
import type { Journal, Outcome } from './journal.ts';
import type { Policy } from './plan.ts';
import { openaiCompatible } from './providers/openai.ts';
import { PARKED, run } from './run.ts';
import { SAMPLE_TIMEOUT, samplePlan } from './testing/samples.ts';
import type { Behaviour } from './testing/scripted-io.ts';
import {
  ACCEPTED_BODY,
  createWorld,
  GOOD_BODY,
  type Play,
  type Scenario,
  type World,
} from './testing/simulated-world.ts';
import { TINY_PNG_BASE64 } from './testing/tiny-png.ts';

const play = (behaviour: Behaviour): Play => ({ truth: 'free', behaviour });
const answer = (status: number, body: string, afterMs = 10, headers: Record<string, string> = {}): Play =>
  play({ kind: 'answer', afterMs, status, body, headers });
const words = (message: string, code: string | null = null) => JSON.stringify({ error: { message, code } });

const GOOD = answer(200, GOOD_BODY);
const ACCEPTED = answer(200, ACCEPTED_BODY);
const REFUSED = play({ kind: 'refuse', afterMs: 1 });
const HANG = play({ kind: 'hang' });

interface Setting {
  readonly submits: readonly Play[];
  /** Submits of a second target. */
  readonly others?: readonly Play[];
  readonly polls?: readonly Play[];
  readonly policy?: Partial<Policy>;
  readonly cancelMs?: number;
  readonly journalMs?: number;
}

function world({ submits, others, polls = [], policy = {}, cancelMs, journalMs = 1 }: Setting): [Scenario, World] {
  const scenario: Scenario = {
    plan: samplePlan(others ? ['a', 'b'] : ['a'], policy),
    scripts: { 'a/model': { submits, polls }, 'b/model': { submits: others ?? [], polls } },
    ...{ journalMs, presenceTurnsMs: [], cancelMs },
  };
  return [scenario, createWorld(scenario)];
}

async function end(setting: Setting, changes: Partial<RunEnvironment> = {}) {
  const [scenario, made] = world(setting);
  const work = run('run', scenario.plan, made.journal, { ...made.environment, ...changes });
  const outcome = await made.io.drive(work);
  assert.ok(outcome !== PARKED);
  return { outcome, at: made.io.now(), sends: made.sends, types: made.durable.map((event) => event.type) };
}

function failed(outcome: Outcome) {
  assert.ok(!outcome.ok);
  return outcome.failure;
}

const within = (totalMs: number): Partial<Policy> => ({ timeout: { ...SAMPLE_TIMEOUT, totalMs } });

test('a good answer is one attempt and one picture', async () => {
  const { outcome, types } = await end({ submits: [GOOD] });
  assert.ok(outcome.ok);
  assert.deepEqual([outcome.images[0]?.asset.type, outcome.images.length], ['png', 1]);
  assert.deepEqual(types, ['attempt-started', 'attempt-ended', 'finished']);
});

test('nothing is sent before its start is durable, however slow the journal', async () => {
  const { sends } = await end({ submits: [REFUSED, GOOD], journalMs: 3_000 });
  assert.deepEqual(
    sends.map((send) => send.durable.at(-1)?.type),
    ['attempt-started', 'attempt-started'],
  );
  assert.ok(sends[0] && sends[0].at >= 3_000);
});

test('a journal that is lost before the start ends the run without sending, and gives the permit back', async () => {
  const [scenario, { io, environment, sends }] = world({ submits: [GOOD] });
  const journal: Journal = { events: [], append: () => Promise.reject(new Error('somebody else owns the run')) };
  await assert.rejects(io.drive(run('run', scenario.plan, journal, environment)), /somebody else owns the run/);
  assert.equal(sends.length, 0);
  assert.equal(environment.health.report(io.now())[0]?.inFlight, 0);
});

test('a deadline that passes while the start is made durable leaves the request unsent', async () => {
  const { outcome, sends } = await end({ submits: [GOOD], journalMs: 3_000, policy: within(1_000) });
  assert.equal(sends.length, 0);
  const { kind, certainty, clock } = failed(outcome);
  assert.deepEqual([kind, certainty, clock?.afterMs], ['timeout', 'not_sent', 1_000]);
});

test('a cancel while the start is made durable leaves the request unsent', async () => {
  const { outcome, sends } = await end({ submits: [GOOD], journalMs: 3_000, cancelMs: 5 });
  assert.equal(sends.length, 0);
  assert.deepEqual([failed(outcome).kind, failed(outcome).certainty], ['canceled', 'not_sent']);
});

test('a cancel during a wait ends it at once and sends nothing more', async () => {
  const throttled = answer(429, words('slow'), 10, { 'retry-after': '60' });
  const { outcome, at, sends } = await end({ submits: [throttled, GOOD], cancelMs: 2_000 });
  assert.equal(sends.length, 1);
  assert.ok(at < 2_100);
  assert.equal(failed(outcome).kind, 'throttled');
});

test('a cancel in flight aborts the call and says that it may be billed', async () => {
  const { outcome, at } = await end({ submits: [HANG], cancelMs: 2_000 });
  assert.deepEqual([failed(outcome).kind, failed(outcome).certainty], ['canceled', 'ambiguous']);
  assert.ok(at < 2_100);
});

test('a cancel while a job is looked up gives it up at once, as maybe billed', async () => {
  for (const polls of [[ACCEPTED], [HANG], [REFUSED]]) {
    const { outcome, at } = await end({ submits: [ACCEPTED], polls, cancelMs: 10_000 });
    assert.deepEqual([failed(outcome).kind, failed(outcome).certainty], ['canceled', 'ambiguous']);
    assert.ok(at < 10_100, `${at}`);
  }
});

test('a parked run leaves its journal where it is, and another process finishes it', async () => {
  const park = new AbortController();
  const [scenario, first] = world({ submits: [ACCEPTED], polls: [ACCEPTED, GOOD] });
  first.io.timer(500, () => park.abort());
  const work = run('run', scenario.plan, first.journal, { ...first.environment, park: park.signal });
  assert.equal(await first.io.drive(work), PARKED);
  assert.deepEqual(
    first.durable.map((event) => event.type),
    ['attempt-started', 'handle-received'],
  );
  const second = createWorld(scenario, first.durable, 60_000);
  const outcome = await second.io.drive(run('run', scenario.plan, second.journal, second.environment));
  assert.ok(outcome !== PARKED && outcome.ok);
  assert.deepEqual(
    second.sends.map((send) => send.kind),
    ['poll', 'poll'],
  );
});

test('a job’s handle is durable before it is looked up', async () => {
  const { sends } = await end({ submits: [answer(200, '{"job":"j1","poll_after_ms":0}')], polls: [GOOD] });
  assert.deepEqual(
    sends[1]?.durable.map((event) => event.type),
    ['attempt-started', 'handle-received'],
  );
});

test('looks that fail are not the job’s end: the next one brings the picture, and nothing is submitted again', async () => {
  const polls = [REFUSED, answer(502, ''), answer(429, words('slow')), play({ kind: 'reset', afterMs: 5 }), GOOD];
  const { outcome, sends } = await end({ submits: [ACCEPTED], polls });
  assert.ok(outcome.ok);
  assert.equal(sends.filter((send) => send.kind === 'submit').length, 1);
});

test('a slow look neither releases the caller nor ends the job', async () => {
  const { outcome, types } = await end({ submits: [ACCEPTED], polls: [HANG, GOOD] });
  assert.ok(outcome.ok);
  assert.ok(!types.includes('clock-fired'));
});

test('a job that outlasts the deadline is looked up on and harvested after its caller was released', async () => {
  const polls = [...Array.from({ length: 20 }, () => ACCEPTED), GOOD];
  const { outcome, types, at } = await end({ submits: [ACCEPTED], polls, policy: within(5_000) });
  assert.ok(outcome.ok);
  assert.equal(types.filter((type) => type === 'clock-fired').length, 1);
  assert.ok(at > 15_000);
});

test('a job the provider no longer knows may be billed: nothing else is paid for', async () => {
  const polls = [answer(404, words('no such job'))];
  for (const payment of ['strict', 'standard'] as const) {
    const { outcome, sends } = await end({ submits: [ACCEPTED], others: [GOOD], polls, policy: { payment } });
    assert.equal(failed(outcome).certainty, 'ambiguous');
    assert.equal(sends.filter((send) => send.kind === 'submit').length, 1);
  }
});

test('a job whose provider left the configuration may be billed', async () => {
  const [scenario, first] = world({ submits: [ACCEPTED], polls: [GOOD] });
  const { environment, journal, io } = first;
  let asked = 0;
  const connection = (id: string) => {
    asked += 1;
    return asked === 1 ? environment.connection(id) : undefined;
  };
  const outcome = await io.drive(run('run', scenario.plan, journal, { ...environment, connection }));
  assert.ok(outcome !== PARKED);
  assert.equal(failed(outcome).certainty, 'ambiguous');
});

test('an answer that comes after the caller’s deadline is still taken in, whatever may be paid again', async () => {
  for (const payment of ['strict', 'available'] as const) {
    const policy = { payment, maxPaidAttempts: 3, ...within(5_000) };
    const { outcome, types } = await end({ submits: [answer(200, GOOD_BODY, 9_000)], policy });
    assert.ok(outcome.ok, payment);
    assert.ok(types.includes('clock-fired'));
  }
});

test('under available a first-byte clock ends the attempt, and the next one starts', async () => {
  const timeout = { payment: 'available', maxPaidAttempts: 2 } as const;
  const { outcome, sends } = await end({ submits: [HANG, GOOD], policy: timeout });
  assert.ok(outcome.ok);
  assert.equal(sends.length, 2);
});

test('a failure that may be billed is the answer even when a later attempt failed for free', async () => {
  const { outcome, sends } = await end({
    submits: [answer(500, words('it failed'))],
    others: [answer(400, words('no'))],
  });
  assert.equal(sends.length, 2);
  assert.deepEqual([failed(outcome).kind, failed(outcome).certainty], ['server', 'failed']);
});

test('a picture whose stream is cut off after it is still a picture', async () => {
  const event = JSON.stringify({ type: 'image_generation.completed', b64_json: TINY_PNG_BASE64 });
  const body = `event: image_generation.completed\ndata: ${event}\n\ndata: {"ty`;
  const headers = { 'content-type': 'text/event-stream' };
  for (const by of ['reset', 'silence'] as const) {
    const cut = { atByte: body.length, by };
    const submits = [play({ kind: 'answer', afterMs: 1, status: 200, headers, body, cut })];
    const connection = (id: string) => ({ id, provider: openaiCompatible, baseUrl: `http://${id}`, secret: '' });
    const { outcome } = await end({ submits }, { connection });
    assert.ok(outcome.ok, by);
  }
});

test('a disk that is full while the picture arrives is our fault, after the work was done', async () => {
  const { assets } = world({ submits: [] })[1].environment;
  const full = () => {
    throw new Error('ENOSPC: no space left on device');
  };
  const { outcome } = await end(
    { submits: [GOOD] },
    { assets: { ...assets, create: () => ({ ...assets.create(), write: full }) } },
  );
  assert.deepEqual([failed(outcome).kind, failed(outcome).certainty], ['storage', 'completed']);
  assert.match(failed(outcome).message, /ENOSPC/);
});

test('a provider that repeats our key does not carry it into the journal', async () => {
  const [scenario, made] = world({ submits: [answer(400, words('unknown key sk-simulated-secret here'))] });
  const outcome = await made.io.drive(run('run', scenario.plan, made.journal, made.environment));
  assert.ok(!JSON.stringify([outcome, made.durable]).includes('simulated-secret'));
});

test('a key without a known prefix is not carried either', async () => {
  const secret = '0123abcd4567ef89';
  const [scenario, made] = world({ submits: [answer(401, words(`unknown key ${secret} here`, `code ${secret}`))] });
  const connection = (id: string) => {
    const known = made.environment.connection(id);
    return known && { ...known, secret };
  };
  const work = run('run', scenario.plan, made.journal, { ...made.environment, connection });
  assert.ok(!JSON.stringify([await made.io.drive(work), made.durable]).includes(secret));
});

test('nor is a part of one: behind a name, after a scheme, or where the message is cut', async () => {
  const half = 'f00dfeed4567ef89abcd';
  const told: readonly (readonly [secret: string, said: string])[] = [
    [`Bearer ${half}`, `no account for ${half}`],
    [`7c9e6679-7425:${half}`, `no secret ${half}`],
    [half, `${'long '.repeat(97)}${half} is no key`],
  ];
  for (const [secret, said] of told) {
    const [scenario, made] = world({ submits: [answer(401, words(said))] });
    const connection = (id: string) => {
      const known = made.environment.connection(id);
      return known && { ...known, secret };
    };
    const work = run('run', scenario.plan, made.journal, { ...made.environment, connection });
    assert.ok(!JSON.stringify([await made.io.drive(work), made.durable]).includes(half.slice(0, 8)), secret);
  }
});

test('no run goes on for ever: too many decisions end it with an error', async () => {
  const limits = { ...RUN_LIMITS, maxDecisions: 5 };
  await assert.rejects(end({ submits: [REFUSED] }, { limits }), /no end after 5 decisions/);
});
