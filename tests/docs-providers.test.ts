import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { PROVIDERS } from '@onetake/core';
import { PROVIDERS_PAGE, providersPage } from '../docs/providers-page.ts';

test('the page of providers is what the code generates, and says of each how well it is known', async () => {
  const page = await readFile(PROVIDERS_PAGE, 'utf8');
  assert.equal(page, providersPage(), 'run node docs/generate.ts under --conditions=onetake-source');
  for (const { id } of PROVIDERS) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${id}\` |`));
    const [evidence, answers] = row?.split('|').slice(-3, -1) ?? [];
    assert.match(evidence ?? '', /strong|medium|weak/, `${id} has no evidence`);
    assert.ok(Number(answers) > 0, `${id} has no fixtures`);
  }
});
