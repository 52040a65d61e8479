import fc from 'fast-check';
import type { Policy } from '../plan.ts';
import { allowedPaidAttempts } from '../policy/budget.ts';
import type { MilderWords } from '../policy/milder-words.ts';
import { type Ladder, RUNGS } from '../policy/refusal-ladder.ts';
import type { Price } from '../price.ts';
import { SAMPLE_RETRY, sampleRequest, sampleTarget } from './samples.ts';
import {
  ACCEPTED_BODY,
  DOUBTED_BODY,
  GOOD_BODY,
  type Play,
  type Scenario,
  type TargetScript,
  type Truth,
} from './simulated-world.ts';

/** Mostly `usual`; one in `oneIn` is `special`. */
function seldom<Usual, Special>(usual: Usual, special: fc.Arbitrary<Special>, oneIn: number) {
  return fc.oneof({ arbitrary: fc.constant(usual), weight: oneIn - 1 }, { arbitrary: special, weight: 1 });
}

const delays = fc.constantFrom(0, 1, 30, 900, 4_000, 45_000, 200_000);
const envelope = (message: string, type: string | null, code: string | null) =>
  JSON.stringify({ error: { message, type, code, param: null } });

const broken = fc.constantFrom<Play>(
  { truth: 'free', behaviour: { kind: 'refuse', afterMs: 2 } },
  { truth: 'free', behaviour: { kind: 'refuse', afterMs: 2, code: 'CERT_HAS_EXPIRED', certificate: true } },
  { truth: 'free', behaviour: { kind: 'refuse', afterMs: 700, code: 'ENOTFOUND' } },
  { truth: 'free', behaviour: { kind: 'unreachable' } },
  { truth: 'lost', behaviour: { kind: 'hang' } },
  { truth: 'lost', behaviour: { kind: 'reset', afterMs: 0 } },
  { truth: 'lost', behaviour: { kind: 'reset', afterMs: 20_000 } },
);

/** The truth of a bare 5xx is that nobody knows. */
const answers: readonly (readonly [number, Truth, string])[] = [
  [429, 'free', envelope('Rate limit reached', 'rate_limit_error', 'rate_limit_exceeded')],
  [429, 'free', envelope('You exceeded your current quota', 'insufficient_quota', 'insufficient_quota')],
  [400, 'free', envelope('blocked', 'image_generation_user_error', 'moderation_blocked')],
  [400, 'free', envelope('bad size', 'image_generation_user_error', 'invalid_value')],
  [401, 'free', envelope('bad key', 'invalid_request_error', 'invalid_api_key')],
  [402, 'free', '{}'],
  [403, 'free', envelope('verify', 'invalid_request_error', null)],
  [404, 'free', envelope('no such model', null, 'model_not_found')],
  [413, 'free', '<html>too large</html>'],
  [503, 'free', envelope('overloaded', 'service_unavailable_error', 'server_is_overloaded')],
  [529, 'free', envelope('overloaded', 'overloaded_error', null)],
  [500, 'failed', envelope('it failed', 'server_error', null)],
  [500, 'lost', '<html>oops</html>'],
  [502, 'lost', envelope('bad gateway', 'server_error', null)],
  [503, 'lost', 'Service Unavailable'],
  [504, 'lost', ''],
  [408, 'lost', envelope('timed out', null, null)],
  [409, 'lost', envelope('conflict', null, null)],
  [200, 'good', GOOD_BODY],
  [200, 'doubted', DOUBTED_BODY],
  [200, 'accepted', ACCEPTED_BODY],
  [200, 'unusable', '{"data":[]}'],
  [200, 'unusable', JSON.stringify({ data: [{ b64_json: Buffer.from('{"not":"a picture"}').toString('base64') }] })],
  [200, 'unusable', JSON.stringify({ data: [{ b64_json: GOOD_BODY.slice(33, 80) }] })],
  [200, 'lost', '<html>captive portal</html>'],
  [200, 'lost', '{"data":[{"b64_json":"iVBOR'],
  [200, 'failed', envelope('it failed', 'server_error', 'server_error')],
];

/** So that jobs, pictures and second payments are no rare sight. */
const promising = answers.filter(([, truth]) => ['good', 'doubted', 'accepted', 'failed'].includes(truth));
const refusing = answers.filter(([, , body]) => body.includes('moderation_blocked'));

const cuts = seldom(
  null,
  fc.record({ atByte: fc.constantFrom(0, 1, 20), by: fc.constantFrom('reset' as const, 'silence' as const) }),
  8,
);

const answered = fc
  .record({
    row: fc.oneof(
      { arbitrary: fc.constantFrom(...answers), weight: 3 },
      { arbitrary: fc.constantFrom(...promising), weight: 3 },
      { arbitrary: fc.constantFrom(...refusing), weight: 3 },
    ),
    afterMs: delays,
    cut: cuts,
    hint: fc.constantFrom('', '', '0', '3', '20', '5000'),
  })
  .map(({ row: [status, truth, body], afterMs, cut, hint }): Play => {
    const cutTruth: Truth = truth === 'free' || truth === 'failed' ? truth : 'lost';
    return {
      truth: cut === null ? truthWithHint(status, truth, hint) : cutTruth,
      behaviour: {
        ...{ kind: 'answer', afterMs, status, body },
        ...(hint !== '' && { headers: { 'retry-after': hint } }),
        ...(cut !== null && { cut }),
      },
    };
  });

/** A 503 that says when to come back says that it did no work. */
function truthWithHint(status: number, truth: Truth, hint: string): Truth {
  return status === 503 && hint !== '' ? 'free' : truth;
}

const plays = fc.oneof({ arbitrary: broken, weight: 2 }, { arbitrary: answered, weight: 5 });
/** A job ends after a few looks at it, so that journals stay short enough to resume from every one of their events. */
const verdicts = fc.constantFrom<Play>(
  { truth: 'good', behaviour: { kind: 'answer', afterMs: 3, status: 200, body: GOOD_BODY } },
  { truth: 'doubted', behaviour: { kind: 'answer', afterMs: 3, status: 200, body: DOUBTED_BODY } },
  { truth: 'failed', behaviour: { kind: 'answer', afterMs: 3, status: 500, body: envelope('it failed', null, null) } },
);
const scripts: fc.Arbitrary<TargetScript> = fc
  .tuple(fc.array(plays, { minLength: 1, maxLength: 6 }), fc.array(plays, { maxLength: 4 }), verdicts)
  .map(([submits, looks, verdict]) => ({ submits, polls: [...looks, verdict] }));

/** Refusals are free in these worlds, so a ladder adds attempts and no payment. */
const ladders = fc
  .record({
    rungs: fc.array(fc.constantFrom(...RUNGS), { minLength: 1, maxLength: 4 }),
    maxRungs: fc.constantFrom(1, 3),
    maxPaid: fc.constantFrom(1, 2),
  })
  .map((ladder): Ladder => ({ ...ladder, rewriter: 'words' }));

const answersOfWords = fc.constantFrom<MilderWords>(
  { ok: true, prompt: 'a lighthouse in milder words', generation: 'gen_words' },
  { ok: false, why: 'it declines' },
);

const policies: fc.Arbitrary<Policy> = fc
  .record({
    payment: fc.constantFrom('strict' as const, 'standard' as const, 'available' as const),
    asked: fc.constantFrom(undefined, 1, 2, 4),
    fallback: fc.boolean(),
    refusals: seldom(undefined, ladders, 2),
    suspect: fc.constantFrom(undefined, 'accept' as const, 'fail' as const, 'retry_new_seed' as const),
    connectMs: fc.constantFrom(500, 10_000),
    idleMs: fc.constantFrom(1_000, 60_000),
    totalMs: fc.constantFrom(3, 5_000, 60_000, 600_000, 600_000, 600_000),
    harvestMs: fc.constantFrom(0, 10_000, 600_000),
  })
  .map(({ payment, asked, fallback, refusals, suspect, ...timeout }) => ({
    ...{ payment, fallback, timeout, retry: SAMPLE_RETRY },
    maxPaidAttempts: allowedPaidAttempts(payment, asked),
    ...(refusals && { refusals }),
    ...(suspect && { suspect }),
  }));

const moments = fc.constantFrom(0, 1, 50, 2_000, 9_000, 30_000, 400_000);

const prices = fc.constantFrom<Price | undefined>(
  { perImageUsd: 0.04 },
  { perImageUsd: 0.04 },
  { perImageUsd: [{ usd: 0.1 }] },
  undefined,
);
const budgets = fc.record({
  microUsd: fc.constantFrom(0, 40_000, 80_000, 150_000),
  afterMs: fc.constantFrom(0, 30, 7_000),
});

/** Random policies × routes of one to three targets, some of which bill nothing, at random prices × budgets × scripted behaviours × callers who leave, come back and cancel. */
export const scenarios: fc.Arbitrary<Scenario> = fc
  .record({
    policy: policies,
    targets: fc.array(scripts, { minLength: 1, maxLength: 3 }),
    free: seldom<readonly number[], readonly number[]>([], fc.constantFrom([0], [1], [0, 1], [0, 1, 2]), 3),
    firstByteMs: fc.constantFrom(2_000, 300_000),
    journalMs: fc.constantFrom(0, 5, 5, 3_000),
    turns: seldom([], fc.uniqueArray(moments, { minLength: 1, maxLength: 4 }), 4),
    cancelMs: seldom(undefined, moments, 10),
    prices: fc.array(prices, { minLength: 3, maxLength: 3 }),
    budget: seldom(undefined, budgets, 2),
    words: fc.record({ afterMs: fc.constantFrom(0, 900, 30_000), answer: answersOfWords }),
  })
  .map(({ policy, targets, free, firstByteMs, journalMs, turns, cancelMs, prices: all, budget, words }) => {
    const names = ['a', 'b', 'c'].slice(0, targets.length);
    const planned = names.map((name, index) => {
      const price = all[index] && { price: all[index] };
      return sampleTarget(name, {
        firstByteMs,
        ...price,
        ...(free.includes(index) && { free: true, stallMs: 20_000 }),
      });
    });
    return {
      plan: {
        ...{ request: sampleRequest(), route: 'route', targets: planned, policy, createdAt: 0 },
        deadlineAt: policy.timeout.totalMs,
      },
      scripts: Object.fromEntries(planned.map((target, index) => [target.id, targets[index]])) as Scenario['scripts'],
      journalMs,
      presenceTurnsMs: turns.toSorted((one, other) => one - other),
      cancelMs,
      words,
      ...(budget && { budget }),
    };
  });
