import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestPostgres, type TestPostgres } from '../store/testing/postgres.ts';
import { DATABASE } from './checks/database.ts';
import { openWorld } from './open-world.ts';
import { realIo } from './real-io.ts';

const io = realIo({ timeoutMs: 10_000 });
let server: TestPostgres;
before(async () => {
  server = await startTestPostgres();
});
after(() => server.stop());

async function look(url: string) {
  const env = { ONETAKE_DATABASE_URL: url, ONETAKE_ASSETS: '/mnt/shared/pictures' };
  return DATABASE.run(openWorld({ env, cwd: '/nowhere', io }));
}

test('a PostgreSQL tells its version, its distance and the connections that are left', async () => {
  const answer = await io.database(await server.createDatabase());
  assert.ok(answer.ok, JSON.stringify(answer));
  const { version, ms, maxConnections, connections = 0 } = answer.value;
  assert.match(version, /^\d+\.\d+$/);
  assert.ok(ms < 1_000 && connections >= 1 && connections <= maxConnections);
});

test('a database that does not exist and a wrong password are told apart, without the password', async () => {
  const url = new URL(await server.createDatabase());
  url.pathname = '/nonesuch';
  const [missing] = await look(url.href);
  assert.deepEqual(
    [missing?.id, missing?.facts, missing?.fix],
    ['database.unreachable', { code: '3D000' }, 'createdb nonesuch'],
  );
  url.password = 'not-the-password';
  const [refused] = await look(url.href);
  assert.deepEqual([refused?.level, refused?.facts], ['broken', { code: '28P01' }]);
  assert.doesNotMatch(JSON.stringify([missing, refused]), /not-the-password|secret/);
});
