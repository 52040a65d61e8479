import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Group, groupOperations } from './grouping.ts';
import type { Operation, Verb } from './verb.ts';

interface Args {
  readonly things: readonly string[] | 'everything';
  readonly bytes?: number;
}

function verb(change: Partial<Verb<Args, void>> = {}): Verb<Args, void> {
  return { touches: ({ things }) => things, weigh: ({ bytes = 0 }) => bytes, run: async () => [], ...change };
}

const joining = verb({ joins: true });
const alsoJoining = verb({ joins: true });
const alone = verb();

function operation(one: Verb<Args, void>, things: Args['things'], bytes = 0): Operation {
  return { verb: one, args: { things, bytes } };
}

function indexes(groups: readonly Group[]): readonly (readonly number[])[] {
  return groups.map(({ members }) => members.map(({ index }) => index));
}

test('operations of one verb gather across others that touch nothing of theirs', () => {
  const batch = [
    operation(joining, ['a']),
    operation(alsoJoining, ['b']),
    operation(joining, ['c']),
    operation(alsoJoining, ['a']),
    operation(joining, ['d']),
  ];
  assert.deepEqual(indexes(groupOperations(batch)), [
    [0, 2, 4],
    [1, 3],
  ]);
});

test('nothing moves past what it touches, or past what touches everything', () => {
  const chain = [operation(joining, ['a']), operation(joining, ['a']), operation(joining, ['b'])];
  assert.deepEqual(indexes(groupOperations(chain)), [[0], [1, 2]]);
  const sweep = [operation(joining, ['a']), operation(alone, 'everything'), operation(joining, ['b'])];
  assert.deepEqual(indexes(groupOperations(sweep)), [[0], [1], [2]]);
});

test('a group carries no more than a few megabytes', () => {
  const heavy = Array.from({ length: 5 }, (_, index) => operation(joining, [`${index}`], 2_000_000));
  assert.deepEqual(indexes(groupOperations(heavy)), [[0, 1], [2, 3], [4]]);
  assert.deepEqual(indexes(groupOperations([operation(joining, ['a'], 2 ** 40)])), [[0]]);
});

const anyOperation = fc
  .record({
    verb: fc.constantFrom(joining, alsoJoining, alone),
    things: fc.oneof({ weight: 9, arbitrary: fc.subarray(['a', 'b', 'c', 'd']) }, fc.constant('everything' as const)),
  })
  .map(({ verb: one, things }) => operation(one, things));

test('each operation is in one group of its verb, and those that touch the same keep their order', () => {
  fc.assert(
    fc.property(fc.array(anyOperation, { maxLength: 30 }), (batch) => {
      const groups = groupOperations(batch);
      const places = new Map(indexes(groups).flatMap((group, place) => group.map((index) => [index, place])));
      assert.equal(places.size, batch.length);
      for (const { verb: one, members } of groups) {
        assert.ok(members.every(({ index }) => batch[index]?.verb === one));
      }
      for (const [later, { args }] of batch.entries()) {
        for (const [earlier, before] of batch.slice(0, later).entries()) {
          if (meet(before.args as Args, args as Args)) {
            assert.ok(Number(places.get(earlier)) < Number(places.get(later)), `${earlier} and ${later}`);
          }
        }
      }
    }),
  );
});

function meet({ things: some }: Args, { things: others }: Args): boolean {
  return some === 'everything' || others === 'everything' || some.some((thing) => others.includes(thing));
}
