/** The contract of those who look alone, in memory: what changes there is seen within seconds. */
import { test } from 'node:test';
import { browsing } from './contract/browsing.ts';
import { openSqliteStore } from './sqlite.ts';

for (const [sentence, run] of Object.entries(browsing)) {
  test(sentence, async () => {
    const store = await openSqliteStore({ path: ':memory:' });
    await run(store).finally(() => store.close());
  });
}
