/** Alerts, from requests that fail to what arrives in a channel: once for each change, and nothing while silenced. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { RULE_NAMES } from '../packages/gateway/src/alerts/rules.ts';
import { alertReceiver, manyRequests, onlyRules } from './rig/alert-receiver.ts';
import { call } from './rig/call.ts';
import { ONETAKE, type RunningGateway, startGateway } from './rig/gateway.ts';
import { until } from './rig/poll.ts';
import { runFile } from './rig/processes.ts';

const SECRET = `whsec_${Buffer.alloc(32, 'k').toString('base64')}`;
const TOKEN = 'T0-B0-verysecret';

function yaml(url: string, rules: Readonly<Record<string, string>>): string {
  return `
alerts:
  every: 100ms
  recover_after: 300ms
  rules:
${onlyRules(rules)}
  channels:
    - { name: hook, kind: webhook, url: "${url}/hook", secret_env: HOOK_SECRET }
    - { name: slack, kind: slack, url_env: SLACK_URL }
    - { name: wrong, kind: discord, url: "${url}/refuse/${TOKEN}" }
`;
}

function start(url: string, rules: Readonly<Record<string, string>>): Promise<RunningGateway> {
  const env = { HOOK_SECRET: SECRET, SLACK_URL: `${url}/slack/${TOKEN}` };
  return startGateway({ yaml: yaml(url, rules), env });
}

async function onetake({ url, home, dataDir }: RunningGateway, ...args: string[]) {
  const running = runFile(ONETAKE, args, { cwd: home, env: { ONETAKE_URL: url, ONETAKE_DATA: dataDir } });
  const exitCode = await running.ended();
  return { exitCode, stdout: running.stdout(), stderr: running.stderr() };
}

async function rowOf({ url }: RunningGateway, rule: string) {
  const { body } = await call(`${url}/v1/alerts`);
  return body.data?.find((row) => row.rule === rule);
}

test('the guide has every rule', () => {
  const guide = readFileSync('docs/guide/alerts.md', 'utf8');
  assert.deepEqual(
    RULE_NAMES.filter((name) => !guide.includes(`| \`${name}\` |`)),
    [],
  );
});

suite('alerts', () => {
  test('dozens of failing requests are one message in each channel, and healthy ones one recovery', async (t) => {
    const { url, received, changes } = await alertReceiver(t);
    const rules = { failure_rate: '{ above: 50%, for: 0s, window: 2m }' };
    const gateway = await start(url, rules);
    t.after(() => gateway.close());
    const failed = await manyRequests(gateway.url, 'sandbox/500', 60);
    assert.equal(failed.get(200), undefined);
    await until('an alert', async () => changes('/hook').length > 0);
    await pause(500);
    assert.deepEqual(changes('/hook'), ['alert.fired failure_rate']);
    const slack = received.filter(({ path }) => path === `/slack/${TOKEN}`);
    assert.match(JSON.parse(slack[0]?.body ?? '{}').text, /^\*Alert \(critical\): 100 % of \d+ requests failed/);
    assert.equal(slack.length, 1);
    const [signed] = received.filter(({ path }) => path === '/hook');
    assert.ok(new Webhook(SECRET).verify(signed?.body ?? '', signed?.headers ?? {}));
    assert.equal((await rowOf(gateway, 'failure_rate'))?.state, 'firing');
    const now = await call(`${gateway.url}/v1/now`);
    assert.deepEqual(
      (now.body.alerts as { rule: string }[]).map(({ rule }) => rule),
      ['failure_rate'],
    );

    await manyRequests(gateway.url, 'sandbox/ok', 70);
    await until('a recovery', async () => changes('/hook').length > 1);
    await pause(500);
    assert.deepEqual(changes('/hook'), ['alert.fired failure_rate', 'alert.recovered failure_rate']);
    assert.equal((await rowOf(gateway, 'failure_rate'))?.state, 'ok');
    assert.equal((await call(`${gateway.url}/v1/config`)).text.includes(TOKEN), false);
    assert.doesNotMatch(gateway.process.stderr(), new RegExp(TOKEN));
  });

  test('what one target does again and again is one message, and silence holds it back until it ends', async (t) => {
    const { url, changes } = await alertReceiver(t);
    const gateway = await start(url, { repeated_failure: 'on', breaker_open: '{ for: 0s }' });
    t.after(() => gateway.close());
    const silence = (minutes: number) =>
      call(`${gateway.url}/v1/alerts/silence`, { body: { rule: 'repeated_failure', minutes } });
    assert.ok(Number((await silence(60)).body.silenced_until) > Date.now());
    await manyRequests(gateway.url, 'sandbox/empty', 6, 1);
    await until('a row', async () => (await rowOf(gateway, 'repeated_failure'))?.state === 'silenced');
    await pause(400);
    assert.deepEqual(changes('/hook'), []);
    const ended = await silence(0);
    assert.deepEqual([ended.status, ended.body.silenced_until], [200, null]);
    await until('an alert', async () => changes('/hook').length > 0);
    await pause(400);
    assert.deepEqual(changes('/hook'), ['alert.fired repeated_failure']);
    await assertTested(gateway, changes);
    await assertRefused(gateway);
  });
});

/** A test goes to every channel, and says what each answered. */
async function assertTested(gateway: RunningGateway, changes: (path: string) => readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await onetake(gateway, 'alerts', 'test');
  assert.equal(exitCode, 1);
  assert.match(stdout, /hook\s+took it \(200\)\nslack\s+took it \(200\)\nwrong\s+did not take it: status 404/);
  assert.doesNotMatch(stdout + stderr, new RegExp(TOKEN));
  assert.equal(changes('/hook').at(-1), 'alert.test hook');
  const one = await call(`${gateway.url}/v1/alerts/test`, { body: { channel: 'hook' } });
  assert.deepEqual(one.body.results, [{ channel: 'hook', ok: true, status: 200 }]);
}

async function assertRefused({ url }: RunningGateway): Promise<void> {
  const none = await call(`${url}/v1/alerts/test`, { body: { channel: 'hok' } });
  assert.deepEqual([none.status, none.body.error?.code], [404, 'not_found']);
  assert.match(none.body.error?.message ?? '', /there is hook, slack, wrong/);
  for (const [body, param] of [
    [{ rule: 'failure_rat', minutes: 1 }, 'rule'],
    [{ rule: 'disk', minutes: 10_081 }, 'minutes'],
    [{ rule: 'disk', minutes: 1, subject: 7 }, 'subject'],
  ] as const) {
    const wrong = await call(`${url}/v1/alerts/silence`, { body });
    assert.deepEqual([wrong.status, wrong.body.error?.code, wrong.body.error?.param], [400, 'invalid_value', param]);
  }
}
