import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Asset } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import { createFakeCells } from '../testing/fake-cells.ts';
import { createRanking } from './ranking.ts';
import { type CandidateSet, createCandidateSets } from './sets.ts';
import type { Scores, Showing } from './vision.ts';

const GOOD: Scores = {
  ok: true,
  scores: [2, 9],
  generation: 'gen_eyes',
  cost: { usd: 0.003, basis: 'usage', possibleCharges: 0, possibleUsd: undefined },
};

function assetOf(letter: string): Asset {
  return { hash: letter.repeat(64), type: 'png', width: 64, height: 48, bytes: 100, animated: false, alpha: false };
}

/** The candidates 1 and 3 of a set are good. */
const PICTURES = [
  { index: 1, asset: assetOf('a') },
  { index: 3, asset: assetOf('b') },
];
const ENDED_AT = 1_000_000;
const CHOICE = { prompt: 'a fox', pictures: PICTURES, endedAt: ENDED_AT };

async function rig(answer: Scores = GOOD, answersAfterMs = 0) {
  const clock = createVirtualClock(ENDED_AT);
  const cells = createFakeCells();
  const sets = createCandidateSets({ cells: cells.store, io: clock, keepMs: 1e9, idempotencyMs: 1e9 });
  const draft: Omit<CandidateSet, 'id'> = {
    ...{ caller: 'ann', createdAt: clock.now(), fingerprint: 'ab'.repeat(32), pick: 'best' },
    members: [1, 2, 3].map((index) => ({ generation: `gen_${index}` })),
    answer: { state: 'given', at: clock.now() },
  };
  const { set } = await sets.begin(draft, { except: new Set() });
  const shown: Showing[] = [];
  const errors: unknown[] = [];
  /** One per process. */
  const ranking = () =>
    createRanking({
      vision: {
        ...{ model: 'eyes/small', timeoutMs: 20_000 },
        async score(showing) {
          shown.push(showing);
          await new Promise<void>((resolve) => clock.timer(clock.now() + answersAfterMs, resolve));
          return answer;
        },
      },
      ...{ sets, io: clock, onError: (error: unknown) => errors.push(error) },
    });
  return { clock, sets, set, shown, errors, ranking };
}

test('scores are kept with the set, by the number of the candidate, and nobody is asked again', async () => {
  const { clock, set, shown, sets, ranking } = await rig();
  const judged = await clock.drive(ranking().of(set, CHOICE));
  assert.deepEqual(judged, {
    ...{ state: 'scored', by: 'eyes/small', at: clock.now(), generation: 'gen_eyes', costUsd: 0.003 },
    scores: [
      [1, 2],
      [3, 9],
    ],
  });
  const stored = await sets.read(set.id, 'ann');
  assert.ok(stored);
  for (const seen of [set, stored]) assert.deepEqual(await ranking().of(seen, CHOICE), judged);
  assert.equal(shown.length, 1);
  assert.deepEqual([shown[0]?.prompt, shown[0]?.caller, shown[0]?.pictures.length], ['a fox', 'ann', 2]);
});

test('who comes while it is asked waits for the same answer, here and on another node', async () => {
  const { clock, set, shown, ranking } = await rig(GOOD, 3_000);
  const [here, there] = [ranking(), ranking()];
  const all = await clock.drive(
    Promise.all([here, here, there].map((one) => one.of(set, CHOICE).then((judged) => judged?.state))),
  );
  assert.deepEqual([all, shown.length], [['scored', 'scored', 'scored'], 1]);
});

test('a failure is kept too, and costs once', async () => {
  const { clock, set, shown, errors, ranking } = await rig({ ok: false, why: 'it declines', generation: 'gen_eyes' });
  for (let turn = 0; turn < 3; turn += 1) {
    const judged = await clock.drive(ranking().of(set, CHOICE));
    assert.deepEqual([judged?.state, judged?.state === 'failed' && judged.why], ['failed', 'it declines']);
  }
  assert.deepEqual([shown.length, errors.length], [1, 1]);
});

test('a process that died while it asked is not followed by a second question', async () => {
  const { clock, set, sets, shown, ranking } = await rig();
  const asked = { state: 'asked', by: 'eyes/small', at: clock.now(), until: clock.now() + 25_000 } as const;
  await sets.change(set.id, 'ann', (stored) => ({ ...stored, judged: asked }));
  const judged = await clock.drive(ranking().of(set, CHOICE));
  assert.deepEqual([judged?.state, shown.length], ['failed', 0]);
  assert.match(judged?.state === 'failed' ? judged.why : '', /ended before it answered/);
});

test('nobody is asked for less than two pictures, another pick, a set of old, or a caller without time', async () => {
  const { clock, set, shown, ranking } = await rig();
  assert.equal(await ranking().of(set, { ...CHOICE, pictures: PICTURES.slice(1) }), undefined);
  assert.equal(await ranking().of({ ...set, pick: 'all' }, CHOICE), undefined);
  assert.equal(await ranking().of(set, CHOICE, clock.now() + 1_500), undefined);
  assert.equal(await ranking().of(set, { ...CHOICE, endedAt: clock.now() - 86_400_000 }), undefined);
  assert.equal(shown.length, 0);
  await clock.drive(ranking().of(set, CHOICE, clock.now() + 5_000));
  assert.equal(shown[0]?.timeoutMs, 4_000);
});

test('a set that cannot be written is not asked about, and is ranked without', async () => {
  const { set, errors, sets } = await rig();
  const broken = { ...sets, change: async () => Promise.reject(new Error('the store is away')) };
  const ranking = createRanking({
    vision: { model: 'eyes', timeoutMs: 20_000, score: () => assert.fail('it was asked') },
    ...{ sets: broken, io: createVirtualClock(), onError: (error) => errors.push(error) },
  });
  assert.equal(await ranking.of(set, CHOICE), undefined);
  assert.equal(errors.length, 1);
});

test('a reader waits no longer than it may, and the answer is kept all the same', async () => {
  const { clock, set, sets, ranking } = await rig(GOOD, 10_000);
  const [here, there] = [ranking(), ranking()];
  const first = here.of(set, CHOICE);
  const hasty = [here, there].map((one) => one.of(set, CHOICE, clock.now() + 3_000));
  assert.deepEqual(await clock.drive(Promise.all(hasty)), [undefined, undefined]);
  assert.equal(clock.now(), ENDED_AT + 3_000);
  assert.equal((await clock.drive(first))?.state, 'scored');
  assert.equal((await sets.read(set.id, 'ann'))?.judged?.state, 'scored');
});
