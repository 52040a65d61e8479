/** What the ledger, the sum that callers are told and the money that is held ahead have to do with each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ChatPlan } from './chat/chat.ts';
import { costOf } from './cost.ts';
import { FAILURES, type FailureKind } from './failure.ts';
import { foldGeneration } from './generation.ts';
import { type Event, foldRun, type Outcome } from './journal.ts';
import { ledgerOf } from './ledger.ts';
import type { Plan, RunPlan } from './plan.ts';
import type { Price } from './price.ts';
import { spendOf } from './spend.ts';
import { SAMPLE_ASSET, samplePlan, sampleRequest, sampleTarget } from './testing/samples.ts';

const usd = fc.constantFrom(0, 0.003, 0.04, 0.067, 1 / 3);
const rows = fc.array(
  fc.record(
    { usd, size: fc.constantFrom('1024x1024', 'auto'), quality: fc.constantFrom('high', 'auto') },
    { requiredKeys: ['usd'] },
  ),
  { minLength: 1, maxLength: 3 },
);
const perImage: fc.Arbitrary<Price> = fc.oneof(usd, rows).map((perImageUsd) => ({ perImageUsd, asOf: '2026-11-01' }));
const otherwise: fc.Arbitrary<Price> = fc.oneof(
  usd.map((perMegapixelUsd) => ({ perMegapixelUsd })),
  fc.boolean().map((isTold) => ({
    perMillionTokensUsd: { textInput: 5, imageInput: 8, output: 30 },
    ...(isTold && { outputTokens: [{ tokens: 7_024 }] }),
  })),
);
const prices = fc.oneof(perImage, otherwise, fc.constant(undefined));

const kinds = Object.keys(FAILURES) as FailureKind[];
const failures = fc.record({
  kind: fc.constantFrom(...kinds),
  certainty: fc.constantFrom(
    'not_sent' as const,
    'rejected' as const,
    'failed' as const,
    'ambiguous' as const,
    'completed' as const,
  ),
  message: fc.constant('no'),
});
const usages = fc.constantFrom(
  { input_tokens: 10, output_tokens: 7_000, total_tokens: 7_010 },
  { input_tokens: 10, output_tokens: 0, estimated: true },
  { input_tokens: 10, output_tokens: 5, estimated: true },
  { input_tokens: 'many' },
);
const SIDES = [
  { width: 1_024, height: 1_024 },
  { width: 1_025, height: 1_024 },
];
const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record(
    {
      ok: fc.constant(false as const),
      failure: failures,
      missing: fc.array(failures, { maxLength: 2 }),
      usage: usages,
    },
    { requiredKeys: ['ok', 'failure'] },
  ),
  fc.record(
    {
      ok: fc.constant(true as const),
      images: fc.array(
        fc.constantFrom(...SIDES).map((sides) => ({ asset: { ...SAMPLE_ASSET, ...sides } })),
        { maxLength: 3 },
      ),
      missing: fc.array(failures, { maxLength: 2 }),
      usage: usages,
      costUsd: usd,
    },
    { requiredKeys: ['ok', 'images'] },
  ),
);

interface Told {
  readonly target: string;
  readonly outcome: Outcome | undefined;
  readonly free: boolean;
}
const attempts: fc.Arbitrary<Told> = fc.record({
  target: fc.constantFrom('a/model', 'b/model', 'gone/model'),
  outcome: fc.option(outcomes, { nil: undefined, freq: 8 }),
  free: fc.boolean(),
});

function journalOf(told: readonly Told[]): readonly Event[] {
  return told.flatMap(({ target, outcome, free }, index): readonly Event[] => {
    const attempt = index + 1;
    const started: Event = { type: 'attempt-started', at: index, attempt, target, ...(free && { free }) };
    return outcome ? [started, { type: 'attempt-ended', at: index, attempt, outcome }] : [started];
  });
}

function pictures(priceOfA: Price | undefined, priceOfB: Price | undefined, n: number, perCall = 10): Plan {
  const request = sampleRequest({ n, size: '1024x1024' });
  const target = (name: string, price: Price | undefined) =>
    sampleTarget(name, { maxImagesPerCall: perCall, ...(price && { price }) });
  return { ...samplePlan(), request, targets: [target('a', priceOfA), target('b', priceOfB)] };
}

function chat(plan: Plan): ChatPlan {
  const { request: _, ...run } = plan;
  return {
    ...run,
    chat: { endpoint: 'responses', stream: false, excerpt: '', inputTokens: 10, maxOutputTokens: 7_000 },
  };
}

const sum = (amounts: readonly (number | null)[]) =>
  amounts.includes(null) ? undefined : amounts.reduce<number>((total, one) => total + (one ?? 0), 0);
const micro = (amount: number | undefined) => (amount === undefined ? undefined : Math.round(amount * 1e6));

test('the lines of the ledger add up to what callers are told, of any journals', () => {
  const plans = fc
    .tuple(prices, prices, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.boolean())
    .map(([a, b, n, perCall, isChat]): RunPlan => {
      const plan = pictures(a, b, n, perCall);
      return isChat ? chat(plan) : plan;
    });
  const journals = fc.array(fc.array(attempts, { maxLength: 4 }).map(journalOf), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(plans, journals, (plan, told) => {
      const generation = foldGeneration(told);
      const lines = ledgerOf(plan, generation);
      const cost = costOf(plan, generation);
      assert.equal(lines.length, generation.attempts);
      const possible = lines.filter((line) => line.possibleMicroUsd !== 0 || line.possibleImages > 0);
      assert.ok(cost.possibleCharges >= possible.length);
      const spent = sum(lines.map((line) => line.spentMicroUsd));
      if (cost.usd !== undefined || spent === undefined) assert.equal(micro(cost.usd), spent);
      else assert.deepEqual([spent, cost.possibleCharges > 0], [0, true], 'nothing is certain');
      if (cost.possibleCharges > 0) {
        const held = sum(lines.map((line) => line.possibleMicroUsd));
        assert.equal(micro(cost.possibleUsd), held);
      }
      for (const line of lines) {
        assert.ok(Number.isInteger(line.spentMicroUsd ?? 0) && Number.isInteger(line.possibleMicroUsd ?? 0));
        assert.equal(line.priced === 'unknown', line.spentMicroUsd === null || line.possibleMicroUsd === null);
      }
    }),
    { numRuns: 1_000 },
  );
});

/** An answer holds no more pictures than were asked for, and the bill is the table's. */
function within(n: number, { outcome, ...told }: Told): Told {
  if (outcome === undefined) return { ...told, outcome };
  const { missing = [] } = outcome;
  if (!outcome.ok) return { ...told, outcome: { ...outcome, missing: missing.slice(0, n) } };
  const { costUsd: _, ...unpriced } = outcome;
  const images = outcome.images.slice(0, n);
  return { ...told, outcome: { ...unpriced, images, missing: missing.slice(0, n - images.length) } };
}

test('what is held before an attempt is never below what the ledger books after it, at prices per picture', () => {
  const worlds = fc.tuple(
    perImage,
    perImage,
    fc.integer({ min: 1, max: 3 }),
    fc.array(attempts, { minLength: 1, maxLength: 4 }),
  );
  fc.assert(
    fc.property(worlds, ([a, b, n, given]) => {
      const plan = pictures(a, b, n);
      const told = given.map((one) => within(n, one)).filter(({ target }) => target !== 'gone/model');
      for (const [index, { target, free }] of told.entries()) {
        const planned = plan.targets.find(({ id }) => id === target);
        assert.ok(planned);
        const before = foldRun(journalOf(told.slice(0, index)));
        const held = spendOf('run', plan, before, { ...planned, ...(free && { free }) });
        const lines = ledgerOf(plan, foldGeneration([journalOf(told.slice(0, index + 1))]));
        const booked = sum(lines.flatMap((line) => [line.spentMicroUsd, line.possibleMicroUsd]));
        assert.ok(held.images >= lines.reduce((total, line) => total + line.images + line.possibleImages, 0));
        if (held.microUsd === undefined) continue;
        assert.ok(booked !== undefined && held.microUsd >= booked, `held ${held.microUsd}, booked ${booked}`);
      }
    }),
    { numRuns: 1_000 },
  );
});
