/** A batch outlives the processes that work on it, and pays for no line twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startFleet } from '../rig/fleet.ts';
import { startGateway } from '../rig/gateway.ts';
import { assertPaidOnce, clientOf, create, ENDS, ended, lines } from '../rig/http-batches.ts';
import { startSandbox } from '../rig/sandbox.ts';

test('killed and stopped again and again in the middle, a batch loses no line and pays for none twice', async (context) => {
  const sandbox = await startSandbox();
  context.after(() => sandbox.close());
  const lab = `  lab: { kind: openai-compatible, base_url: "${sandbox.url}/v1" }`;
  let gateway = await startGateway({ yaml: ['providers:', lab, ''].join('\n') });
  context.after(() => gateway.close());
  let client = clientOf(gateway);
  const count = 400;
  const begun = await create(client, lines('fox', count, 'lab/slow:0.2'));
  let met = 0;
  for (let kill = 0; kill < 5; kill += 1) {
    await pause(Math.random() * 400);
    met += ENDS.includes((await client.batches.retrieve(begun.id)).status) ? 0 : 1;
    // The last time it ends in order, and lets go of the batch.
    if (kill < 4) await gateway.kill();
    else assert.equal(await gateway.end(), 0);
    gateway = await startGateway({ home: gateway.home });
    client = clientOf(gateway);
  }
  assert.ok(met > 1, `only ${met} met the batch at work`);
  const batch = await ended(client, begun.id);
  await assertPaidOnce(client, batch, { prefix: 'fox ', count, sandboxUrl: sandbox.url });
});

test('three nodes on one PostgreSQL, killed at random: another goes on with the batch, and pays for none twice', async (context) => {
  const fleet = await startFleet(3);
  context.after(() => fleet.close());
  const connect = () => {
    const [node] = fleet.nodes();
    if (node === undefined) throw new Error('no node is alive');
    return clientOf(node);
  };
  const count = 150;
  const begun = await create(connect(), lines('lynx', count, 'lab2/slow:0.2'));
  for (let kill = 0; kill < 3; kill += 1) {
    await pause(100 + Math.random() * 300);
    await fleet.killOne();
  }
  const client = connect();
  const batch = await ended(client, begun.id);
  await assertPaidOnce(client, batch, { prefix: 'lynx ', count, sandboxUrl: fleet.sandbox.url });
});
