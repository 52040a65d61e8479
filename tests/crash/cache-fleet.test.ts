/** Two gateways on one database have one cache, also of what is in flight. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { generate } from '../rig/call.ts';
import { FLEET_MODELS, type Fleet, startFleet } from '../rig/fleet.ts';
import { chargesByPrompt, readLedger } from '../rig/ledger.ts';

let fleet: Fleet;
before(async () => {
  fleet = await startFleet(2);
});
after(() => fleet?.close());

const HEADERS = { 'x-onetake-cache': 'on' };

function ask(node: number, fields: object) {
  const gateway = fleet.nodes()[node % 2] ?? assert.fail('no such node');
  return generate(gateway.url, fields, { headers: HEADERS });
}

async function charged(prompt: string): Promise<number> {
  return chargesByPrompt(await readLedger(fleet.sandbox.url)).get(prompt) ?? 0;
}

test('what one node made is a hit at the other', async () => {
  const fields = { model: `${FLEET_MODELS.call}/ok`, prompt: 'a fox of two nodes' };
  const [one, two] = [await ask(0, fields), await ask(1, fields)];
  assert.deepEqual(
    [one, two].map(({ headers }) => headers['x-onetake-cache']),
    ['miss', 'hit'],
    two.text,
  );
  assert.deepEqual(two.body.data, one.body.data);
  assert.equal(await charged('a fox of two nodes'), 1);
});

test('fifty equal requests at two nodes at once are one picture', async () => {
  const fields = { model: `${FLEET_MODELS.call}/slow:2`, prompt: 'a fox for fifty at two' };
  const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => ask(at, fields)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(answers.filter(({ headers }) => headers['x-onetake-cache'] === 'miss').length, 1);
  assert.equal(new Set(answers.map(({ headers }) => headers['x-onetake-generation'])).size, 1);
  assert.equal(await charged('a fox for fifty at two'), 1);
});
