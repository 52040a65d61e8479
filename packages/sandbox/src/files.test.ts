import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFiles } from './files.ts';
import { temporaryDirectory } from './testing/sandbox.ts';

test('a thousand files are kept, the oldest go first, also after a restart', async (t) => {
  const directory = temporaryDirectory(t);
  const files = openFiles(directory);
  const names: string[] = [];
  for (let n = 0; n <= 1000; n++) names.push(await files.keep(Buffer.from(`picture ${n}`), 'png'));
  assert.equal(await files.read(names[0] ?? ''), undefined);
  assert.deepEqual(await files.read(names[1] ?? ''), { bytes: Buffer.from('picture 1'), type: 'image/png' });
  const again = openFiles(directory);
  names.push(await again.keep(Buffer.from('one more'), 'svg'));
  const found = await Promise.all(names.map((name) => again.read(name)));
  assert.equal(found.filter((file) => file !== undefined).length, 1000);
  assert.equal(await again.read('../ledger.jsonl'), undefined);
});
