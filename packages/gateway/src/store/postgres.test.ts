import { after } from 'node:test';
import { testStore } from './contract.ts';
import { openPostgresStore } from './postgres.ts';
import { startTestPostgres } from './testing/postgres.ts';

const postgres = await startTestPostgres();
after(() => postgres.stop());

const url = await postgres.createDatabase();

testStore('PostgreSQL', async () => {
  await postgres.empty(url);
  const store = await openPostgresStore({ url });
  const other = await openPostgresStore({ url });
  const reopen = async () => {
    await store.close();
    return openPostgresStore({ url });
  };
  return { store, other, reopen };
});
