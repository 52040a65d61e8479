import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURES, type FailureKind } from './failure.ts';
import { createHealthBook, type HealthBook } from './health.ts';
import type { PlannedTarget } from './plan.ts';
import { createRunRig, type RunRigOptions, type SentCall } from './testing/run-rig.ts';
import { SAMPLE_SUCCESS, sampleFailed, sampleTarget } from './testing/samples.ts';

const LARGE = sampleTarget('openai', { id: 'openai/large', model: 'large' });
const SMALL = sampleTarget('openai', { id: 'openai/small', model: 'small' });

const gateOf = (book: HealthBook, target: PlannedTarget, now = 0) => book.view([target], now)[target.id];

function settleEach(book: HealthBook, times: number, kind: FailureKind, target = LARGE): void {
  for (let index = 0; index < times; index += 1) {
    book.settle(target, book.acquire(target, target.credential, 0), sampleFailed(kind), 0);
  }
}

test('whatever trouble one model of chat has, another behind the same key is open', () => {
  for (const [kind, { breaker }] of Object.entries(FAILURES)) {
    if (breaker !== 'target') continue;
    const book = createHealthBook();
    settleEach(book, 20, kind as FailureKind);
    assert.equal(gateOf(book, LARGE)?.by, 'breaker', kind);
    assert.equal(gateOf(book, SMALL), undefined, kind);
    assert.equal(book.report(0)[0]?.credentialState, 'closed', kind);
  }
});

test('refusals and requests that are wrong trip nothing; a quota closes the key and trips no model', () => {
  const asked: readonly FailureKind[] = ['policy', 'invalid', 'not_found', 'permission', 'capability', 'too_large'];
  for (const kind of [...asked, 'throttled', 'canceled', 'corrupt', 'empty'] as const) {
    const book = createHealthBook();
    settleEach(book, 100, kind);
    assert.equal(gateOf(book, LARGE), undefined, kind);
  }
  const book = createHealthBook();
  settleEach(book, 100, 'quota');
  assert.equal(gateOf(book, LARGE)?.by, 'credential');
  assert.equal(book.report(0)[0]?.state, 'closed');
});

/** Closed by five runs that fail, and what it takes until the breaker lets a probe through. */
async function tripped(options: Pick<RunRigOptions, 'play'>) {
  const rig = createRunRig(options);
  const failing = Array.from({ length: 5 }, (_, index) => rig.start(`trip ${index}`, ['a']));
  await rig.clock.drive(Promise.all(failing));
  const opensAt = gateOf(rig.health, sampleTarget('a'), rig.clock.now())?.until;
  assert.ok(opensAt !== undefined && opensAt > rig.clock.now());
  return { ...rig, opensAt };
}

const runsAt = (rig: Awaited<ReturnType<typeof tripped>>, count: number, at: number, names = ['a']) =>
  rig.clock.drive(Promise.all(Array.from({ length: count }, (_, index) => rig.start(`${at} ${index}`, names, at))));

const broken = { outcome: sampleFailed('network', { certainty: 'ambiguous' }), afterMs: 10 };
const good = { outcome: SAMPLE_SUCCESS, afterMs: 2_000 };
const isTrip = ({ runId }: SentCall) => runId.startsWith('trip');

test('while it is open no run is sent there, and each ends with the time to come back', async () => {
  const rig = await tripped({ play: () => broken });
  const before = rig.sent.length;
  const ended = await runsAt(rig, 20, rig.clock.now());
  assert.equal(rig.sent.length, before);
  for (const { outcome } of ended) {
    assert.ok(!outcome.ok && outcome.failure.kind === 'unavailable');
    assert.equal(outcome.failure.notBefore, rig.opensAt);
  }
});

test('half open, of 50 runs that come at once exactly one is sent; the rest see it closed and go elsewhere', async () => {
  const rig = await tripped({ play: (call) => (isTrip(call) ? broken : good) });
  const ended = await runsAt(rig, 50, rig.opensAt, ['a', 'b']);
  const probes = rig.sent.filter(({ at, target }) => at >= rig.opensAt && target === 'a/model');
  assert.equal(probes.length, 1);
  assert.equal(rig.sent.filter(({ target }) => target === 'b/model').length, 49);
  assert.ok(ended.every(({ outcome }) => outcome.ok));
  const after = await runsAt(rig, 20, rig.clock.now());
  assert.ok(after.every(({ outcome }) => outcome.ok));
  assert.equal(rig.sent.filter(({ at, target }) => at > rig.opensAt && target === 'a/model').length, 20);
});

test('a probe that fails closes it again for all, for longer', async () => {
  const rig = await tripped({ play: () => broken });
  await runsAt(rig, 50, rig.opensAt);
  assert.equal(rig.sent.filter(({ at }) => at >= rig.opensAt).length, 1);
  const again = gateOf(rig.health, sampleTarget('a'), rig.clock.now());
  assert.ok(again && again.until - rig.clock.now() >= 10_000);
});

test('a probe that is refused says nothing: the next run is let through, one at a time', async () => {
  const refused = { outcome: sampleFailed('policy'), afterMs: 100 };
  const rig = await tripped({ play: (call) => (isTrip(call) ? broken : refused) });
  await runsAt(rig, 10, rig.opensAt);
  await runsAt(rig, 10, rig.clock.now());
  assert.equal(rig.sent.filter(({ at }) => at >= rig.opensAt).length, 2);
});

test('refusals of many runs at once close nothing', async () => {
  const rig = createRunRig({ play: () => ({ outcome: sampleFailed('policy'), afterMs: 50 }) });
  for (let round = 0; round < 3; round += 1) {
    const ended = await rig.clock.drive(
      Promise.all(Array.from({ length: 50 }, (_, index) => rig.start(`${round} ${index}`, ['a', 'b']))),
    );
    assert.ok(ended.every(({ outcome }) => !outcome.ok && outcome.failure.kind === 'policy'));
  }
  assert.equal(rig.sent.length, 150);
  assert.ok(rig.sent.every(({ target }) => target === 'a/model'));
});

test('one target that dies takes no run of another with it', async () => {
  const rig = createRunRig({ play: ({ target }) => (target === 'a/model' ? broken : good) });
  const names = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 'a' : 'b'));
  const ended = await rig.clock.drive(Promise.all(names.map((name, index) => rig.start(`${index}`, [name]))));
  ended.forEach(({ outcome }, index) => {
    assert.equal(outcome.ok, names[index] === 'b');
  });
  assert.equal(gateOf(rig.health, sampleTarget('b'), rig.clock.now()), undefined);
});
