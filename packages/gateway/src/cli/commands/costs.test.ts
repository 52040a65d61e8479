import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli } from '../testing/cli.ts';
import { fakeGateway } from '../testing/fake-gateway.ts';

const SINCE = Date.UTC(2026, 10, 14, 22);
const UNTIL = Date.UTC(2026, 10, 21, 22);
const ZERO = {
  ...{ requests: 0, attempts: 0, images: 0, spent_usd: 0, retried_usd: 0, fallback_usd: 0, refused: 0, refused_usd: 0 },
  ...{ cached: 0, saved_usd: 0, unknown: 0, possible_usd: 0, unpriced: 0 },
};
const BODY = {
  ...{ object: 'costs', since: SINCE, until: UNTIL, by: ['model', 'key'] },
  data: [
    {
      ...ZERO,
      model: 'openai/gpt-image-2',
      key: 'app',
      requests: 120,
      attempts: 121,
      images: 119,
      spent_usd: 4.76,
      retried_usd: 0.04,
    },
    {
      ...ZERO,
      model: 'lab/a,b',
      key: '=x"y',
      requests: 3,
      unknown: 1,
      possible_usd: 0.000012,
      refused: 2,
      refused_usd: 0.04,
      unpriced: 2,
    },
    { ...ZERO, model: null, key: 'app', requests: 9, cached: 9, saved_usd: 0.36 },
  ],
  total: {
    ...{ ...ZERO, requests: 132, images: 119, spent_usd: 4.76, retried_usd: 0.04, unknown: 1, possible_usd: 0.000012 },
    ...{ refused: 2, refused_usd: 0.04, cached: 9, saved_usd: 0.36, unpriced: 2 },
  },
};

test('a table with a total: exact amounts, in columns that can be compared', async (t) => {
  const { url, received } = await fakeGateway(t, () => ({ body: BODY }));
  const args = ['costs', '--by', 'model,key', '--since', '7d', '--until', '2026-11-21', '--caller', 'app'];
  const { exitCode, stdout, stderr } = await cli(t, args, { env: { ONETAKE_URL: url } });
  assert.deepEqual([exitCode, stderr], [0, '']);
  assert.equal(
    stdout,
    `model                key    requests   images   spent   retried   fallback     refused   cached (saved)   unknown (possible)   unpriced
openai/gpt-image-2   app         120      119   $4.76     $0.04          -           -                -                    -          -
lab/a,b              =x"y          3        0       -         -          -   2 ($0.04)                -        1 ($0.000012)          2
(nobody asked)       app           9        0       -         -          -           -        9 ($0.36)                    -          -
total                            132      119   $4.76     $0.04          -   2 ($0.04)        9 ($0.36)        1 ($0.000012)          2

2026-11-14 22:00:00 to 2026-11-21 22:00:00 UTC; retried and fallback are parts of spent, possible is not
unpriced attempts are not in the sums, because nobody knows what they cost; where a model has no price, say it in onetake.yaml, under models:
`,
  );
  assert.equal(received[0]?.url, '/v1/costs?by=model%2Ckey&since=7d&until=2026-11-21&caller=app');
});

test('lines for a spreadsheet: nothing to be taken for a formula, no exponents', async (t) => {
  const { url } = await fakeGateway(t, () => ({ body: BODY }));
  const { stdout } = await cli(t, ['costs', '--by', 'model,key', '--csv'], { env: { ONETAKE_URL: url } });
  assert.deepEqual(stdout.split('\n'), [
    'model,key,requests,attempts,images,spent_usd,retried_usd,fallback_usd,refused,refused_usd,cached,saved_usd,unknown,possible_usd,unpriced',
    'openai/gpt-image-2,app,120,121,119,4.76,0.04,0,0,0,0,0,0,0,0',
    `"lab/a,b","'=x""y",3,0,0,0,0,0,2,0.04,0,0,1,0.000012,2`,
    ',app,9,0,0,0,0,0,0,0,9,0.36,0,0,0',
    '',
  ]);
});

test('the JSON as it is, what was cut off, and nothing at all', async (t) => {
  const none = { ...BODY, data: [], total: ZERO };
  const { url } = await fakeGateway(t, ({ url: path }) => ({
    body: path.includes('kind') ? none : { ...BODY, truncated: true },
  }));
  const env = { ONETAKE_URL: url };
  const json = await cli(t, ['costs', '--json'], { env });
  assert.deepEqual(JSON.parse(json.stdout), { ...BODY, truncated: true });
  assert.match(json.stderr, /more groups than one answer holds/);
  const { stdout } = await cli(t, ['costs', '--by', 'kind'], { env });
  assert.equal(stdout, 'nothing was asked for from 2026-11-14 22:00:00 to 2026-11-21 22:00:00 UTC\n');
  assert.equal((await cli(t, ['costs', '--csv', '--json'], { env })).exitCode, 2);
  assert.equal((await cli(t, ['costs', '--by', 'model, key'], { env })).exitCode, 2);
});
