import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFailure } from '../testing/samples.ts';
import {
  BREAKER_POLICY,
  type BreakerState,
  CLOSED,
  CREDENTIAL_POLICY,
  closedUntil,
  permit,
  settle,
  type Verdict,
} from './breaker.ts';

const SUCCESS: Verdict = { result: 'success' };
const IGNORED: Verdict = { result: 'ignored' };
const FAILURE: Verdict = { result: 'failure', failure: sampleFailure('server') };

/** One call from start to end at one instant. */
function call(state: BreakerState, verdict: Verdict, now: number, policy = BREAKER_POLICY): BreakerState {
  assert.equal(closedUntil(state, now), undefined, 'the call may not pass');
  const taken = permit(state, now, policy);
  return settle(taken.state, taken.permit, verdict, now, policy);
}

function calls(state: BreakerState, verdicts: readonly Verdict[], now = 0): BreakerState {
  return verdicts.reduce((current, verdict) => call(current, verdict, now), state);
}

const times = (count: number, ...pattern: readonly Verdict[]) => Array.from({ length: count }, () => pattern).flat();
const tripped = (now = 0) => calls(CLOSED, times(5, FAILURE), now);
const openMs = (state: BreakerState, now: number) => (closedUntil(state, now) ?? now) - now;

test('five failures in a row trip it, four do not', () => {
  assert.equal(calls(CLOSED, times(4, FAILURE)).phase, 'closed');
  assert.equal(tripped().phase, 'open');
});

test('a success between failures starts the row again', () => {
  assert.equal(calls(CLOSED, [...times(4, FAILURE), SUCCESS, ...times(4, FAILURE)]).phase, 'closed');
});

test('half of the last outcomes trip it, once there are ten', () => {
  const nine = calls(CLOSED, [...times(4, FAILURE, SUCCESS), FAILURE]);
  assert.equal(nine.phase, 'closed');
  assert.equal(call(nine, FAILURE, 0).phase, 'open');
});

test('less than half never trips it, and outcomes that left the window do not count', () => {
  assert.equal(calls(CLOSED, times(60, FAILURE, SUCCESS, SUCCESS)).phase, 'closed');
  const old = calls(CLOSED, [...times(4, FAILURE), ...times(20, SUCCESS), ...times(4, FAILURE)]);
  assert.equal(old.phase, 'closed');
  assert.ok(old.recent.length <= BREAKER_POLICY.window);
});

test('slow calls trip it however long they take: twenty of an hour each, started together', () => {
  let state = CLOSED;
  const given = Array.from({ length: 20 }, () => {
    const taken = permit(state, 0, BREAKER_POLICY);
    state = taken.state;
    return taken.permit;
  });
  for (const one of given) state = settle(state, one, FAILURE, 3_600_000, BREAKER_POLICY);
  assert.equal(state.phase, 'open');
});

test('stale failures do not reopen a circuit that has recovered', () => {
  const stale = permit(CLOSED, 0, BREAKER_POLICY).permit;
  const open = tripped();
  const recovered = call(open, SUCCESS, open.openUntil);
  assert.equal(recovered.phase, 'closed');
  const after = Array.from({ length: 5 }).reduce<BreakerState>(
    (state) => settle(state, stale, FAILURE, open.openUntil, BREAKER_POLICY),
    recovered,
  );
  assert.deepEqual(after, recovered);
});

test('a stale success closes neither an open nor a half-open circuit', () => {
  const stale = permit(CLOSED, 0, BREAKER_POLICY).permit;
  const open = tripped();
  assert.deepEqual(settle(open, stale, SUCCESS, 1, BREAKER_POLICY), open);
  const probing = permit(open, open.openUntil, BREAKER_POLICY).state;
  assert.deepEqual(settle(probing, stale, SUCCESS, open.openUntil, BREAKER_POLICY), probing);
});

test('a stale failure does not lengthen an opening', () => {
  const stale = permit(CLOSED, 0, BREAKER_POLICY).permit;
  const open = tripped();
  assert.equal(settle(open, stale, FAILURE, 4_000, BREAKER_POLICY).openUntil, open.openUntil);
});

test('half open lets one probe through and turns the others away instead of queueing them', () => {
  const open = tripped();
  const probing = permit(open, open.openUntil, BREAKER_POLICY);
  assert.equal(probing.permit.probe, true);
  const until = closedUntil(probing.state, open.openUntil) ?? 0;
  assert.ok(until > open.openUntil && until < open.openUntil + BREAKER_POLICY.probeLeaseMs, 'the lease is not told');
  const late = open.openUntil + BREAKER_POLICY.probeLeaseMs - 1;
  assert.equal(closedUntil(probing.state, late), late + 1);
});

test('an ignored probe (a refusal, a cancel) closes nothing and hands its permit to the next call at once', () => {
  const open = tripped();
  const back = call(open, IGNORED, open.openUntil);
  assert.notEqual(back.phase, 'closed');
  assert.equal(closedUntil(back, open.openUntil), undefined);
  const next = permit(back, open.openUntil, BREAKER_POLICY);
  assert.equal(next.permit.probe, true);
  assert.equal(settle(next.state, next.permit, FAILURE, open.openUntil, BREAKER_POLICY).phase, 'open');
});

test('ignored outcomes never trip it and break no row of failures', () => {
  assert.equal(calls(CLOSED, times(100, IGNORED)).phase, 'closed');
  assert.equal(calls(CLOSED, [...times(4, FAILURE), ...times(9, IGNORED), FAILURE]).phase, 'open');
});

test('a hung probe expires; its late success then changes nothing', () => {
  const open = tripped();
  const hung = permit(open, open.openUntil, BREAKER_POLICY);
  const later = open.openUntil + BREAKER_POLICY.probeLeaseMs;
  assert.equal(closedUntil(hung.state, later - 1), later);
  assert.equal(closedUntil(hung.state, later), undefined);
  const second = permit(hung.state, later, BREAKER_POLICY);
  assert.deepEqual(settle(second.state, hung.permit, SUCCESS, later, BREAKER_POLICY), second.state);
  assert.equal(settle(second.state, second.permit, SUCCESS, later, BREAKER_POLICY).phase, 'closed');
});

test('a successful probe forgets the failures before it', () => {
  const open = tripped();
  const recovered = call(open, SUCCESS, open.openUntil);
  assert.equal(calls(recovered, times(4, FAILURE), open.openUntil).phase, 'closed');
});

test('openings double from 5 s to the cap of 300 s, each with up to half of it on top', () => {
  let state = tripped();
  let now = 0;
  for (const doubled of [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
    const waited = openMs(state, now);
    assert.ok(waited >= doubled && waited <= Math.min(doubled * 1.5, 300_000), `${waited} for ${doubled}`);
    now = state.openUntil;
    state = call(state, FAILURE, now);
  }
});

test('ten thousand openings in a row neither overflow nor pass the cap', () => {
  let state = tripped();
  for (let opening = 0; opening < 10_000; opening += 1) state = call(state, FAILURE, state.openUntil);
  assert.ok(Number.isSafeInteger(state.openUntil));
});

test('a recovery starts the doubling again', () => {
  const second = call(tripped(), FAILURE, tripped().openUntil);
  const recovered = call(second, SUCCESS, second.openUntil);
  const again = calls(recovered, times(5, FAILURE), second.openUntil);
  assert.ok(openMs(again, second.openUntil) <= 7_500);
});

test('it never opens for less than the provider asked, even beyond the cap', () => {
  for (const notBefore of [60_000, 86_400_000]) {
    const told: Verdict = { result: 'failure', failure: sampleFailure('overloaded', { notBefore }) };
    const open = calls(CLOSED, [...times(4, FAILURE), told]);
    assert.equal(closedUntil(open, 0), notBefore);
  }
});

test('it tells what tripped it', () => {
  const failure = sampleFailure('network', { message: 'refused' });
  const open = calls(CLOSED, [...times(4, FAILURE), { result: 'failure', failure }]);
  assert.deepEqual(open.cause, failure);
});

test('one verdict trips a credential, for at least a minute', () => {
  const open = call(CLOSED, FAILURE, 0, CREDENTIAL_POLICY);
  assert.ok(openMs(open, 0) >= 60_000);
});
