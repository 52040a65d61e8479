import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHealthBook, type Failure } from '@onetake/core';
import { targetRoutes } from './targets.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const SAID = 'Organization org-Q7x81LmNq2 cannot draw "a portrait of my neighbour"';

function listedTo(isAdmin: boolean) {
  const health = createHealthBook();
  const target = { id: 'openai/gpt-image-2', credential: 'openai' };
  const failure: Failure = { kind: 'server', certainty: 'failed', message: SAID };
  for (let times = 0; times < 20; times += 1) {
    const [name] = health.openCredentials(target, NOW);
    if (name !== undefined) health.settle(target, health.acquire(target, name, NOW), { ok: false, failure }, NOW);
  }
  const routes = targetRoutes({
    health,
    io: { now: () => NOW },
    pacer: { report: () => [] },
    catalogue: { connections: [] },
    targetOperations: { drained: () => [] },
  } as unknown as Parameters<typeof targetRoutes>[0]);
  return routes.list({ isAdmin }).data[0];
}

test('why a target is closed is told whole to administrators alone', () => {
  const [toAdmin, toOthers] = [listedTo(true), listedTo(false)];
  assert.ok(toAdmin && 'reason' in toAdmin && toOthers && 'reason' in toOthers);
  assert.equal(toAdmin.reason, SAID);
  assert.equal(toOthers.reason, 'organization <id> cannot draw <value>');
});
