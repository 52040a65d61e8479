import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli } from '../testing/cli.ts';
import { fakeGateway } from '../testing/fake-gateway.ts';

const AT = Date.UTC(2026, 10, 21, 7, 30);
const BODY = {
  ...{ object: 'list', since: AT - 86_400_000, until: AT },
  data: [
    {
      ...{ count: 12, first_at: AT - 3_600_000, last_at: AT, target: 'openai/gpt-image-2', kind: 'timeout' },
      ...{ code: 'outcome_unknown', message: 'no answer\u001b[31m within 300000 ms', keys: ['app', 'web'] },
      ...{ generation: 'gen_1', advice: 'The named clock ran out.' },
    },
    {
      ...{ count: 1, first_at: AT, last_at: AT, target: null, kind: 'budget', code: null, message: 'too dear' },
      ...{ keys: [], generation: 'gen_2', advice: 'Raise it.' },
    },
  ],
};

test('each failure once, with how often, whose, and what to do', async (t) => {
  const { url, received } = await fakeGateway(t, () => ({ body: BODY }));
  const { exitCode, stdout } = await cli(t, ['failures', '--since', '1d', '--limit', '5'], {
    env: { ONETAKE_URL: url },
  });
  assert.equal(
    stdout,
    `12 × outcome_unknown at openai/gpt-image-2
  no answer [31m within 300000 ms
  2026-11-21 06:30:00 to 2026-11-21 07:30:00 UTC; by app, web; the latest is gen_1
  → The named clock ran out.

1 × budget
  too dear
  2026-11-21 07:30:00 UTC; by -; the latest is gen_2
  → Raise it.
`,
  );
  assert.deepEqual([exitCode, received[0]?.url], [0, '/v1/failures?since=1d&limit=5']);
});

test('--json prints the answer, and where nothing failed that is said', async (t) => {
  const { url } = await fakeGateway(t, () => ({ body: { ...BODY, data: [] } }));
  const env = { ONETAKE_URL: url };
  assert.deepEqual(JSON.parse((await cli(t, ['failures', '--json'], { env })).stdout), { ...BODY, data: [] });
  assert.equal(
    (await cli(t, ['failures'], { env })).stdout,
    'nothing failed from 2026-11-20 07:30:00 to 2026-11-21 07:30:00 UTC\n',
  );
});
