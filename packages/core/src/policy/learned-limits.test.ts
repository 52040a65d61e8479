import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limits } from '../pacing.ts';
import { admit } from './admission.ts';
import { startClimb } from './climb.ts';
import { type Call, EMPTY_LIMITS, type KnownRate, type LimitState } from './limit-state.ts';
import { type Ending, givenBack, settled } from './limits.ts';
import { told } from './told-limits.ts';

const NOW = 1_800_000_000_000;
const UNNAMED: Ending = { kind: 'refused', reason: 'Rate limit reached. Please try again later.' };
const REFUSED: Ending = { ...UNNAMED, dimension: 'requests' };
const GUESSED: KnownRate = {
  dimension: 'requests',
  windowMs: 15_000,
  source: 'refusals',
  climb: startClimb(30, 60_000, NOW),
};

/** One credential at one target, whose opening is long over. */
function account(configured?: Limits, known: Partial<LimitState> = {}) {
  let state: LimitState = { ...EMPTY_LIMITS, uses: [[NOW - 3_600_000, NOW - 3_600_000, 1, 1, 0]], ...known };
  const calls = new Map<string, Call>();
  const callOf = (id: string) => calls.get(id) ?? assert.fail(`call ${id} was not admitted`);
  return {
    state: () => state,
    admit(id: string, now: number): true | number {
      const admission = admit(state, configured, id, { images: 1 }, now);
      state = admission.state;
      if (!admission.admitted) return admission.until;
      calls.set(id, { id, at: admission.at, requests: 1, images: 1, tokens: 0 });
      return true;
    },
    end(id: string, ending: Ending, now: number): void {
      state = settled(state, configured, callOf(id), ending, now);
    },
    giveBack(id: string, now: number): void {
      state = givenBack(state, configured, callOf(id), now);
    },
  };
}

/** Met a limit of eight at `NOW`; when the first probe may go. */
function searching() {
  const one = account();
  for (let index = 0; index < 10; index += 1) assert.equal(one.admit(`${index}`, NOW), true);
  for (const id of ['8', '9']) one.end(id, REFUSED, NOW + 40);
  const probeAt = one.admit('early', NOW + 41);
  assert.ok(probeAt !== true);
  return { one, probeAt };
}

test('a window that may be another fills slowly: 1, 3, 7 … calls', () => {
  const one = account(undefined, { rates: [{ ...GUESSED, rampFrom: NOW }] });
  assert.equal(one.admit('1', NOW), true);
  assert.equal(one.admit('2', NOW), NOW + 250);
  assert.deepEqual([one.admit('2', NOW + 250), one.admit('3', NOW + 250)], [true, true]);
  assert.equal(one.admit('4', NOW + 250), NOW + 500);
});

test('a probe that was given back proves nothing, and the next one may go', () => {
  const { one, probeAt } = searching();
  assert.equal(one.admit('probe', probeAt), true);
  one.giveBack('probe', probeAt + 10);
  assert.equal(one.admit('next', probeAt + 5_000), true);
  assert.deepEqual(one.state().rates, []);
  assert.equal(one.state().search?.probe?.id, 'next');
});

test('a rate that was presumed is given up when the call that showed it is refused after all', () => {
  const { one, probeAt } = searching();
  assert.equal(one.admit('probe', probeAt), true);
  assert.equal(one.admit('next', probeAt + 5_000), true);
  assert.equal(one.state().rates.length, 1);
  one.end('probe', REFUSED, probeAt + 5_040);
  assert.deepEqual(one.state().rates, []);
  assert.ok(one.state().search);
});

test('a call that is refused right after its window’s end came too early, and the next ones come later', () => {
  const one = account({ requests: [{ count: 5, windowMs: 60_000 }] });
  for (let index = 0; index < 5; index += 1) assert.equal(one.admit(`${index}`, NOW), true);
  assert.equal(one.admit('sixth', NOW + 60_300), true);
  one.end('sixth', REFUSED, NOW + 60_340);
  assert.equal(one.admit('again', NOW + 60_341), NOW + 60_450);
  assert.deepEqual(one.state().rates, [], 'the limit is not lower for it');
});

test('the provider’s words take the place of rates that were guessed', () => {
  const known: LimitState = { ...EMPTY_LIMITS, rates: [GUESSED] };
  const words = { dimension: 'images', source: 'words', limit: 5, windowMs: 60_000 } as const;
  const { rates } = told(known, [words], NOW, NOW);
  assert.deepEqual(
    rates.map(({ source, windowMs }) => [source, windowMs]),
    [['words', 60_000]],
  );
});

test('the first call ever that is refused without a name was alone, so it met a rate', () => {
  const one = account(undefined, { uses: [] });
  one.admit('a', NOW);
  one.end('a', UNNAMED, NOW + 40);
  assert.equal(one.state().ceiling, undefined);
  assert.ok(one.state().search);
});

test('a shorter hint does not end a longer one', () => {
  const one = account();
  one.admit('a', NOW);
  one.admit('b', NOW);
  one.end('a', { kind: 'refused', isRate: true, notBefore: NOW + 20_000, reason: 'later' }, NOW + 40);
  one.end('b', { kind: 'refused', isRate: true, notBefore: NOW + 5_000, reason: 'soon' }, NOW + 50);
  assert.deepEqual(one.state().closed, { until: NOW + 20_000, reason: 'later' });
});
