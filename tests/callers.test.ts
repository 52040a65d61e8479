/** A key is the unit of everything: what one caller asked for is nothing to another. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { call, generate } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { countOf } from './rig/ledger.ts';
import { until } from './rig/poll.ts';

const ANN = { authorization: 'Bearer key-of-ann' };
const BOB = { authorization: 'Bearer key-of-bob' };

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({ env: { ONETAKE_API_KEYS: 'ann:key-of-ann,bob:key-of-bob' } });
});
after(() => gateway.close());

test('an undelivered picture is handed to its own caller only', async () => {
  const asked = { model: 'sandbox/slow:0.5', prompt: 'the fox of ann' };
  await assert.rejects(generate(gateway.url, asked, { headers: ANN, timeoutMs: 300 }), { name: 'AbortError' });
  const made = await until('the picture is made', async () => {
    const { body } = await call(`${gateway.url}/v1/generations`, { headers: ANN });
    return body.data?.find(({ status }) => status === 'completed');
  });
  const { headers } = await generate(gateway.url, asked, { headers: BOB });
  assert.equal(headers['x-onetake-attached'], undefined);
  assert.equal((await generate(gateway.url, asked, { headers: ANN })).headers['x-onetake-attached'], made.id);
  assert.deepEqual(await countOf(gateway.sandboxUrl, 'slow:0.5'), { requests: 2, charged: 2 });
});

test('another caller’s generation is as unknown as one that never was, and not listed', async () => {
  const { headers } = await generate(gateway.url, { model: 'sandbox/ok', prompt: 'private' }, { headers: ANN });
  const path = `${gateway.url}/v1/generations/${headers['x-onetake-generation']}`;
  assert.deepEqual(
    await Promise.all([ANN, BOB].map(async (caller) => (await call(path, { headers: caller })).status)),
    [200, 404],
  );
  const { body } = await call(`${gateway.url}/v1/generations`, { headers: BOB });
  assert.ok(body.data?.every(({ prompt }) => prompt !== 'private'));
});

test('one Idempotency-Key of two callers is two keys', async () => {
  const ask = (caller: typeof ANN) =>
    generate(
      gateway.url,
      { model: 'sandbox/ok,ok', prompt: 'the same words' },
      { headers: { ...caller, 'idempotency-key': 'k' } },
    );
  const [ann, bob] = [await ask(ANN), await ask(BOB)];
  assert.notEqual(ann.headers['x-onetake-generation'], bob.headers['x-onetake-generation']);
  assert.equal((await ask(ANN)).text, ann.text);
});

test('without a key, or with a wrong one: 401 that says what is wrong, and nothing is sent', async () => {
  for (const authorization of [
    '',
    'Bearer',
    'key-of-ann',
    'Bearer  key-of-ann',
    'Bearer "key-of-ann"',
    'Bearer other',
  ]) {
    const headers = authorization === '' ? {} : { authorization };
    const { status, body } = await generate(gateway.url, { model: 'sandbox/ok,ok,ok', prompt: 'x' }, { headers });
    assert.deepEqual([authorization, status, body.error?.code], [authorization, 401, 'invalid_api_key']);
    assert.doesNotMatch(body.error?.message ?? '', /key-of-ann/);
  }
  assert.deepEqual(await countOf(gateway.sandboxUrl, 'ok,ok,ok'), { requests: 0, charged: 0 });
});
