import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testStore } from './contract.ts';
import { openSqliteStore } from './sqlite.ts';

const directory = mkdtempSync(join(tmpdir(), 'onetake-store-'));
after(() => rmSync(directory, { recursive: true }));
let opened = 0;

testStore('SQLite in memory', async () => ({ store: await openSqliteStore({ path: ':memory:' }) }));

testStore('SQLite in a file', async () => {
  const path = join(directory, `${opened++}.db`);
  const store = await openSqliteStore({ path });
  const reopen = async () => {
    await store.close();
    return openSqliteStore({ path });
  };
  return { store, reopen };
});
