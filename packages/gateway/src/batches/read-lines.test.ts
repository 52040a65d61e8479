import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { readLines } from './read-lines.ts';

const directory = mkdtempSync(join(tmpdir(), 'onetake-lines-'));
after(() => rmSync(directory, { recursive: true, force: true }));

async function linesIn(text: string, maxLineBytes = 1_000_000) {
  const path = join(directory, 'input');
  writeFileSync(path, text);
  return Array.fromAsync(readLines(path, maxLineBytes));
}

test('lines keep their text and number, whatever ends them; blank ones count as lines and not as requests', async () => {
  assert.deepEqual(await linesIn('\u{feff}{"a":1}\r\n\n  \n{"b":"🦊"}'), [
    { index: 0, number: 1, text: '{"a":1}\r' },
    { index: 1, number: 4, text: '{"b":"🦊"}' },
  ]);
  assert.deepEqual(await linesIn(''), []);
  assert.deepEqual(await linesIn('\n\n'), []);
});

test('a line too long is there without its text, and those after it are read', async () => {
  const found = await linesIn(`${'x'.repeat(600_000)}\nshort\n${'y'.repeat(11)}`, 10);
  assert.deepEqual(
    found.map(({ number, text }) => [number, text]),
    [
      [1, undefined],
      [2, 'short'],
      [3, undefined],
    ],
  );
});

test('whatever the lines, they are read as they were written', async () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 50 }).map((text) => text.replaceAll(/[\n\u{feff}]/gu, ' '));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), fc.nat(5), async (lines, repeats) => {
      const all = lines.map((one) => one.repeat(repeats * 500 + 1));
      const read = await linesIn(all.join('\n'));
      assert.deepEqual(
        read.map(({ text }) => text),
        all.filter((one) => one.trim() !== ''),
      );
    }),
    { numRuns: 50 },
  );
});
