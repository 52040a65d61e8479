import { test } from 'node:test';
import { assertFleetKept } from '../rig/fleet-claims.ts';
import { killNodesAgainAndAgain } from '../rig/fleet-crashes.ts';

const TASKS = 45;

test('three gateways on one PostgreSQL, one killed 3 times: no task is lost, none is charged twice', async (t) => {
  t.diagnostic(assertFleetKept(await killNodesAgainAndAgain(TASKS, 3), TASKS));
});
