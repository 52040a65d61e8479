/** The contract of the ledger alone, in memory: what changes there is seen within seconds. */
import { test } from 'node:test';
import { budgets } from './contract/budgets.ts';
import { ledger } from './contract/ledger.ts';
import { openSqliteStore } from './sqlite.ts';

for (const [sentence, run] of Object.entries({ ...ledger, ...budgets })) {
  test(sentence, async () => {
    const store = await openSqliteStore({ path: ':memory:' });
    await run(store).finally(() => store.close());
  });
}
