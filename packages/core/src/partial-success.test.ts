import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costOf } from './cost.ts';
import { foldGeneration } from './generation.ts';
import type { Plan } from './plan.ts';
import { parseImages } from './providers/openai.ts';
import type { FailureReading, ImageCalls, Progress } from './providers/provider.ts';
import { splitPlan } from './route.ts';
import { samplePlan, sampleRequest, sampleTarget } from './testing/samples.ts';
import { ok, post, runScripted } from './testing/scripted-calls.ts';
import type { Behaviour } from './testing/scripted-io.ts';
import { TINY_PNG_BASE64 } from './testing/tiny-png.ts';

const GOOD = { source: { kind: 'base64', base64: TINY_PNG_BASE64 } } as const;
const CORRUPT = { source: { kind: 'base64', base64: 'AAAA' } } as const;
const BLOCKED: FailureReading = { kind: 'policy', message: 'blocked before it was made' };

function submitOf(...progresses: readonly Progress[]): ImageCalls['submit'] {
  let calls = 0;
  return {
    build: ({ prompt, n }, { baseUrl }) => post(baseUrl, 'images', { prompt, n }),
    parse: (response) => progresses[calls++] ?? parseImages(response),
  };
}

/** Four pictures at 0.04 each, of which a call makes so many; each run plays its own answers. */
async function four(perCall: number, runs: readonly { submits: readonly Behaviour[]; progress?: Progress }[]) {
  const target = sampleTarget('a', { maxImagesPerCall: perCall, price: { perImageUsd: 0.04 } });
  const plan: Plan = { ...samplePlan(), request: sampleRequest({ n: 4 }), targets: [target] };
  const journals = await Promise.all(
    splitPlan(plan).map(async (child, index) => {
      const { submits, progress } = runs[index] ?? { submits: [] };
      const done = await runScripted({
        submits,
        calls: { submit: submitOf(...(progress ? [progress] : [])) },
        plan: child,
      });
      return done.durable;
    }),
  );
  const generation = foldGeneration(journals);
  const { outcome } = generation;
  const kinds = (outcome?.missing ?? []).map(({ kind }) => kind);
  return { outcome, kinds, images: outcome?.ok ? outcome.images.length : 0, cost: costOf(plan, generation) };
}

const done = (images: readonly (typeof GOOD | typeof CORRUPT)[], ...missing: readonly FailureReading[]): Progress => ({
  ...{ kind: 'done', images },
  ...(missing.length > 0 && { missing }),
});
const answered = { submits: [ok({})] };

test('two of four in one call: what is missing and why, and only what was made is counted', async () => {
  const { images, kinds, cost } = await four(4, [{ ...answered, progress: done([GOOD, CORRUPT, GOOD], BLOCKED) }]);
  assert.deepEqual([images, kinds, cost.usd], [2, ['corrupt', 'policy'], 0.12]);
});

test('two of four in two calls, one of which was refused: each picture that is missing is listed', async () => {
  const { images, kinds, cost } = await four(2, [
    { ...answered, progress: done([GOOD, GOOD]) },
    { ...answered, progress: { kind: 'failed', failure: BLOCKED } },
  ]);
  assert.deepEqual([images, kinds, cost.usd, cost.possibleCharges], [2, ['policy', 'policy'], 0.08, 0]);
});

test('a call that was lost may be charged, beside the pictures that came', async () => {
  const { images, kinds, cost } = await four(2, [
    { ...answered, progress: done([GOOD, GOOD]) },
    { submits: [{ kind: 'reset', afterMs: 5 }] },
  ]);
  assert.deepEqual([images, kinds], [2, ['network', 'network']]);
  assert.deepEqual([cost.usd, cost.possibleCharges, cost.possibleUsd], [0.08, 1, 0.08]);
});

test('four calls, each with an end of its own', async () => {
  const { images, kinds, cost } = await four(1, [
    { ...answered, progress: done([GOOD]) },
    { ...answered, progress: done([CORRUPT]) },
    { ...answered, progress: done([], BLOCKED) },
    { ...answered, progress: done([GOOD]) },
  ]);
  assert.deepEqual([images, kinds, cost.usd], [2, ['corrupt', 'policy'], 0.12]);
});

test('a call whose pictures all do not open is charged for all of them', async () => {
  const { outcome, kinds, cost } = await four(4, [
    { ...answered, progress: done([CORRUPT, CORRUPT, CORRUPT], BLOCKED) },
  ]);
  assert.deepEqual([outcome?.ok, kinds, cost.usd], [false, ['corrupt', 'corrupt', 'corrupt', 'policy'], 0.12]);
});

test('a success with fewer pictures than were asked for lists the others as not sent', async () => {
  const { images, kinds, cost } = await four(4, [{ ...answered, progress: done([GOOD, GOOD]) }]);
  assert.deepEqual([images, kinds, cost.usd], [2, ['empty', 'empty'], 0.08]);
});
