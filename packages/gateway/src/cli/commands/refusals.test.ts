import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli } from '../testing/cli.ts';
import { fakeGateway } from '../testing/fake-gateway.ts';

const CREATED = Date.UTC(2026, 10, 21, 7, 30);
const ROWS = [
  {
    generation: 'gen_a',
    created_at: CREATED,
    target: 'openai/gpt-image-2',
    prompt: 'a knight\nwith a weapon',
    refusal: { stage: 'output', categories: ['violence', 'sexual'], suggestions: [] },
    rungs: [{ rung: 'same_again' }, { rung: 'next_target' }],
    provider_request_ids: ['req_1', 'req_2'],
    billed: 'yes',
    price_usd: 0.08,
  },
  { generation: 'gen_b', created_at: CREATED, target: null, refusal: {}, rungs: [], billed: 'no', price_usd: 0 },
];

test('a table says what was refused, what was tried, and what was paid', async (t) => {
  const { url, received } = await fakeGateway(t, () => ({ body: { object: 'list', data: ROWS, next: null } }));
  const { exitCode, stdout } = await cli(t, ['refusals', '--limit', '7'], { env: { ONETAKE_URL: url } });
  const [head = '', first = '', second = ''] = stdout.split('\n');
  assert.match(head, /^generation +created +target +stage +about +tried +paid +request ids +prompt$/);
  assert.match(
    first,
    /output +violence, sexual +same_again, next_target +\$0\.08 +req_1, req_2 +a knight with a weapon$/,
  );
  assert.match(second, /^gen_b +2026-11-21 07:30:00 +- +- +- +- +none +- +-$/);
  assert.equal(exitCode, 0);
  assert.deepEqual(
    received.map((one) => one.url),
    ['/v1/refusals?limit=7'],
  );
});

test('--json prints the answer, an empty list says so, a refusal of the gateway fails', async (t) => {
  const empty = { object: 'list', data: [], next: null };
  const { url } = await fakeGateway(t, ({ headers }) =>
    headers.authorization === 'Bearer good'
      ? { body: empty }
      : { status: 401, body: { error: { message: 'wrong key' } } },
  );
  const good = { env: { ONETAKE_URL: url, ONETAKE_API_KEY: 'good' } };
  assert.equal((await cli(t, ['refusals'], good)).stdout, 'no provider has refused anything\n');
  assert.deepEqual(JSON.parse((await cli(t, ['refusals', '--json'], good)).stdout), empty);
  const refused = await cli(t, ['refusals'], { env: { ONETAKE_URL: url, ONETAKE_API_KEY: 'bad' } });
  assert.deepEqual([refused.exitCode, refused.stdout], [1, '']);
  assert.match(refused.stderr, /wrong key/);
});
