import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { adminKeyPath, digestOf, isWholeKey, makeKey, openAdminKey, readAdminKey } from './admin-key.ts';

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'onetake-key-'));
  context.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('a key is made once, for its owner’s eyes alone, and found again', async (context) => {
  const home = directory(context);
  const made = await openAdminKey(home, undefined);
  const key = readFileSync(adminKeyPath(home), 'utf8').trim();
  assert.ok(isWholeKey(key));
  assert.deepEqual(made, { digest: digestOf(key), from: 'file' });
  assert.equal(statSync(adminKeyPath(home)).mode & 0o777, 0o600);
  assert.deepEqual(await openAdminKey(home, undefined), made);
  assert.equal(await readAdminKey(home), key);
  assert.deepEqual(readdirSync(home), ['admin.key']);
});

test('processes that start together agree on one', async (context) => {
  const home = directory(context);
  const made = await Promise.all(Array.from({ length: 8 }, () => openAdminKey(home, undefined)));
  assert.equal(new Set(made.map(({ digest }) => digest)).size, 1);
  assert.deepEqual(readdirSync(home), ['admin.key']);
});

test('one that is set needs no file', async (context) => {
  const home = directory(context);
  assert.deepEqual(await openAdminKey(home, 'set-by-hand'), { digest: digestOf('set-by-hand'), from: 'environment' });
  assert.deepEqual(readdirSync(home), []);
  assert.equal(await readAdminKey(home), undefined);
});

test('a file that others could read is closed; one that is no key is told of, without its text', async (context) => {
  const home = directory(context);
  await openAdminKey(home, undefined);
  chmodSync(adminKeyPath(home), 0o644);
  await readAdminKey(home);
  assert.equal(statSync(adminKeyPath(home)).mode & 0o777, 0o600);
  for (const text of ['', 'half a secret', 'x'.repeat(5_000)]) {
    writeFileSync(adminKeyPath(home), text);
    const told = await openAdminKey(home, undefined).then(
      () => assert.fail('it is no key'),
      (error: Error) => error.message,
    );
    assert.match(told, /admin\.key: expected sk-onetake- and 43 characters; delete the file/);
    assert.doesNotMatch(told, /half|xxx/);
  }
});

test('keys are 256 random bits in base64url', () => {
  const keys = Array.from({ length: 1_000 }, () => makeKey());
  assert.ok(keys.every(isWholeKey));
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(
    makeKey(() => new Uint8Array(32)),
    `sk-onetake-${'A'.repeat(43)}`,
  );
});
