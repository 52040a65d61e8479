/** The store that most unit tests stand on keeps every promise of the one in a file, but for surviving its process. */
import { testStore } from '../../packages/gateway/src/store/contract.ts';
import { openSqliteStore } from '../../packages/gateway/src/store/sqlite.ts';

testStore('SQLite in memory', async () => ({ store: await openSqliteStore({ path: ':memory:' }) }));
