/** What Prometheus, Grafana and the page are told, by a gateway that has worked, held against what they ask for. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, suite, test } from 'node:test';
import { parse } from 'yaml';
import { createMetrics } from '../packages/gateway/src/metrics/metrics.ts';
import { type Family, parseExposition } from '../packages/gateway/src/metrics/testing/exposition.ts';
import { call, generate } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';

const YAML = `
routes: { two: [sandbox/500, sandbox/good], free: [sandbox/ok] }
limits: { sandbox/good: { images: 100/60s, concurrency: 4 } }
`;
const DASHBOARD = 'deploy/grafana/onetake.json';
const RULES = 'deploy/prometheus/rules.yaml';

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const rules = (): readonly Rule[] =>
  (parse(readFileSync(RULES, 'utf8')) as { groups: { name: string; rules: Rule[] }[] }).groups.flatMap(
    (group) => group.rules,
  );

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; definition?: string }[];
  };
}

const dashboard = (): Dashboard => JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard;

/** Series that nothing of ours tells, which Prometheus makes. */
const OF_PROMETHEUS = ['up', 'job', 'instance'];

function namesIn(expression: string): readonly string[] {
  return expression.replace(/"[^"]*"/g, '""').match(/\bonetake(?::[a-z0-9_:]+|_[a-z0-9_]+)/g) ?? [];
}

/** What stands in selectors, `by`, `on` and `ignoring`. */
function labelsIn(expression: string): readonly string[] {
  const bare = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const selected = [...bare.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) =>
    [...inside.matchAll(/([a-zA-Z_]\w*)\s*[=!]/g)].map(([, label = '']) => label),
  );
  const grouped = [...bare.matchAll(/\b(?:by|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, inside = '']) =>
    inside.split(',').map((label) => label.trim()),
  );
  return [...selected, ...grouped];
}

/** Of all expressions there are. */
function checkAsked(families: readonly Family[]): void {
  const recorded = new Set(rules().flatMap(({ record }) => record ?? []));
  const known = new Set(
    families.flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
  const { families: ours } = createMetrics({ version: '', targets: [] });
  const labels = new Set([...OF_PROMETHEUS, 'le', ...ours.flatMap((one) => one.labels)]);
  const panels = dashboard().panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const variables = dashboard().templating.list.flatMap(({ definition }) => definition ?? []);
  const asked = [...panels, ...variables, ...rules().map(({ expr }) => expr)];
  assert.ok(asked.length > 60);
  for (const expression of asked) {
    const names = namesIn(expression);
    assert.ok(names.length > 0 || expression.startsWith('up{'), `${expression} asks for nothing of ours`);
    for (const name of names) assert.ok(known.has(name) || recorded.has(name), `${name} of ${expression}`);
    for (const label of labelsIn(expression)) assert.ok(labels.has(label), `label ${label} of ${expression}`);
  }
}

suite('metrics', () => {
  let gateway: RunningGateway;
  let text: string;
  let families: readonly Family[];

  before(async () => {
    gateway = await startGateway({ yaml: YAML });
    for (const model of ['two', 'sandbox/good', 'sandbox/policy', 'sandbox/500']) {
      await generate(gateway.url, { model, prompt: `a fox for ${model}` });
    }
    for (const headers of [{ 'x-onetake-cache': 'on' }, { 'idempotency-key': 'again' }])
      await askTwice(gateway, headers);
    await call(`${gateway.url}/v1/no-such-thing`);
    const answer = await call(`${gateway.url}/metrics`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
    text = answer.text;
    families = parseExposition(text);
  });
  test.after(() => gateway.close());

  const valuesOf = (name: string, labels: Readonly<Record<string, string>>) =>
    families
      .flatMap(({ samples }) => samples)
      .filter((one) => one.name === name && Object.entries(labels).every(([label, of]) => one.labels[label] === of))
      .map(({ value }) => value);

  test('what happened is told in the text format, and nothing that was said is in it', () => {
    assert.deepEqual(valuesOf('onetake_requests_total', { status: 'completed' }), [4]);
    assert.deepEqual(valuesOf('onetake_answered_before_total', { by: 'cache' }), [1]);
    assert.deepEqual(valuesOf('onetake_answered_before_total', { by: 'idempotency' }), [1]);
    assert.deepEqual(valuesOf('onetake_requests_total', { code: 'content_policy_violation' }), [1]);
    assert.deepEqual(valuesOf('onetake_images_total', { target: 'sandbox/good' }), [2]);
    assert.deepEqual(valuesOf('onetake_repeated_attempts_total', { role: 'fallback' }), [1]);
    assert.deepEqual(valuesOf('onetake_limit_allowed', { dimension: 'images', target: 'sandbox/good' }), [100]);
    assert.deepEqual(valuesOf('onetake_http_requests_total', { route: 'none', status: '404' }), [1]);
    assert.deepEqual(valuesOf('onetake_store_up', {}), [1]);
    assert.ok((valuesOf('onetake_spent_today_usd', {})[0] ?? 0) >= 0.08);
    assert.doesNotMatch(text, /a fox|gen_|req_/);
    assert.deepEqual(
      families.filter(({ name }) => !name.startsWith('onetake_')),
      [],
    );
  });

  test('every metric and label that the dashboard or a rule asks for is there', () => {
    checkAsked(families);
  });

  test('how things stand, and as it changes', async () => {
    const { body } = await call(`${gateway.url}/v1/now`);
    assert.equal(body.object, 'now');
    const { requests, series, limits } = body as unknown as Now;
    assert.deepEqual(requests, { ended: 6, completed: 4, failed: 1, refused: 1, canceled: 0, success_rate: 4 / 5 });
    assert.equal(series.length, 60);
    assert.equal(
      series.reduce((sum, { images }) => sum + images, 0),
      4,
    );
    assert.ok(limits.some((one) => one.target === 'sandbox/good' && one.dimension === 'images' && one.count === 100));
    const stream = await fetch(`${gateway.url}/v1/now/events`);
    assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/);
    const told = await firstEvent(stream);
    assert.deepEqual(JSON.parse(told).requests, requests);
  });
});

async function askTwice({ url }: RunningGateway, headers: Readonly<Record<string, string>>): Promise<void> {
  for (let times = 0; times < 2; times += 1) {
    const { status } = await generate(url, { model: 'free', prompt: 'twice' }, { headers });
    assert.equal(status, 200);
  }
}

interface Now {
  readonly requests: Readonly<Record<string, number>>;
  readonly series: readonly { readonly images: number }[];
  readonly limits: readonly { readonly target: string; readonly dimension: string; readonly count: number }[];
}

/** Its data; hangs up then. */
async function firstEvent({ body }: Response): Promise<string> {
  let text = '';
  for await (const bytes of body ?? []) {
    text += new TextDecoder().decode(bytes);
    const [, data] = /^event: now\ndata: (.*)\n\n/m.exec(text) ?? [];
    if (data !== undefined) return data;
  }
  throw new Error('the stream ended before its first event');
}

test('rules have a duration, a severity, a summary and what to do, and no name twice', () => {
  const names = rules().map(({ record, alert }) => record ?? alert);
  assert.equal(new Set(names).size, names.length);
  for (const { record, alert, expr, for: lasting, labels, annotations } of rules()) {
    assert.ok(expr.trim() !== '' && (record === undefined) !== (alert === undefined), expr);
    if (record !== undefined) assert.match(record, /^onetake:[a-z0-9_]+:[a-z0-9_]+$/);
    if (alert === undefined) continue;
    assert.match(alert, /^Onetake[A-Z][A-Za-z]+$/);
    assert.match(lasting ?? '', /^\d+[smh]$/, alert);
    assert.match(labels?.severity ?? '', /^(?:info|warning|critical)$/, alert);
    for (const field of ['summary', 'runbook'])
      assert.ok((annotations?.[field] ?? '').length > 20, `${alert}: ${field}`);
  }
});

test('the dashboard can be imported: its data source is a variable, and no panel has the id of another', () => {
  const { uid, panels, templating } = dashboard();
  assert.equal(uid, 'onetake');
  assert.deepEqual(templating.list[0] && [templating.list[0].name, templating.list[0].type], [
    'datasource',
    'datasource',
  ]);
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title);
  for (const row of ['Requests', 'Failures', 'Latency', 'Queue', 'Limits', 'Money', 'Breakers'])
    assert.ok(rows.includes(row));
  const sources = JSON.stringify(panels).match(/"uid":"[^"]*"/g) ?? [];
  const variable = ['$', '{datasource}'].join('');
  assert.deepEqual([...new Set(sources)], [`"uid":"${variable}"`]);
});

test('the guide lists every metric of ours as it is', () => {
  const { families } = createMetrics({ version: '', targets: [] });
  const wanted = families.map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  const guide = readFileSync('docs/guide/metrics.md', 'utf8').split('\n');
  assert.deepEqual(
    guide.filter((line) => line.startsWith('| `onetake_')),
    wanted,
    wanted.join('\n'),
  );
});
