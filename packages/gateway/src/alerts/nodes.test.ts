import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advance, EMPTY_ALERTS, MAX_SUBJECTS, type SharedAlerts, silence } from './nodes.ts';
import type { OverReading } from './reading.ts';
import { MINUTE, over, samplePolicy } from './testing/policy.ts';

const POLICY = samplePolicy();

function looks(all: readonly (readonly [at: number, node: string, readings: readonly OverReading[]])[]) {
  const told: string[] = [];
  let shared: SharedAlerts = EMPTY_ALERTS;
  for (const [at, node, readings] of all) {
    const done = advance(shared, { node, over: readings, staleMs: MINUTE }, at, POLICY);
    told.push(...done.messages.map(({ change, row }) => `${at / MINUTE} ${node} ${change} ${row.subject}`.trim()));
    shared = done.shared;
  }
  return { told, shared };
}

test('over at one node is over, and well where it is well at all of them', () => {
  const bad = [over()];
  const minutes = Array.from({ length: 20 }, (_, index) => index * MINUTE);
  const { told, shared } = looks(
    minutes.flatMap((at) => [
      [at, 'a', at < 10 * MINUTE ? bad : []] as const,
      [at, 'b', at < 5 * MINUTE ? bad : []] as const,
    ]),
  );
  assert.deepEqual(told, ['1 a fired', '12 a recovered']);
  assert.deepEqual(shared.nodes, {});
});

test('a node that is gone holds nothing for longer than its readings are fresh', () => {
  const { told } = looks([
    [0, 'gone', [over()]],
    [MINUTE, 'gone', [over()]],
    ...Array.from({ length: 10 }, (_, index) => [(2 + index) * MINUTE, 'here', []] as const),
  ]);
  assert.deepEqual(told, ['1 gone fired', '5 here recovered']);
});

test('of several nodes the gravest reading counts', () => {
  const at = (severity: OverReading['severity']) => [over({ rule: 'budget', subject: 'app', severity })];
  const { shared } = looks([
    [0, 'a', at('notice')],
    [1, 'b', at('critical')],
    [2, 'a', at('notice')],
  ]);
  assert.equal(shared.rows[0]?.severity, 'critical');
});

test('beyond the bound the rest of a rule is one subject, and those that are known keep theirs', () => {
  const many = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => over({ rule: 'budget', subject: `key-${from + index}` }));
  const { told, shared } = looks([
    [0, 'a', many(0, 3)],
    [MINUTE, 'a', [...many(3, 50), ...many(0, 3)]],
  ]);
  assert.equal(shared.rows.length, MAX_SUBJECTS + 1);
  const folded = shared.rows.find(({ subject }) => subject === '(others)');
  assert.deepEqual([folded?.value, folded?.message.slice(0, 12)], [0.4, `and ${50 - MAX_SUBJECTS} more:`]);
  assert.ok(['key-0', 'key-1', 'key-2'].every((name) => shared.rows.some(({ subject }) => subject === name)));
  assert.equal(told.filter((one) => one.includes('recovered')).length, 0);
});

test('a silence is set, replaced and ended; ending that of a rule ends those of its subjects', () => {
  const [rule, until] = ['budget', 10] as const;
  const app = silence(EMPTY_ALERTS, { rule, subject: 'app', until }, 0);
  const both = silence(app, { rule, until: 20 }, 0);
  assert.equal(both.silences.length, 2);
  assert.deepEqual(
    silence(both, { rule, subject: 'app', until: 30 }, 0).silences.map((one) => one.until),
    [20, 30],
  );
  assert.deepEqual(silence(both, { rule, subject: 'app', until: 0 }, 0).silences, [{ rule, until: 20 }]);
  assert.deepEqual(silence(both, { rule, until: 5 }, 5).silences, []);
});
