import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeGateway, type Reply } from '../testing/fake-gateway.ts';
import { problem } from '../testing/fake-tasks.ts';
import { taskCalls } from './task-calls.ts';

const signal = new AbortController().signal;
const INTENDED = { type: 'intended', line: 1, at: 1, key: 'k', reserved_usd: null, max_paid_attempts: 1 } as const;

const SUBMITS: readonly (readonly [name: string, reply: Reply, kind: string])[] = [
  ['a task', { status: 202, body: { id: 'g', status: 'pending' } }, 'told'],
  ['a task that ended long ago', { body: { id: 'g', status: 'failed' } }, 'told'],
  ['an answer of another server', { body: { hello: 1 } }, 'unreachable'],
  ['a login page', { status: 302, body: {} }, 'unreachable'],
  ['a full queue', problem(429, 'queue_full', 'x', { 'retry-after': '3' }), 'wait'],
  ['a used-up quota', problem(429, 'insufficient_quota', 'x', { 'x-should-retry': 'false' }), 'refused'],
  ['an overload', problem(503, 'overloaded', 'x'), 'wait'],
  ['a proxy without a gateway', { status: 503, body: {} }, 'unreachable'],
  ['a fault of the gateway', problem(500, 'internal_error', 'x'), 'unreachable'],
  ['a bad request', problem(400, 'invalid_value', 'x'), 'refused'],
  ['a model nobody knows', problem(404, 'model_not_found', 'x'), 'refused'],
  ['a gateway without tasks', problem(404, 'not_found', 'x'), 'useless'],
  ['a wrong key', problem(401, 'invalid_api_key', 'x'), 'useless'],
  ['a reset', 'reset', 'unreachable'],
];
for (const [name, reply, kind] of SUBMITS) {
  test(`submitting, ${name}: ${kind}`, async (t) => {
    const { url, received } = await fakeGateway(t, () => reply);
    const calls = taskCalls({ url, headers: { authorization: 'Bearer x' }, own: false, close: async () => {} });
    const answer = await calls.submit({ prompt: 'x' }, INTENDED, signal);
    assert.equal(answer.kind, kind);
    if (answer.kind === 'wait') assert.equal(answer.ms, name === 'a full queue' ? 3_000 : 2_000);
    const { 'idempotency-key': key, 'x-onetake-max-paid-attempts': most } = received[0]?.headers ?? {};
    assert.deepEqual([key, most], ['k', '1']);
  });
}

test('a charge is what was told, unknown where nothing was', async (t) => {
  const charges: readonly (readonly [said: object, price: number | null, possible: number | null])[] = [
    [{ price_usd: 0.04 }, 0.04, 0],
    [{ price_usd: 0.04, possible_usd: 0.08, billed: 'yes' }, 0.04, 0.08],
    [{ price_usd: null, possible_usd: 0.04, billed: 'maybe' }, 0, 0.04],
    [{ price_usd: null, possible_usd: null, billed: 'maybe' }, null, null],
    [{ price_usd: null, billed: 'no' }, 0, 0],
    [{}, null, 0],
  ];
  let said: object = {};
  const { url } = await fakeGateway(t, () => ({ body: { id: 'g', status: 'completed', onetake: said } }));
  const calls = taskCalls({ url, headers: {}, own: false, close: async () => {} });
  for (const [onetake, price_usd, possible_usd] of charges) {
    said = onetake;
    const answer = await calls.read('g', 0, signal);
    assert(answer.kind === 'told');
    assert.deepEqual(answer.value.charge, { price_usd, possible_usd }, JSON.stringify(onetake));
  }
});

test('a picture is fetched where the gateway is, and is the one it told of', async (t) => {
  const { url, received } = await fakeGateway(t, ({ url: path }) =>
    path.endsWith('gone.png') ? problem(404, 'not_found', 'x') : { bytes: Buffer.from('abc') },
  );
  const calls = taskCalls({ url, headers: { authorization: 'Bearer x' }, own: false, close: async () => {} });
  const picture = {
    url: 'https://pictures.example/v1/assets/a.png',
    type: 'png',
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  };
  const good = await calls.picture(picture, signal);
  assert(good.kind === 'told' && good.value.equals(Buffer.from('abc')));
  assert.equal(received[0]?.headers.authorization, undefined, 'a link needs no key');
  const damaged = await calls.picture({ ...picture, sha256: 'x' }, signal);
  assert(damaged.kind === 'refused' && damaged.code === 'picture_damaged');
  assert.equal((await calls.picture({ ...picture, url: `${url}/v1/assets/gone.png` }, signal)).kind, 'gone');
});
