import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openWorld } from '../open-world.ts';
import { wellIo } from '../testing/well-io.ts';
import { ENVIRONMENT, LEAST_NODE } from './environment.ts';

test('the least Node is the one that the package asks for', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  assert.equal(engines.node, `>=${LEAST_NODE}`);
});

test('a clock before this was written, or ten years after it, is wrong', async () => {
  const at = async (now: number) => {
    const found = await ENVIRONMENT.run(openWorld({ env: {}, cwd: '/nowhere', io: wellIo({ now: () => now }) }));
    return found.map(({ id }) => id);
  };
  assert.deepEqual(await at(Date.UTC(1970, 0, 1)), ['environment.clock']);
  assert.deepEqual(await at(Date.UTC(2040, 0, 1)), ['environment.clock']);
  assert.deepEqual(await at(Date.UTC(2027, 5, 1)), ['environment.well']);
});
