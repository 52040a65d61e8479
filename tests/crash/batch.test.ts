import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertBatchKept } from '../rig/batch-claims.ts';
import { killBatchAgainAndAgain } from '../rig/batches.ts';

const LINES = 60;

test('a batch of 60 killed 3 times with the gateway in it: a picture or a listed unknown per line', async (t) => {
  t.diagnostic(assertBatchKept(await killBatchAgainAndAgain(LINES, 3, 'inside'), LINES));
});

test('a batch of 60 killed 3 times beside its gateway: a picture per line, each paid once', async (t) => {
  const killed = await killBatchAgainAndAgain(LINES, 3, 'beside');
  t.diagnostic(assertBatchKept(killed, LINES));
  assert.equal(killed.report.pictures, LINES);
});
