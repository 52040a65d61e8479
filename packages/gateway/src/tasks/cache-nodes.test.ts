import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openPostgresStore } from '../store/postgres.ts';
import { startTestPostgres } from '../store/testing/postgres.ts';
import { createNode, createProvider } from '../testing/cache-world.ts';

const postgres = await startTestPostgres();
after(() => postgres.stop());

test('fifty identical requests at two nodes at once are one paid call, and each node finds what the other made', async () => {
  const url = await postgres.createDatabase();
  const stores = await Promise.all([openPostgresStore({ url }), openPostgresStore({ url })]);
  const provider = createProvider();
  const nodes = stores.map((store) => createNode({ store, provider }));
  const askAll = () => Promise.all(Array.from({ length: 50 }, (_, index) => nodes[index % 2]?.ask() ?? assert.fail()));
  const answers = await askAll();
  assert.deepEqual(
    ['begun', 'shared'].map((kind) => answers.filter((one) => one.kind === kind).length),
    [1, 49],
  );
  assert.equal(provider.begun.length, 1);
  const begun = answers.find((one) => one.kind === 'begun') ?? assert.fail();
  // Whichever node finishes it, as after a lease that ended, keeps it for both.
  await nodes[1]?.finish(begun.begun);
  assert.ok((await askAll()).every(({ kind }) => kind === 'hit'));
  await Promise.all(nodes.map(({ cache }) => cache.close()));
  assert.equal((await stores[0]?.cacheStats({}))?.hits, 50);
  await Promise.all(stores.map((store) => store.close()));
});
