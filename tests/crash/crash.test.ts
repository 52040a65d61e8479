import { test } from 'node:test';
import { assertNothingLost } from '../rig/crash-claims.ts';
import { crashAgainAndAgain } from '../rig/crashes.ts';

test('10 × kill -9 under load: nothing acknowledged is lost, nothing is charged twice', async (t) => {
  t.diagnostic(assertNothingLost(await crashAgainAndAgain(10)));
});
