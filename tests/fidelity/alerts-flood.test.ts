/** Ten thousand requests that fail, over HTTP, are one message, a restart none, and healthy ones one recovery. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { alertReceiver, manyRequests, onlyRules } from '../rig/alert-receiver.ts';
import { startGateway } from '../rig/gateway.ts';
import { until } from '../rig/poll.ts';

const SECRET = `whsec_${Buffer.alloc(32, 'k').toString('base64')}`;
const FAILING = 10_000;
const HEALTHY = 100;

test('ten thousand failing requests are one alert, a restart none, and healthy ones one recovery', {
  timeout: 600_000,
}, async (t) => {
  const { url, changes } = await alertReceiver(t);
  const yaml = `
alerts:
  every: 200ms
  recover_after: 1s
  rules:
${onlyRules({ failure_rate: '{ above: 50%, for: 0s, window: 30m }' })}
  channels:
    - { name: hook, kind: webhook, url: "${url}/hook", secret_env: HOOK_SECRET }
`;
  const first = await startGateway({ yaml, env: { HOOK_SECRET: SECRET } });
  t.after(() => first.close());
  const statuses = await manyRequests(first.url, 'sandbox/500', FAILING, 32);
  assert.equal(statuses.get(200), undefined);
  await pause(1_000);
  assert.deepEqual(changes('/hook'), ['alert.fired failure_rate']);

  await first.end();
  const second = await startGateway({ home: first.home, env: { HOOK_SECRET: SECRET } });
  t.after(() => second.kill());
  // For longer than it takes to recover: a process that has seen nothing yet knows of no recovery.
  await pause(3_000);
  await manyRequests(second.url, 'sandbox/500', 20);
  assert.deepEqual(changes('/hook'), ['alert.fired failure_rate']);
  const healthy = await manyRequests(second.url, 'sandbox/ok', HEALTHY, 16);
  assert.equal(healthy.get(200), HEALTHY);
  await until('a recovery', async () => changes('/hook').length > 1);
  await pause(2_000);
  assert.deepEqual(changes('/hook'), ['alert.fired failure_rate', 'alert.recovered failure_rate']);
});
