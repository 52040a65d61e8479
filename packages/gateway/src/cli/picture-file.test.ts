import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ImageType } from '@onetake/core';
import { picturePath, sidecarPath, writeAtomically } from './picture-file.ts';
import { temporaryDirectory } from './testing/cli.ts';

const PATHS: readonly (readonly [wanted: string, type: ImageType, number: number | undefined, path: string])[] = [
  ['/a/fox.png', 'png', undefined, '/a/fox.png'],
  ['/a/fox.PNG', 'png', undefined, '/a/fox.PNG'],
  ['/a/fox.png', 'jpeg', undefined, '/a/fox.jpg'],
  ['/a/fox.jpeg', 'jpeg', undefined, '/a/fox.jpeg'],
  ['/a/fox', 'webp', undefined, '/a/fox.webp'],
  ['/a/fox.png', 'png', 2, '/a/fox-2.png'],
  ['/a/red.fox.png', 'webp', 1, '/a/red.fox-1.webp'],
];
for (const [wanted, type, number, path] of PATHS) {
  test(`${wanted} as ${type} is ${path}`, () => assert.equal(picturePath(wanted, type, number), path));
}

test('the sidecar stands beside the picture', () => assert.equal(sidecarPath('/a/red.fox.png'), '/a/red.fox.json'));

test('an existing file is replaced whole and nothing else is left', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'fox.png');
  writeFileSync(path, 'old and longer');
  await writeAtomically(path, Buffer.from('new'));
  assert.equal(readFileSync(path, 'utf8'), 'new');
  assert.deepEqual(readdirSync(directory), ['fox.png']);
});

test('a directory that is not there is named', async (t) => {
  const path = join(temporaryDirectory(t), 'none', 'fox.png');
  await assert.rejects(writeAtomically(path, Buffer.from('x')), /none does not exist; make the directory/);
});
