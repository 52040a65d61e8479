import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Files, newFileId, openFiles } from './files.ts';

async function open(context: TestContext): Promise<{ readonly directory: string; readonly files: Files }> {
  const directory = mkdtempSync(join(tmpdir(), 'onetake-files-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return { directory, files: await openFiles(directory) };
}

async function keep(files: Files, text: string, createdAt = 1, caller = 'ann/../x', id = newFileId()) {
  const draft = files.draft();
  await draft.write(Buffer.from(text));
  const about = { id, caller, purpose: 'batch', filename: 'a.jsonl', createdAt, expiresAt: createdAt + 100 } as const;
  return draft.commit(about);
}

test('a file is there once it is whole, for its caller alone, and is replaced under the same id', async (context) => {
  const { directory, files } = await open(context);
  const second = await keep(files, 'two', 2);
  const first = await keep(files, 'one', 1);
  assert.deepEqual(await files.list('ann/../x'), [first, second]);
  assert.deepEqual(await files.find('ann/../x', first.id), first);
  assert.equal(first.bytes, 3);
  assert.deepEqual(
    [await files.list('bob'), await files.find('bob', first.id), await files.count('bob')],
    [[], undefined, 0],
  );
  assert.equal(await files.remove('bob', first.id), false);
  await keep(files, 'more', 1, first.caller, first.id);
  assert.equal(readFileSync(files.pathOf(first.caller, first.id), 'utf8'), 'more');
  assert.equal(await files.count(first.caller), 2);
  assert.equal(await files.remove(first.caller, first.id), true);
  assert.equal(await files.remove(first.caller, first.id), false);
  assert.deepEqual(await files.list(first.caller), [second]);
  assert.ok(readdirSync(directory).every((name) => /^(?:tmp|[0-9a-f]{32})$/.test(name)));
});

test('an id that is none leads nowhere', async (context) => {
  const { files } = await open(context);
  for (const id of ['', '../x', 'file-', 'file-0/../../x', `file-${'0'.repeat(23)}/`]) {
    assert.equal(await files.find('ann', id), undefined, id);
    assert.equal(await files.remove('ann', id), false, id);
  }
});

test('a discarded draft leaves nothing, and takes nothing more', async (context) => {
  const { directory, files } = await open(context);
  const draft = files.draft();
  await draft.write(Buffer.from('half'));
  await draft.discard();
  await assert.rejects(draft.write(Buffer.from('more')));
  assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
});

test('what expired goes, and what a crash left half-written goes after a day', async (context) => {
  const { directory, files } = await open(context);
  const [old, fresh] = [await keep(files, 'old', 1), await keep(files, 'fresh', 50)];
  const draft = files.draft();
  await draft.write(Buffer.from('half'));
  await files.expire(110);
  assert.deepEqual(await files.list(old.caller), [fresh]);
  assert.equal(readdirSync(join(directory, 'tmp')).length, 1);
  await files.expire(Date.now() + 25 * 3_600_000);
  assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
  await draft.discard();
});
