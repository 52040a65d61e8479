import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeCells } from '../testing/fake-cells.ts';
import { type CandidateSet, createCandidateSets, MAX_SETS_PER_CELL } from './sets.ts';

const DAY_MS = 86_400_000;

function setUp() {
  const cells = createFakeCells();
  let now = 1_000;
  const open = () =>
    createCandidateSets({ cells: cells.store, io: { now: () => now }, keepMs: 30 * DAY_MS, idempotencyMs: DAY_MS });
  return {
    cells,
    sets: open(),
    open,
    wait(ms: number) {
      now += ms;
    },
    draft: (change: Partial<CandidateSet> = {}) => ({
      caller: 'ann',
      createdAt: now,
      fingerprint: 'f0'.repeat(32),
      pick: 'all' as const,
      members: [{ generation: 'gen_1' }, { generation: 'gen_2' }],
      answer: { state: 'waiting', at: now, process: 'p' } as const,
      ...change,
    }),
  };
}

const NEW = { except: new Set<string>() };

test('a set is read again by its caller alone, also by another process', async () => {
  const { sets, open, draft } = setUp();
  const { kind, set } = await sets.begin(draft(), NEW);
  assert.equal(kind, 'created');
  assert.match(set.id, /^set_f0[0-9a-f]{22}$/);
  assert.deepEqual(await open().read(set.id, 'ann'), set);
  assert.equal(await sets.read(set.id, 'bob'), undefined);
  assert.equal(await sets.change(set.id, 'bob', (one) => one), undefined);
  const other = await sets.begin(draft({ caller: 'ann/f0' }), NEW);
  assert.deepEqual(await sets.list('ann'), [set]);
  assert.deepEqual(await sets.list('ann/f0'), [other.set]);
});

test('one key is one set for a day, unless it came to nothing', async () => {
  const { sets, draft, wait } = setUp();
  const keyed = { ...NEW, keyHash: 'ab'.repeat(32) };
  const first = await sets.begin(draft({ keyHash: keyed.keyHash }), keyed);
  const again = await sets.begin(draft({ keyHash: keyed.keyHash, fingerprint: 'other' }), keyed);
  assert.deepEqual([again.kind, again.set], ['replayed', first.set]);
  const except = new Set([first.set.id]);
  const anew = await sets.begin(draft({ keyHash: keyed.keyHash }), { ...keyed, except });
  assert.equal(anew.kind, 'created');
  wait(DAY_MS);
  assert.equal((await sets.begin(draft({ keyHash: keyed.keyHash }), keyed)).kind, 'created');
});

test('of many at once with one key one is new', async () => {
  const { sets, draft } = setUp();
  const keyed = { ...NEW, keyHash: 'ab'.repeat(32) };
  const begun = await Promise.all(
    Array.from({ length: 20 }, () => sets.begin(draft({ keyHash: keyed.keyHash }), keyed)),
  );
  assert.equal(begun.filter(({ kind }) => kind === 'created').length, 1);
  assert.equal(new Set(begun.map(({ set }) => set.id)).size, 1);
});

test('a lost set is taken over once', async () => {
  const { sets, draft } = setUp();
  const takes = ({ answer }: CandidateSet) => answer.state === 'lost';
  const { set } = await sets.begin(draft(), NEW);
  assert.equal((await sets.begin(draft({ fingerprint: 'f0-other' }), { ...NEW, takes })).kind, 'created');
  await sets.change(set.id, 'ann', (one) => ({ ...one, answer: { state: 'lost', at: 2_000 } }));
  const taken = await Promise.all([1, 2].map(() => sets.begin(draft(), { ...NEW, takes })));
  assert.deepEqual(taken.map(({ kind }) => kind).toSorted(), ['attached', 'created']);
  assert.equal(taken.find(({ kind }) => kind === 'attached')?.set.id, set.id);
});

test('two changes at once are both kept', async () => {
  const { sets, cells, draft, open } = setUp();
  const { set } = await sets.begin(draft(), NEW);
  const other = await sets.begin(draft(), NEW);
  let meanwhile: Promise<unknown> = Promise.resolve();
  cells.beforeSwap.push(() => {
    meanwhile = open().change(other.set.id, 'ann', (one) => ({ ...one, picked: { index: 1, at: 5 } }));
  });
  await sets.change(set.id, 'ann', (one) => ({ ...one, picked: { index: 2, at: 6 } }));
  await meanwhile;
  const picks = (await sets.list('ann')).map(({ id, picked }) => [id, picked?.index]);
  assert.deepEqual(
    new Map(picks as [string, number][]),
    new Map([
      [set.id, 2],
      [other.set.id, 1],
    ]),
  );
});

test('age and number are bounded, and the oldest gives way', async () => {
  const { sets, draft, wait, cells } = setUp();
  const ids: string[] = [];
  for (let number = 0; number < MAX_SETS_PER_CELL + 2; number += 1) {
    wait(1);
    ids.push((await sets.begin(draft(), NEW)).set.id);
  }
  const listed = (await sets.list('ann')).map(({ id }) => id);
  assert.deepEqual(listed, ids.slice(2).toReversed(), 'newest first');
  assert.equal(await sets.read(ids[0] ?? '', 'ann'), undefined);
  wait(30 * DAY_MS);
  assert.deepEqual(await sets.list('ann'), []);
  await sets.begin(draft(), NEW);
  assert.equal((cells.valueOf('candidates/ann/f0') as { sets: unknown[] }).sets.length, 1);
});
