import { test } from 'node:test';
import { assertBatchKept } from '../rig/batch-claims.ts';
import { killBatchAgainAndAgain } from '../rig/batches.ts';

const LINES = 500;

test('a batch of 500 killed 10 times: pictures and listed unknowns are 500, and no more than them is charged', async (t) => {
  t.diagnostic(assertBatchKept(await killBatchAgainAndAgain(LINES, 10, 'inside'), LINES));
});
