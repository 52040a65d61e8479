import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { chatHttpAnswer, FAILURES, type FailureKind, httpAnswer } from '@onetake/core';
import { FAILURES_PAGE, failuresPage } from '../docs/generate.ts';

const page = await readFile(FAILURES_PAGE, 'utf8');
const kinds = Object.keys(FAILURES) as FailureKind[];

/** The rows of the page's table of kinds, cell by cell. */
const rows = page
  .slice(page.indexOf('## Kinds'), page.indexOf('## What to do'))
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));

test('the page of failures is what the code generates', () => {
  assert.equal(page, failuresPage(), 'run node docs/generate.ts under --conditions=onetake-source');
});

test('code and page list the same kinds, each with one row and one advice', () => {
  assert.deepEqual(
    rows.map((cells) => cells[1]),
    kinds,
  );
  const advised = [...page.matchAll(/^- `(\w+)`: /gm)].map(([, kind]) => kind);
  assert.deepEqual(advised, kinds);
});

test('page and HTTP mapping say the same of every kind', () => {
  for (const kind of kinds) {
    const { certainty } = FAILURES[kind];
    const { status, type, code } = httpAnswer({ kind, certainty, message: '' });
    const cells = rows.find((one) => one[1] === kind);
    assert.deepEqual(cells?.slice(2, 6), [certainty, String(status), type, code]);
  }
});

test('page and HTTP mapping say the same of every kind in chat', () => {
  for (const kind of kinds) {
    const { certainty } = FAILURES[kind];
    const { status, code } = chatHttpAnswer({ kind, certainty, message: '' });
    const [, , , , , ofPictures, told = ''] = rows.find((one) => one[1] === kind) ?? [];
    assert.equal(told, code === ofPictures ? String(status) : `${status} ${code}`);
  }
});
