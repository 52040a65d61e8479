import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Asset, Look, Suspicion, Unseen } from '@onetake/core';
import fc from 'fast-check';
import { bestOf, createJudge, isGood, type Judgement, type Scorer } from './judge.ts';

const PHOTO: Look = {
  width: 64,
  height: 48,
  meanLuma: 0.45,
  peakLuma: 0.98,
  deviation: 0.21,
  colourDeviation: 0.24,
  opaqueShare: 1,
  alphaDeviation: 0,
  contrast: 0.65,
  sharpness: 0.6,
  hash: '3c5a99f01e2d4b87',
};
const BLACK: Look = { ...PHOTO, meanLuma: 0, peakLuma: 0, deviation: 0, colourDeviation: 0, contrast: 0, sharpness: 0 };
const DOUBT: Suspicion = { code: 'black', detail: 'it is black' };

function assetOf(letter: string): Asset {
  return { hash: letter.repeat(64), type: 'png', width: 64, height: 48, bytes: 100, animated: false, alpha: false };
}

function candidateOf(letter: string) {
  return { asset: assetOf(letter), request: { operation: 'generate', prompt: 'a fox', n: 1, size: '64x48' } } as const;
}

function judgeWith(looks: Readonly<Record<string, Look | Unseen>>, scorer?: Scorer) {
  const errors: unknown[] = [];
  const looked: string[] = [];
  const looker = {
    async look({ hash }: Asset) {
      const letter = hash[0] ?? '';
      looked.push(letter);
      return looks[letter] ?? ({ problem: 'missing', detail: 'gone' } as const);
    },
  };
  const judge = createJudge({ looker, onError: (error) => errors.push(error), ...(scorer && { scorer }) });
  return { judge, errors, looked };
}

test('a black picture is doubted and ranks last, a sharper one first', async () => {
  const { judge } = judgeWith({ a: BLACK, b: PHOTO, c: { ...PHOTO, sharpness: 0.9 } });
  const judged = await judge(['a', 'b', 'c'].map(candidateOf));
  assert.deepEqual(judged.map(isGood), [false, true, true]);
  assert.equal(bestOf(judged), 2);
});

test('a look is kept; one that could not be had is tried again', async () => {
  const { judge, looked } = judgeWith({ a: PHOTO, b: { problem: 'busy', detail: 'too many' } });
  await judge(['a', 'b'].map(candidateOf));
  await judge(['a', 'b'].map(candidateOf));
  assert.deepEqual(looked, ['a', 'b', 'b']);
});

test('a scorer of one’s own ranks; one that throws, miscounts or counts in no numbers is replaced', async () => {
  const looks = { a: PHOTO, b: { ...PHOTO, sharpness: 0.9 } };
  const both = ['a', 'b'].map(candidateOf);
  const own = judgeWith(looks, () => [9, 1]);
  assert.equal(bestOf(await own.judge(both)), 0);
  assert.deepEqual(own.errors, []);
  const broken: readonly Scorer[] = [
    () => {
      throw new Error('no');
    },
    () => [1],
    async () => [1, Number.NaN],
  ];
  for (const scorer of broken) {
    const { judge, errors } = judgeWith(looks, scorer);
    assert.equal(bestOf(await judge(both)), 1);
    assert.equal(errors.length, 1);
  }
});

test('the best is never one under suspicion where there is a good one, and none of the good ones scores higher', () => {
  const judgement = fc.record({ score: fc.double({ min: 0, max: 1, noNaN: true }), doubted: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.option(judgement, { nil: undefined }), { maxLength: 8 }), (given) => {
      const judgements = given.map((one): Judgement | undefined =>
        one === undefined ? undefined : { score: one.score, suspicions: one.doubted ? [DOUBT] : [] },
      );
      const best = bestOf(judgements);
      const made = judgements.filter((one) => one !== undefined);
      if (best === undefined) return assert.equal(made.length, 0);
      const chosen = judgements[best];
      const rivals = made.some(isGood) ? made.filter(isGood) : made;
      assert.ok(chosen && rivals.includes(chosen));
      assert.ok(rivals.every(({ score }) => score <= chosen.score));
    }),
  );
});
