import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cli } from '../testing/cli.ts';
import { fakeGateway, type Received, type Reply } from '../testing/fake-gateway.ts';

const ALERTS = {
  object: 'list',
  data: [
    {
      ...{ rule: 'failure_rate', subject: '', state: 'firing', severity: 'critical', since: 1_795_314_031_000 },
      ...{ value: 0.63, threshold: 0.5, unit: 'share', message: '63 % of\u001b[31m 120 requests failed' },
      ...{ advice: 'look', notified_at: 1_795_314_031_000, silenced_until: 4_102_444_800_000 },
    },
    { rule: 'disk', subject: 'data directory', state: 'ok', value: 0.4, unit: 'share', message: null },
  ],
  channels: [{ name: 'ops', kind: 'slack' }],
  rules: [],
};

async function alerts(t: TestContext, args: readonly string[], reply: (request: Received) => Reply) {
  const { url, received } = await fakeGateway(t, reply);
  const run = await cli(t, ['alerts', ...args], { env: { ONETAKE_URL: url } });
  return { ...run, asked: received.map(({ method, url: path, body }) => `${method} ${path} ${body}`.trim()) };
}

test('list shows what is wrong, what is well, and who is told', async (t) => {
  const { exitCode, stdout, asked } = await alerts(t, [], () => ({ body: ALERTS }));
  assert.deepEqual([exitCode, asked], [0, ['GET /v1/alerts']]);
  assert.match(stdout, /failure_rate\s+-\s+firing \(critical\), silent until 2100-01-01 00:00:00\s+63 %\s+2026-11-22/);
  assert.match(stdout, /disk\s+data directory\s+ok\s+40 %/);
  assert.match(stdout, /told to ops \(slack\)/);
  assert.equal(stdout.includes('\u001b'), false);
  const nobody = await alerts(t, ['list'], () => ({ body: { ...ALERTS, channels: [] } }));
  assert.match(nobody.stdout, /told to nobody: alerts\.channels/);
});

test('test says what each channel answered, and fails where one did not take it', async (t) => {
  const ok = { channel: 'ops', ok: true, status: 200 };
  const well = await alerts(t, ['test', '--channel', 'ops'], () => ({ body: { results: [ok] } }));
  assert.deepEqual([well.exitCode, well.asked], [0, ['POST /v1/alerts/test {"channel":"ops"}']]);
  const failed = { channel: 'chat', ok: false, error: 'status 404' };
  const one = await alerts(t, ['test'], () => ({ body: { results: [ok, failed] } }));
  assert.equal(one.exitCode, 1);
  assert.match(one.stdout, /ops\s+took it \(200\)\nchat\s+did not take it: status 404/);
  const none = await alerts(t, ['test'], () => ({ body: { results: [] } }));
  assert.deepEqual([none.exitCode, /has no channel/.test(none.stderr)], [1, true]);
});

test('silence asks for so many minutes, and 0m ends it', async (t) => {
  const silent = { body: { rule: 'disk', silenced_until: 4_102_444_800_000 } };
  const two = await alerts(t, ['silence', 'disk', '--for', '2h', '--subject', 'data directory'], () => silent);
  assert.deepEqual(two.asked, ['POST /v1/alerts/silence {"rule":"disk","minutes":120,"subject":"data directory"}']);
  assert.match(two.stdout, /disk of data directory is silent until 2100-01-01/);
  const ended = await alerts(t, ['silence', 'disk', '--for', '0m'], () => ({ body: { silenced_until: null } }));
  assert.deepEqual(ended.asked, ['POST /v1/alerts/silence {"rule":"disk","minutes":0}']);
  assert.match(ended.stdout, /disk is told again/);
  const wrong = await alerts(t, ['silence', 'disk', '--for', '90s'], () => silent);
  assert.deepEqual([wrong.exitCode, wrong.asked], [2, []]);
});
