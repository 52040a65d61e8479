import { test } from 'node:test';
import { assertBatchKept } from './rig/batch-claims.ts';
import { killBatchAgainAndAgain } from './rig/batches.ts';

const LINES = 60;

test('a batch of 60 killed 3 times with the gateway in it: a picture or a listed unknown per line', async (t) => {
  t.diagnostic(assertBatchKept(await killBatchAgainAndAgain(LINES, 3), LINES));
});
