import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject } from './json.ts';
import type { Provider } from './providers/provider.ts';
import { PARKED, run } from './run.ts';
import { samplePlan, sampleTarget } from './testing/samples.ts';
import type { Behaviour } from './testing/scripted-io.ts';
import { createWorld, GOOD_BODY, type Play } from './testing/simulated-world.ts';

const answer = (status: number, body: string, afterMs = 10): Play => ({
  truth: 'free',
  behaviour: { kind: 'answer', afterMs, status, body } satisfies Behaviour,
});
const play = (behaviour: Behaviour): Play => ({ truth: 'free', behaviour });
const told = (progress: number) => answer(200, JSON.stringify({ progress }));

interface Setting {
  readonly submits: readonly Play[];
  /** Looks while the submit is open; the last one repeats. */
  readonly looks: readonly Play[];
  readonly free?: boolean;
  readonly totalMs?: number;
}

async function end({ submits, looks, free = true, totalMs = 3_600_000 }: Setting) {
  const { policy } = samplePlan();
  const target = sampleTarget('a', { firstByteMs: 60_000, stallMs: 20_000, ...(free && { free }) });
  const plan = {
    ...samplePlan(['a'], { timeout: { ...policy.timeout, totalMs, harvestMs: 0 } }),
    targets: [target],
  };
  const scripts = { 'a/model': { submits, polls: looks } };
  const world = createWorld({ plan, scripts, journalMs: 1, presenceTurnsMs: [], cancelMs: undefined });
  const connection = (id: string) => {
    const made = world.environment.connection(id);
    if (made?.provider.image === undefined) return undefined;
    const watch: NonNullable<Provider['image']>['watch'] = {
      build: ({ baseUrl }) => ({ method: 'GET', url: `${baseUrl}/progress`, headers: {} }),
      parse: ({ body }) => (isObject(body) && typeof body.progress === 'number' ? { progress: body.progress } : {}),
    };
    return { ...made, provider: { ...made.provider, image: { ...made.provider.image, watch } } };
  };
  const outcome = await world.io.drive(run('run', plan, world.journal, { ...world.environment, connection }));
  assert.ok(outcome !== PARKED);
  const attempts = world.durable.filter((event) => event.type === 'attempt-ended');
  const failures = attempts.flatMap((event) => (event.outcome.ok ? [] : [event.outcome.failure]));
  return { outcome, world, failures, at: world.io.now() };
}

test('progress keeps the first-byte clock from ending a submit that takes ten times as long, and is journaled', async () => {
  const looks = Array.from({ length: 99 }, (_, index) => told(index + 1));
  const { outcome, world } = await end({ submits: [answer(200, GOOD_BODY, 290_000)], looks });
  assert.ok(outcome.ok);
  const polled = world.durable.filter((event) => event.type === 'polled').map((event) => event.progress);
  assert.ok(polled.length > 90, `${polled.length}`);
  assert.deepEqual(
    polled,
    polled.map((_, index) => index + 1),
  );
});

test('a submit whose server says for the stall time that nothing moves is ended and sent again', async () => {
  const looks = [told(3), told(10), ...Array.from({ length: 8 }, () => told(10)), told(40)];
  const { outcome, failures } = await end({ submits: [play({ kind: 'hang' }), answer(200, GOOD_BODY)], looks });
  assert.ok(outcome.ok);
  const [failure] = failures;
  assert.deepEqual([failure?.clock?.name, failure?.clock?.setting], ['idle', 'stall_timeout_ms']);
});

test('failed looks are no evidence: the submit has the time of a first byte, and its picture is taken', async () => {
  const broken = [answer(500, 'oops'), play({ kind: 'refuse', afterMs: 1 }), answer(200, '{}'), play({ kind: 'hang' })];
  for (const look of broken) {
    assert.ok((await end({ submits: [answer(200, GOOD_BODY, 55_000)], looks: [look] })).outcome.ok);
    const { failures } = await end({ submits: [play({ kind: 'hang' }), answer(200, GOOD_BODY)], looks: [look] });
    assert.equal(failures[0]?.clock?.name, 'first_byte');
  }
});

test('where every attempt may be billed a server that stands still is no reason to pay again', async () => {
  const { outcome } = await end({ submits: [answer(200, GOOD_BODY, 55_000)], looks: [told(0)], free: false });
  assert.ok(outcome.ok);
});

test('the caller’s deadline ends a watched submit that moves, at no cost', async () => {
  const looks = Array.from({ length: 99 }, (_, index) => told(index + 1));
  const { outcome, at } = await end({ submits: [play({ kind: 'hang' })], looks, totalMs: 100_000 });
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.failure.clock?.name, outcome.failure.certainty], ['total', 'rejected']);
  assert.ok(at < 101_000, `${at}`);
});

test('looks come one at a time, and none after the answer', async () => {
  const { world } = await end({
    submits: [answer(200, GOOD_BODY, 30_500)],
    looks: [answer(200, '{"progress":5}', 5_000)],
  });
  await world.io.drive(new Promise<void>((resolve) => world.io.timer(world.io.now() + 20_000, resolve)));
  const looks = world.sends.filter((send) => send.kind === 'poll');
  assert.ok(looks.length > 2 && looks.every((send) => send.open === 1 && send.at <= 30_510), `${looks.length}`);
});
