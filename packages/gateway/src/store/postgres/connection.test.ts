import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, readDatabaseUrl } from './connection.ts';

test('a database is called by host, port and name', () => {
  assert.equal(readDatabaseUrl('postgres://user:secret@db.test:6543/onetake').name, 'db.test:6543/onetake');
  assert.equal(readDatabaseUrl('postgresql://db.test/onetake?sslmode=require').name, 'db.test:5432/onetake');
  assert.equal(readDatabaseUrl('postgres:///onetake?host=/var/run').name, '/var/run:5432/onetake');
});

test('what is no database URL is refused and not repeated', () => {
  for (const url of ['', 'secret', 'mysql://user:secret@db.test/onetake', 'postgres://user:sec/ret@db.test/onetake']) {
    assert.throws(
      () => readDatabaseUrl(url),
      (error: Error) => /postgres:\/\/user:password@/.test(error.message) && !/secret|sec\/ret/.test(error.message),
    );
  }
});

test('no error tells the password, as it is or as the URL writes it', () => {
  const { fault } = readDatabaseUrl('postgres://user:s%40cret%2F@db.test/onetake');
  const error = fault('cannot be reached', new Error('tried s@cret/ and s%40cret%2F'));
  assert.equal(error.message, 'PostgreSQL at db.test:5432/onetake: cannot be reached: tried *** and ***');
  const inQuery = readDatabaseUrl('postgres://user@db.test/onetake?password=hidden');
  assert.doesNotMatch(inQuery.fault('x', 'password is hidden').message, /hidden/);
});

test('a fault keeps its code, and has words where the reason has none', () => {
  const { fault } = readDatabaseUrl('postgres://db.test/onetake');
  const refused = Object.assign(new Error('connect ECONNREFUSED ::1'), { code: 'ECONNREFUSED' });
  const error = fault('cannot be reached', Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' }));
  assert.match(error.message, /cannot be reached: connect ECONNREFUSED ::1$/);
  assert.equal(codeOf(error), 'ECONNREFUSED');
  assert.equal(codeOf(new Error('without')), undefined);
});
