import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { ERRORS_PAGE, errorsPage } from '../docs/errors-page.ts';
import { knownErrors } from '../packages/gateway/src/explain/catalogue.ts';

test('the page of errors is what the catalogue generates, with a row and an advice for each', async () => {
  const page = await readFile(ERRORS_PAGE, 'utf8');
  assert.equal(page, errorsPage(), 'run node docs/generate.ts under --conditions=onetake-source');
  const entries = knownErrors().flatMap((group) => group.entries);
  const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| error '));
  const advices = page.split('\n').filter((line) => line.startsWith('- **'));
  assert.deepEqual([rows.length, advices.length], [entries.length, entries.length]);
});
