import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChatPlan } from './chat/chat.ts';
import { foldGeneration } from './generation.ts';
import type { Event, Outcome } from './journal.ts';
import { type LedgerLine, ledgerOf } from './ledger.ts';
import type { Plan } from './plan.ts';
import type { Price } from './price.ts';
import {
  SAMPLE_ASSET,
  SAMPLE_SUCCESS,
  type SampleAttempt,
  sampleEvents,
  sampleFailed,
  samplePlan,
  sampleRequest,
  sampleTarget,
} from './testing/samples.ts';

const PER_IMAGE: Price = { perImageUsd: 0.04, asOf: '2026-11-01' };

function planWith(price: Price | undefined, n = 1): Plan {
  const targets = ['a', 'b'].map((name) => sampleTarget(name, price && { price }));
  return { ...samplePlan(), request: sampleRequest({ n }), targets };
}

function lines(price: Price | undefined, ...attempts: readonly SampleAttempt[]): readonly LedgerLine[] {
  return ledgerOf(planWith(price), foldGeneration([sampleEvents(...attempts)]));
}

const money = ({ images, spentMicroUsd, possibleMicroUsd, possibleImages, priced }: LedgerLine) => [
  ...[images, spentMicroUsd, possibleMicroUsd, possibleImages, priced],
];

test('a line says what the attempt was for, how it ended and what it cost', () => {
  const [line] = lines(PER_IMAGE, ['a', SAMPLE_SUCCESS, 5]);
  assert.deepEqual(line, {
    ...{ run: 0, attempt: 1, startedAt: 5, endedAt: 5, target: 'a/model', role: 'first' },
    ...{ images: 1, spentMicroUsd: 40_000, possibleMicroUsd: 0, possibleImages: 0, priced: 'table@2026-11-01' },
  });
});

test('the same target again is a retry, a later one a fallback, also again', () => {
  const roles = lines(
    PER_IMAGE,
    ['a', sampleFailed('throttled')],
    ['a', sampleFailed('throttled')],
    ['b', sampleFailed('throttled')],
    ['b', SAMPLE_SUCCESS],
  ).map(({ role }) => role);
  assert.deepEqual(roles, ['first', 'retry', 'fallback', 'fallback']);
});

test('what provably did no work, or costs nothing, is 0 and priced none', () => {
  const [rejected, refused] = lines(PER_IMAGE, ['a', sampleFailed('throttled')], ['a', sampleFailed('policy')]);
  for (const line of [rejected, refused]) assert.deepEqual(line && money(line), [0, 0, 0, 0, 'none']);
  const [started, ended] = sampleEvents(['a', SAMPLE_SUCCESS]);
  assert.ok(started?.type === 'attempt-started' && ended);
  const [free] = ledgerOf(planWith(PER_IMAGE), foldGeneration([[{ ...started, free: true }, ended]]));
  assert.deepEqual(free && money(free), [0, 0, 0, 0, 'none']);
});

test('what nobody knows the price of is null and unknown, never 0', () => {
  const [made, lost] = lines(undefined, ['a', SAMPLE_SUCCESS], ['a', sampleFailed('timeout')]);
  assert.deepEqual(made && money(made), [1, null, 0, 0, 'unknown']);
  assert.deepEqual(lost && money(lost), [0, 0, null, 1, 'unknown']);
});

test('an attempt whose end nobody knows is possible money for all of its call’s pictures', () => {
  const [line] = ledgerOf(planWith(PER_IMAGE, 3), foldGeneration([sampleEvents(['a', sampleFailed('timeout')])]));
  assert.deepEqual(line && money(line), [0, 0, 120_000, 3, 'table@2026-11-01']);
  const [open] = sampleEvents(['a', SAMPLE_SUCCESS]);
  assert.ok(open);
  const [unended] = ledgerOf(planWith(PER_IMAGE, 2), foldGeneration([[open]]));
  assert.deepEqual(unended && money(unended), [0, 0, 80_000, 2, 'table@2026-11-01']);
  assert.equal(unended?.endedAt, undefined);
});

test('each run of a split request is for its own share of the pictures', () => {
  const plan = planWith(PER_IMAGE, 5);
  const split = { ...plan, targets: plan.targets.map((target) => ({ ...target, maxImagesPerCall: 2 })) };
  const lost = sampleEvents(['a', sampleFailed('timeout')]);
  const all = ledgerOf(split, foldGeneration([lost, lost, lost]));
  assert.deepEqual(
    all.map(({ run, possibleImages }) => [run, possibleImages]),
    [
      [0, 2],
      [1, 2],
      [2, 1],
    ],
  );
});

test('how the money was found: told, by what was used, by a table with its date, estimated', () => {
  const priced = (price: Price, outcome: Outcome) => lines(price, ['a', outcome])[0]?.priced;
  const usage = { input_tokens: 10, output_tokens: 20 };
  const perToken: Price = { perMillionTokensUsd: { textInput: 5, imageInput: 8, output: 30 }, asOf: '2026-11-01' };
  const made = { ok: true, images: [{ asset: SAMPLE_ASSET }] } as const;
  assert.equal(priced(PER_IMAGE, { ...made, costUsd: 0.03 }), 'reported');
  assert.equal(priced(perToken, { ...made, usage }), 'usage');
  assert.equal(priced({ perImageUsd: 0.04, asOf: 'config' }, made), 'table@config');
  assert.equal(priced({ perImageUsd: 0.04 }, made), 'table');
  assert.equal(priced(perToken, { ...made, usage: { ...usage, estimated: true } }), 'estimated');
  assert.equal(priced({ ...perToken, outputTokens: [{ tokens: 7_000 }] }, made), 'estimated');
  assert.equal(priced(perToken, made), 'unknown');
});

test('a failure says what callers are told, at most 300 characters of it, and by which exchange', () => {
  const failed = sampleFailed('server', { message: 'x'.repeat(1_000), status: 503, requestId: 'req_f' });
  const [line] = lines(PER_IMAGE, ['a', failed]);
  assert.deepEqual(
    [line?.kind, line?.certainty, line?.code, line?.message?.length, line?.status, line?.providerRequestId],
    ['server', 'failed', 'generation_failed', 300, 503, 'req_f'],
  );
  const [started] = sampleEvents(['a', SAMPLE_SUCCESS]);
  const ended: Event = { type: 'attempt-ended', at: 1, attempt: 1, outcome: failed, status: 500, requestId: 'req_e' };
  assert.ok(started);
  const [told] = ledgerOf(planWith(PER_IMAGE), foldGeneration([[started, ended]]));
  assert.deepEqual([told?.status, told?.providerRequestId], [500, 'req_e']);
});

test('the code of chat is the one of chat', () => {
  const { request: _, ...run } = samplePlan();
  const chat = { endpoint: 'chat/completions', stream: true, excerpt: 'hello', inputTokens: 10 } as const;
  const plan: ChatPlan = { ...run, chat };
  const lost = sampleFailed('network', { certainty: 'ambiguous' });
  const [line] = ledgerOf(plan, foldGeneration([sampleEvents(['a', lost])]));
  assert.deepEqual([line?.code, line?.possibleImages, line?.images], ['connection_lost', 0, 0]);
});

test('a run that ended without an attempt has a line of its own', () => {
  const outcome = sampleFailed('budget', { message: 'nothing is left' });
  const refused: readonly Event[] = [{ type: 'finished', at: 9, outcome }];
  const plan = { ...planWith(PER_IMAGE), createdAt: 4 };
  const [line, ...others] = ledgerOf(plan, foldGeneration([refused]));
  assert.deepEqual(line, {
    ...{ run: 0, attempt: 0, startedAt: 4, endedAt: 9, role: 'first' },
    ...{ images: 0, spentMicroUsd: 0, possibleMicroUsd: 0, possibleImages: 0, priced: 'none' },
    ...{ kind: 'budget', certainty: 'not_sent', code: 'budget_exceeded', message: 'nothing is left' },
  });
  assert.deepEqual(others, []);
  assert.deepEqual(ledgerOf(plan, foldGeneration([[]])), [], 'one that goes on has none yet');
});

test('what was answered without asking anybody is cached, and its price unknown here', () => {
  const finished: Event = { type: 'finished', at: 9, outcome: SAMPLE_SUCCESS };
  const [line] = ledgerOf(planWith(PER_IMAGE), foldGeneration([[finished]]));
  assert.deepEqual(
    [line?.role, line?.savedMicroUsd, line?.spentMicroUsd, line?.target],
    ['cached', null, 0, undefined],
  );
});
