import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ActiveRules, RULE_NAMES } from '../alerts/rules.ts';
import { ConfigError, type Environment, loadConfig } from '../config.ts';
import { configView } from '../http/config.ts';

const SECRET = `whsec_${Buffer.alloc(32, 'q').toString('base64')}`;
const ADDRESS = 'https://hooks.slack.example/services/T0/B0/verysecret';

function load(t: TestContext, alerts: string, env: Environment = {}) {
  const cwd = mkdtempSync(join(tmpdir(), 'config-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(join(cwd, 'onetake.yaml'), `alerts:\n  ${alerts}\n`);
  try {
    const config = loadConfig({ env, cwd });
    return { ...config.alerts, view: JSON.stringify(configView(config, { defaultModel: undefined })), faults: [] };
  } catch (error) {
    assert(error instanceof ConfigError);
    assert.doesNotMatch(error.message, /verysecret|cXFx/, 'an address or a secret is never shown');
    return { rules: {} as ActiveRules, channels: [], view: '', faults: error.faults };
  }
}

test('nothing set watches everything and tells nobody', (t) => {
  const { rules, channels } = load(t, 'channels: []');
  assert.deepEqual([Object.keys(rules), channels], [RULE_NAMES, []]);
});

test('rules are set, switched off, and on again', (t) => {
  const { rules, faults } = load(
    t,
    'rules: { failure_rate: { above: 30%, for: 10s, window: 10m, min_requests: 50 }, p95_latency: { above: 60s }, disk: off, budget: on, model_retiring: { below: 60 }, queue_age: { above: 5m } }',
  );
  assert.deepEqual(faults, []);
  const { failure_rate: rate } = rules;
  assert.deepEqual([rate?.levels[0].at, rate?.forMs, rate?.windowMs, rate?.minRequests], [0.3, 10_000, 600_000, 50]);
  assert.equal(rules.p95_latency?.levels[0].at, 60_000);
  assert.equal(rules.disk, undefined);
  assert.equal(rules.budget?.levels.length, 3);
  assert.equal(rules.model_retiring?.levels[0].at, 60);
});

test('channels have an address of the file or of a variable, and it is in no view', (t) => {
  const { channels, view, faults } = load(
    t,
    `channels: [{ name: ops, kind: slack, url: "${ADDRESS}" }, { name: chat, kind: discord, url_env: CHAT_URL }, { name: own, kind: webhook, url: "http://10.0.0.7/alerts", secret_env: OWN_SECRET }]`,
    { CHAT_URL: ADDRESS, OWN_SECRET: SECRET },
  );
  assert.deepEqual(faults, []);
  assert.deepEqual(
    channels.map(({ name, kind, url, secret }) => [name, kind, url, secret]),
    [
      ['ops', 'slack', ADDRESS, undefined],
      ['chat', 'discord', ADDRESS, undefined],
      ['own', 'webhook', 'http://10.0.0.7/alerts', SECRET],
    ],
  );
  assert.match(view, /"channels":\[\{"name":"ops","kind":"slack"\}/);
  assert.doesNotMatch(view, /verysecret|hooks\.slack|10\.0\.0\.7|cXFx/);
});

test('everything wrong is told with a way out, and nothing of an address', (t) => {
  const wrong = (alerts: string, env: Environment = {}) => load(t, alerts, env).faults.join('\n');
  assert.match(
    wrong('rules: { failure_rate: { above: 300% } }'),
    /failure_rate\.above: expected a share.*default is 20 %/,
  );
  assert.match(wrong('rules: { failure_rate: { below: 0.1 } }'), /failure_rate\.below: expected above, got below/);
  assert.match(
    wrong('rules: { failure_rate: { for: soon } }'),
    /failure_rate\.for: expected a duration from 0s to 1d.*, got "soon"/,
  );
  assert.match(wrong('rules: { disk: { abov: 90% } }'), /disk\.abov: expected one of above, .*did you mean "above"\?/);
  assert.match(wrong('rules: { disk: loud }'), /rules\.disk: expected on, off, or a map of .*, got "loud"/);
  assert.match(
    wrong('rules: { failure_rat: off }'),
    /failure_rat: expected one of failure_rate, .*did you mean "failure_rate"/,
  );
  assert.match(wrong('rules: { budget: { window: 5m } }'), /budget\.window: expected nothing.*remove the line/);
  assert.match(
    wrong('rules: { p95_latency: { window: 1d } }'),
    /p95_latency\.window: expected a duration from 1m to 1h/,
  );
  assert.match(wrong(`channels: ["${ADDRESS}"]`), /channels\.0: expected a map of name.*not shown/);
  assert.match(wrong(`channels: "${ADDRESS}"`), /channels: expected a list.*not shown/);
  assert.match(wrong(`channels: [{ name: a, kind: slack, url: "${ADDRESS.replace('https', 'ftp')}" }]`), /not shown/);
  assert.match(wrong(`channels: [{ name: a, kind: slack, url_env: "${ADDRESS}" }]`), /name of an environment variable/);
  assert.match(wrong('channels: [{ name: a, kind: slack }]'), /expected url or url_env, got neither/);
  assert.match(wrong(`channels: [{ name: a, kind: slack, url: "${ADDRESS}", url_env: A }]`), /got both/);
  assert.match(wrong('channels: [{ name: a, kind: slack, url_env: NOT_SET }]'), /NOT_SET to be set, got nothing/);
  assert.match(wrong(`channels: [{ name: a, kind: webhook, url: "${ADDRESS}" }]`), /secret_env.*openssl rand/);
  assert.match(
    wrong(`channels: [{ name: a, kind: webhook, url: "${ADDRESS}", secret_env: S }]`, { S: 'short-verysecret' }),
    /S: expected whsec_.*not shown/,
  );
  assert.match(
    wrong(`channels: [{ name: a, kind: slack, url: "${ADDRESS}", secret_env: S }]`, { S: SECRET }),
    /takes no secret/,
  );
  assert.match(wrong(`channels: [{ name: a, kind: slack, url: "${ADDRESS}", token: x }]`), /token: expected/);
  assert.match(
    wrong(`channels: [{ name: a, kind: slack, url: "${ADDRESS}" }, { name: a, kind: slack, url: "${ADDRESS}" }]`),
    /channels\.1\.name: expected a name that no other/,
  );
});
