/** Batches against providers that enforce limits, in virtual time: how much of a limit is used, and what it costs. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createMemoryCells } from './cells.ts';
import { createPacer } from './pacer.ts';
import type { Limits } from './pacing.ts';
import {
  createLimitedProvider,
  type EnforcedLimits,
  type Refused,
  runBatch,
  type SeenCall,
  seededRandom,
} from './testing/limited-provider.ts';
import { createVirtualClock } from './testing/virtual-clock.ts';

interface Setting {
  readonly enforced: EnforcedLimits;
  readonly configured?: Limits;
  readonly requests?: number;
  readonly seed?: number;
}

const START = 1_000_000;

async function simulate({ enforced, configured, requests = 300, seed = 1 }: Setting) {
  const clock = createVirtualClock(START);
  const random = seededRandom(seed);
  const pacer = createPacer({ limits: () => configured, cells: createMemoryCells(), io: clock });
  const provider = createLimitedProvider(enforced, { clock, random });
  const doneAt = await clock.drive(runBatch({ pacer, provider, clock, random, requests, wanted: 32 }));
  const { calls } = provider;
  const firstTenthAt = doneAt[Math.floor(requests / 10) - 1] ?? START;
  const lastAt = Math.max(...calls.filter((one) => one.accepted).map((one) => one.arrivedAt));
  const later = calls.filter((one) => one.sentAt >= firstTenthAt);
  const refusedShare = later.filter((one) => !one.accepted).length / later.length;
  return { calls, done: doneAt.length, afterFirstTenthMs: lastAt - firstTenthAt, refusedShare };
}

/** The same batch when the limit is known from the start: what a limit allows. */
async function compared(t: TestContext, setting: Setting, limit: Limits) {
  const [learned, ideal] = [await simulate(setting), await simulate({ ...setting, configured: limit })];
  const used = ideal.afterFirstTenthMs / learned.afterFirstTenthMs;
  t.diagnostic(`${percent(used)} of what the limit allows, ${percent(learned.refusedShare)} refused`);
  return { ...learned, used };
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const silentRate = () => ({ message: 'Rate limit reached for pictures. Please try again later.' });
const silentConcurrency = () => ({
  message: 'Too many concurrent requests for pictures. Please wait for one of them to finish.',
  throttle: 'concurrency' as const,
});
const unnamed = () => ({ message: 'Too Many Requests' });
const toldConcurrency = ({ limit, used }: Refused) => ({
  message: `Too many concurrent requests for pictures. Limit ${limit}, Used ${used}, Requested 1.`,
  throttle: 'concurrency' as const,
});
const toldRate = ({ by, limit, used, windowMs, waitMs, now }: Refused) => ({
  message: `Rate limit reached for pictures on ${by} per ${windowMs / 1_000}s: Limit ${limit}, Used ${used}, Requested 1.`,
  throttle: by,
  notBefore: now + waitMs,
});

function mostInAnyWindow(calls: readonly SeenCall[], windowMs: number): number {
  const at = calls.filter((one) => one.accepted).map((one) => one.arrivedAt);
  return Math.max(...at.map((end) => at.filter((one) => one > end - windowMs && one <= end).length));
}

for (const [count, seconds] of [
  [30, 15],
  [60, 60],
  [20, 10],
] as const) {
  for (const seed of [1, 2, 3]) {
    test(`a silent limit of ${count} pictures in ${seconds} s is found and used, seed ${seed}`, async (t) => {
      const images = [{ count, windowMs: seconds * 1_000 }];
      const found = await compared(t, { enforced: { images, says: silentRate }, seed }, { images });
      assert.equal(found.done, 300);
      assert.ok(found.used >= 0.95, `${percent(found.used)} used`);
      assert.ok(found.refusedShare <= 0.03, `${percent(found.refusedShare)} refused`);
    });
  }
}

test('two silent limits at once are found one after the other', async (t) => {
  const requests = [
    { count: 5, windowMs: 1_000 },
    { count: 60, windowMs: 60_000 },
  ];
  const found = await compared(t, { enforced: { requests, says: unnamed } }, { requests });
  assert.equal(found.done, 300);
  assert.ok(found.used >= 0.9 && found.refusedShare <= 0.05);
});

test('a limit told by refusals is held to at once', async (t) => {
  const images = [{ count: 20, windowMs: 10_000 }];
  const found = await compared(t, { enforced: { images, says: toldRate } }, { images });
  assert.ok(found.used >= 0.98, `${percent(found.used)} used`);
  assert.equal(found.refusedShare, 0);
});

test('an announced concurrency of four is kept full', async (t) => {
  const enforced = { concurrency: () => 4, says: toldConcurrency };
  const found = await compared(t, { enforced }, { concurrency: 4 });
  assert.equal(found.done, 300);
  assert.ok(found.used >= 0.95, `${percent(found.used)} used`);
  assert.ok(found.refusedShare <= 0.01);
});

const MINUTE = 60_000;

for (const [name, says] of [
  ['silent', silentConcurrency],
  ['unnamed', unnamed],
] as const) {
  test(`a ${name} concurrency of twelve that falls to six and rises again is followed`, async (t) => {
    const allowed = (now: number) => (now - START >= 20 * MINUTE && now - START < 50 * MINUTE ? 6 : 12);
    const { calls } = await simulate({ enforced: { concurrency: allowed, says }, requests: 10_000 });
    const accepted = calls.filter((one) => one.accepted);
    const end = Math.max(...accepted.map((one) => one.endedAt));
    const worked = accepted.reduce((sum, one) => sum + one.endedAt - one.arrivedAt, 0);
    let possible = 0;
    for (let at = START; at < end; at += 1_000) possible += allowed(at) * Math.min(1_000, end - at);
    const refused = (calls.length - accepted.length) / calls.length;
    t.diagnostic(`${percent(worked / possible)} of the places in use, ${percent(refused)} refused`);
    assert.ok(worked / possible >= 0.9, `${percent(worked / possible)} in use`);
    assert.ok(refused <= 0.02, `${percent(refused)} refused`);
  });
}

test('twenty requests at a configured five a minute: all done, never more than five in a window, none refused', async () => {
  const images = [{ count: 5, windowMs: MINUTE }];
  const { calls, done } = await simulate({ enforced: { images, says: unnamed }, configured: { images }, requests: 20 });
  assert.equal(done, 20);
  assert.equal(calls.length, 20);
  assert.equal(mostInAnyWindow(calls, MINUTE), 5);
  assert.ok(Math.max(...calls.map((one) => one.arrivedAt)) - START < 182_000);
});

test('a limit that falls by half is found again', async (t) => {
  const enforced: EnforcedLimits = {
    images: [{ count: 30, windowMs: 15_000 }],
    says: silentRate,
  };
  let fell = false;
  const falling: EnforcedLimits = {
    ...enforced,
    get images() {
      return fell ? [{ count: 15, windowMs: 15_000 }] : [{ count: 30, windowMs: 15_000 }];
    },
    concurrency: (now) => {
      fell = now > START + 120_000;
      return 1_000;
    },
  };
  const { calls, done } = await simulate({ enforced: falling, requests: 600 });
  const refused = calls.filter((one) => !one.accepted).length / calls.length;
  const lastAt = Math.max(...calls.filter((one) => one.accepted).map((one) => one.arrivedAt)) - START;
  t.diagnostic(`${(lastAt / 1_000).toFixed(0)} s for 600, of ${120 + 15 * 24} s possible, ${percent(refused)} refused`);
  assert.equal(done, 600);
  assert.ok(refused <= 0.1, `${percent(refused)} refused`);
  assert.ok(lastAt <= 1.3 * (120_000 + 15_000 * 24), `${lastAt} ms`);
});
