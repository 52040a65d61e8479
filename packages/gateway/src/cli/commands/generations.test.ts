import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli } from '../testing/cli.ts';
import { fakeGateway, type Received } from '../testing/fake-gateway.ts';

const CREATED = Date.UTC(2026, 10, 21, 7, 30);
const ROWS = [
  {
    id: 'gen_a',
    created_at: CREATED,
    target: 'openai/gpt-image-2',
    status: 'completed',
    billed: 'yes',
    price_usd: 0.04,
    delivered_at: CREATED,
  },
  {
    id: 'gen_b',
    created_at: CREATED,
    target: 'lab/x',
    status: 'failed',
    code: 'outcome_unknown',
    billed: 'maybe',
    price_usd: null,
    possible_usd: 0.04,
  },
  { id: 'gen_c', created_at: CREATED, route: 'best', status: 'processing', price_usd: null },
  { id: 'gen_d', created_at: CREATED, route: 'best', status: 'failed', code: 'timeout', billed: 'no', price_usd: 0 },
  { id: 'gen_e', created_at: CREATED, route: 'best', status: 'completed', billed: 'yes', price_usd: null },
  {
    ...{ id: 'gen_f', created_at: CREATED, route: 'best', status: 'completed', billed: 'yes', price_usd: 0.01 },
    endpoint: '/v1/chat/completions',
  },
];

test('a table says what happened and what it may have cost', async (t) => {
  const { url, received } = await fakeGateway(t, () => ({ body: { object: 'list', data: ROWS } }));
  const { exitCode, stdout } = await cli(t, ['generations', '--unknown', '--limit', '7'], {
    env: { ONETAKE_URL: url },
  });
  assert.equal(
    stdout,
    `generation   created               model                what happened              charge
gen_a        2026-11-21 07:30:00   openai/gpt-image-2   completed                  $0.04
gen_b        2026-11-21 07:30:00   lab/x                outcome_unknown            possibly $0.04
gen_c        2026-11-21 07:30:00   best                 processing                 -
gen_d        2026-11-21 07:30:00   best                 timeout                    none
gen_e        2026-11-21 07:30:00   best                 completed, not delivered   price unknown
gen_f        2026-11-21 07:30:00   best                 completed                  $0.01
`,
  );
  assert.equal(exitCode, 0);
  assert.deepEqual(
    received.map(({ method, url: path }: Received) => `${method} ${path}`),
    ['GET /v1/generations?limit=7&unknown=1'],
  );
});

test('--json prints the answer, an empty list says so, a refusal fails', async (t) => {
  const empty = { object: 'list', data: [] };
  const { url } = await fakeGateway(t, ({ headers }) =>
    headers.authorization === 'Bearer good'
      ? { body: empty }
      : { status: 401, body: { error: { message: 'wrong key' } } },
  );
  const good = { ONETAKE_URL: url, ONETAKE_API_KEY: 'good' };
  assert.deepEqual(JSON.parse((await cli(t, ['generations', '--json'], { env: good })).stdout), empty);
  assert.equal(
    (await cli(t, ['generations', '--unknown'], { env: good })).stdout,
    'no generation has an unknown outcome\n',
  );
  const refused = await cli(t, ['generations'], { env: { ONETAKE_URL: url } });
  assert.deepEqual(refused, { exitCode: 1, stdout: '', stderr: 'onetake: wrong key\n' });
});
