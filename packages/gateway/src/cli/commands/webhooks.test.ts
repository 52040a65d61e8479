import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cli } from '../testing/cli.ts';
import { fakeGateway, type Received, type Reply } from '../testing/fake-gateway.ts';

const AT = Date.UTC(2026, 10, 21, 7, 30);
const ROW = {
  id: 'evt_1',
  type: 'task.completed',
  generation: 'gen_a',
  created_at: AT,
  tries: 1,
  url: 'https://a.example',
};
const ROWS = [
  { ...ROW, state: 'delivered', status: 204 },
  { ...ROW, id: 'evt_2', tries: 3, state: 'waiting', next_try_at: AT + 60_000, reason: 'status 503' },
  { ...ROW, id: 'evt_3', tries: 0, state: 'waiting', next_try_at: AT },
  { ...ROW, id: 'evt_4', tries: 9, state: 'given-up', reason: 'could not be reached\u001b (ECONNREFUSED)' },
];

/** Runs `onetake webhooks …` against a gateway that answers as told. */
async function webhooks(t: TestContext, args: readonly string[], reply: (request: Received) => Reply) {
  const { url, received } = await fakeGateway(t, reply);
  const env = { ONETAKE_URL: url, ONETAKE_API_KEY: 'key-of-alice' };
  return { ...(await cli(t, ['webhooks', ...args], { env })), received };
}

test('list says what became of each delivery', async (t) => {
  const args = ['list', '--state', 'waiting', '--generation', 'gen_a', '--limit', '7'];
  const { exitCode, stdout, received } = await webhooks(t, args, () => ({ body: { object: 'list', data: ROWS } }));
  assert.equal(
    stdout,
    `delivery   event            generation   created               tries   what happened
evt_1      task.completed   gen_a        2026-11-21 07:30:00   1       delivered (204)
evt_2      task.completed   gen_a        2026-11-21 07:30:00   3       waits until 2026-11-21 07:31:00: status 503
evt_3      task.completed   gen_a        2026-11-21 07:30:00   0       waits until 2026-11-21 07:30:00
evt_4      task.completed   gen_a        2026-11-21 07:30:00   9       given up: could not be reached  (ECONNREFUSED)
`,
  );
  assert.equal(exitCode, 0);
  const [request] = received;
  assert.equal(request?.url, '/v1/webhooks?limit=7&state=waiting&generation=gen_a');
  assert.equal(request?.headers.authorization, 'Bearer key-of-alice');
});

test('without a word it lists; --json prints the answer; an empty list says so', async (t) => {
  const empty = { object: 'list', data: [] };
  assert.equal((await webhooks(t, [], () => ({ body: empty }))).stdout, 'no webhook deliveries\n');
  assert.deepEqual(JSON.parse((await webhooks(t, ['list', '--json'], () => ({ body: empty }))).stdout), empty);
  assert.equal((await webhooks(t, ['list', '--limit', '0'], () => ({ body: empty }))).exitCode, 2);
  assert.equal((await webhooks(t, ['list', '--state', 'lost'], () => ({ body: empty }))).exitCode, 2);
});

test('redeliver takes a delivery, a generation, or all that were given up', async (t) => {
  const once = () => ({ body: { redelivered: 1, more: false } });
  const bodies = async (args: readonly string[]) => {
    const { received, stdout } = await webhooks(t, ['redeliver', ...args], once);
    assert.equal(stdout, '1 delivery due again\n');
    return received.map(({ method, url, body }) => `${method} ${url} ${body}`);
  };
  assert.deepEqual(await bodies(['evt_1']), ['POST /v1/webhooks/redeliver {"id":"evt_1"}']);
  assert.deepEqual(await bodies(['gen_a']), ['POST /v1/webhooks/redeliver {"generation":"gen_a"}']);
  assert.deepEqual(await bodies(['--given-up']), ['POST /v1/webhooks/redeliver {"state":"given-up"}']);
  const neither = await webhooks(t, ['redeliver'], once);
  assert.deepEqual([neither.exitCode, neither.received.length], [2, 0]);
  const both = await webhooks(t, ['redeliver', 'evt_1', '--given-up'], once);
  assert.deepEqual([both.exitCode, both.stderr.includes('or give --given-up')], [2, true]);
});

test('redeliver --given-up goes on while there are more', async (t) => {
  const counts = [1_000, 1_000, 5];
  const reply = () => {
    const redelivered = counts.shift() ?? 0;
    return { body: { redelivered, more: redelivered === 1_000 } };
  };
  const { stdout, received } = await webhooks(t, ['redeliver', '--given-up'], reply);
  assert.deepEqual([stdout, received.length], ['2005 deliveries due again\n', 3]);
  const refused = await webhooks(t, ['redeliver', 'evt_9'], () => ({
    status: 404,
    body: { error: { message: 'none' } },
  }));
  assert.deepEqual([refused.exitCode, refused.stderr], [1, 'onetake: none\n']);
});

test('secret prints the secret alone', async (t) => {
  const reply = () => ({ body: { object: 'webhook.secret', secret: 'whsec_abc' } });
  assert.equal((await webhooks(t, ['secret'], reply)).stdout, 'whsec_abc\n');
  assert.deepEqual(JSON.parse((await webhooks(t, ['secret', '--json'], reply)).stdout), { secret: 'whsec_abc' });
});
