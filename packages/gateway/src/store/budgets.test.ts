import { after, test } from 'node:test';
import fc from 'fast-check';
import { type Life, liveThrough } from './contract/budget-lives.ts';
import { openPostgresStore } from './postgres.ts';
import { openSqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';
import { startTestPostgres } from './testing/postgres.ts';

const lives: fc.Arbitrary<readonly Life[]> = fc.array(
  fc.record({
    caller: fc.nat({ max: 1 }),
    holds: fc.array(
      fc.record({
        run: fc.constantFrom(0 as const, 1 as const),
        at: fc.integer({ min: 0, max: 1_500 }),
        microUsd: fc.integer({ min: 0, max: 150_000 }),
        images: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 4 },
    ),
    spent: fc.integer({ min: 0, max: 60 }),
    doubt: fc.integer({ min: 0, max: 40 }),
    isPriced: fc.boolean(),
    startsAfterMs: fc.integer({ min: 0, max: 400 }),
    verdict: fc.constantFrom('charged' as const, 'free' as const, undefined),
  }),
  { minLength: 1, maxLength: 8 },
);

async function holdsAlways(nodes: readonly Store[], numRuns: number): Promise<void> {
  let round = 0;
  try {
    await fc.assert(
      fc.asyncProperty(lives, (all) => liveThrough(nodes, round++, all)),
      { numRuns },
    );
  } finally {
    await Promise.all(nodes.map((store) => store.close()));
  }
}

test('whatever runs hold, spend and leave unknown side by side, no budget is passed and none leaks', async () => {
  await holdsAlways([await openSqliteStore({ path: ':memory:' })], 100);
});

test('nor among the runs of two nodes', async () => {
  const postgres = await startTestPostgres();
  after(() => postgres.stop());
  const url = await postgres.createDatabase();
  await holdsAlways([await openPostgresStore({ url }), await openPostgresStore({ url })], 50);
});
