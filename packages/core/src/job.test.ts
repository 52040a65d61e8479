import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from './journal.ts';
import type { CancelCall, Progress, Provider } from './providers/provider.ts';
import { PARKED, run } from './run.ts';
import { samplePlan } from './testing/samples.ts';
import type { Behaviour } from './testing/scripted-io.ts';
import { ACCEPTED_BODY, createWorld, GOOD_BODY, type Play } from './testing/simulated-world.ts';

const answer = (status: number, body: string, afterMs = 10): Play => ({
  truth: 'free',
  behaviour: { kind: 'answer', afterMs, status, body } satisfies Behaviour,
});
const ACCEPTED = answer(200, ACCEPTED_BODY);
const GOOD = answer(200, GOOD_BODY);

interface Setting {
  readonly polls: readonly Play[];
  readonly cancelMs?: number;
  /** What the provider's cancel call is made of; without one the provider takes none. */
  readonly cancel?: CancelCall;
  readonly waiting?: (poll: number) => Partial<Progress & { kind: 'waiting' }>;
  readonly unattended?: true;
  readonly newsMs?: number;
  /** Where the adapter throws. */
  readonly broken?: 'build' | 'verdict' | 'parse';
}

async function end({ polls, cancelMs, cancel, waiting, unattended, newsMs, broken }: Setting) {
  const plan = { ...samplePlan(['a']), ...(unattended && { unattended }) };
  const scripts = { 'a/model': { submits: [ACCEPTED], polls } };
  const world = createWorld({ plan, scripts, journalMs: 1, presenceTurnsMs: [], cancelMs });
  let looks = 0;
  const connection = (id: string) => {
    const made = world.environment.connection(id);
    const calls = made?.provider.image;
    if (made === undefined || calls?.poll === undefined) return undefined;
    const { poll } = calls;
    const parse: typeof poll.parse = (response, handle, context) => {
      const progress = poll.parse(response, handle, context);
      return progress.kind === 'waiting' ? { ...progress, ...waiting?.(looks++) } : progress;
    };
    const failing = broken && { [broken]: throwing };
    const image = { ...calls, poll: { ...poll, parse, ...failing }, ...(cancel && { cancel }) };
    return { ...made, provider: { ...made.provider, image } satisfies Provider };
  };
  const onNews = (callback: () => void) =>
    newsMs === undefined || newsMs <= world.io.now() ? () => {} : world.io.timer(newsMs, callback);
  const work = run('run', plan, world.journal, { ...world.environment, connection, onNews });
  const outcome = await world.io.drive(work);
  assert.ok(outcome !== PARKED);
  return { outcome, world, at: world.io.now() };
}

function throwing(): never {
  throw new URIError('URI malformed');
}

function failed(outcome: Outcome) {
  assert.ok(!outcome.ok);
  return outcome.failure;
}

function cancelCall(confirmed: boolean, certainty: 'rejected' | 'ambiguous'): CancelCall {
  return {
    build: (_handle, { baseUrl }) => ({ method: 'GET', url: `${baseUrl}/cancel`, headers: {} }),
    parse: () => ({ confirmed, certainty, message: 'gave it up' }),
  };
}

test('a job whose provider confirms the cancellation and bills nothing ends canceled, and free', async () => {
  const setting = { polls: [ACCEPTED], cancelMs: 1_500, cancel: cancelCall(true, 'rejected') };
  const { kind, cancel, certainty } = failed((await end(setting)).outcome);
  assert.deepEqual({ kind, cancel, certainty }, { kind: 'canceled', cancel: 'confirmed', certainty: 'rejected' });
});

test('a cancellation that the provider does not confirm looks at the job once more, and takes a picture that came', async () => {
  const polls = [ACCEPTED, ACCEPTED, GOOD];
  const { outcome } = await end({ polls, cancelMs: 1_500, cancel: cancelCall(false, 'ambiguous') });
  assert.ok(outcome.ok);
});

test('a cancellation that stays unconfirmed says so, and that the job may be billed', async () => {
  const setting = { polls: [ACCEPTED], cancelMs: 1_500, cancel: cancelCall(false, 'ambiguous') };
  const { kind, cancel, certainty } = failed((await end(setting)).outcome);
  assert.deepEqual({ kind, cancel, certainty }, { kind: 'canceled', cancel: 'unconfirmed', certainty: 'ambiguous' });
});

test('a provider that takes no cancellation leaves it unconfirmed', async () => {
  const { cancel, certainty } = failed((await end({ polls: [ACCEPTED], cancelMs: 1_500 })).outcome);
  assert.deepEqual([cancel, certainty], ['unconfirmed', 'ambiguous']);
});

test('progress is journaled when it grows; looks that bring nothing new are not', async () => {
  const polls = [...Array.from({ length: 40 }, () => ACCEPTED), GOOD];
  const waiting = (poll: number) => ({ progress: Math.min(50, Math.floor(poll / 4) * 10), stage: 'running' as const });
  const { outcome, world } = await end({ polls, waiting });
  assert.ok(outcome.ok);
  const polled = world.durable.filter((event) => event.type === 'polled');
  assert.deepEqual(
    polled.map((event) => event.progress),
    [0, 10, 20, 30, 40, 50],
  );
});

test('a job that is looked at thousands of times is no run without an end', async () => {
  const polls = [...Array.from({ length: 15_000 }, () => ACCEPTED), GOOD];
  const plan = { waiting: () => ({ pollAfterMs: 20 }) };
  const { outcome } = await end({ polls, ...plan });
  assert.ok(outcome.ok);
});

test('where a provider says nothing, looks come further apart as the job ages', async () => {
  const polls = [...Array.from({ length: 60 }, () => ACCEPTED), GOOD];
  const { world } = await end({ polls, waiting: () => ({ pollAfterMs: undefined as never }) });
  const looks = world.sends.filter((send) => send.kind === 'poll').map((send) => send.at);
  const gaps = looks.slice(1).map((at, index) => at - (looks[index] ?? 0));
  assert.ok((gaps[0] ?? 0) < 1_100 && (gaps.at(-1) ?? 0) > 9_000, gaps.join());
});

test('a look that is answered 500 is not the job’s end', async () => {
  const broken = answer(500, JSON.stringify({ error: { message: 'try later', type: 'server_error' } }));
  const { outcome, world } = await end({ polls: [broken, broken, GOOD] });
  assert.ok(outcome.ok);
  assert.equal(world.sends.filter((send) => send.kind === 'submit').length, 1);
});

test('a look that is refused with a time is repeated then, and not before', async () => {
  const busy: Play = {
    truth: 'free',
    behaviour: { kind: 'answer', afterMs: 10, status: 429, headers: { 'retry-after': '30' }, body: '{}' },
  };
  const { outcome, world } = await end({ polls: [busy, GOOD] });
  assert.ok(outcome.ok);
  const [first = 0, second = 0] = world.sends.filter((send) => send.kind === 'poll').map((send) => send.at);
  assert.ok(second - first >= 30_000, String(second - first));
});

test('the provider’s news make us look at once', async () => {
  const waiting = () => ({ pollAfterMs: 300_000 });
  const { at } = await end({ polls: [ACCEPTED, GOOD], waiting, newsMs: 5_000 });
  assert.ok(at < 6_000, String(at));
});

test('a task is nobody’s to wait for: it runs to its end without a caller', async () => {
  const plan = { ...samplePlan(['a']), unattended: true as const };
  const scripts = { 'a/model': { submits: [answer(429, '{}'), GOOD], polls: [] } };
  const world = createWorld({ plan, scripts, journalMs: 1, presenceTurnsMs: [0], cancelMs: undefined });
  const outcome = await world.io.drive(run('run', plan, world.journal, world.environment));
  assert.ok(outcome !== PARKED && outcome.ok);
});

const LOST = answer(404, JSON.stringify({ error: { message: 'no such job' } }));

test('a job that is not found at first is looked at again: its server may not have heard of it yet', async () => {
  const { outcome, world } = await end({ polls: [LOST, LOST, GOOD] });
  assert.ok(outcome.ok);
  assert.equal(world.sends.filter((send) => send.kind === 'submit').length, 1);
});

test('a job that stays unknown is lost, and may be billed', async () => {
  const { outcome, at } = await end({ polls: [LOST] });
  const { kind, certainty } = failed(outcome);
  assert.deepEqual([kind, certainty], ['not_found', 'ambiguous']);
  assert.ok(at >= 5_000 && at < 10_000, String(at));
});

test('a job that was known and is not found once goes on', async () => {
  const { outcome } = await end({ polls: [ACCEPTED, ACCEPTED, LOST, ACCEPTED, LOST, GOOD] });
  assert.ok(outcome.ok);
});

test('a look that cannot even be built leaves an accepted job undecided, never unsent', async () => {
  for (const broken of ['build', 'verdict', 'parse'] as const) {
    const { outcome, world } = await end({ polls: [ACCEPTED], broken });
    assert.notEqual(failed(outcome).certainty, 'not_sent', broken);
    assert.notEqual(failed(outcome).certainty, 'rejected', broken);
    assert.equal(world.sends.filter((send) => send.kind === 'submit').length, 1, broken);
  }
});
