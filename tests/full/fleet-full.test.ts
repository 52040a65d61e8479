import { test } from 'node:test';
import { assertFleetKept } from '../rig/fleet-claims.ts';
import { killNodesAgainAndAgain } from '../rig/fleet-crashes.ts';

const TASKS = 500;

test('500 tasks, one of three gateways killed 20 times: none is lost, none is charged twice', async (t) => {
  t.diagnostic(assertFleetKept(await killNodesAgainAndAgain(TASKS, 20), TASKS));
});
