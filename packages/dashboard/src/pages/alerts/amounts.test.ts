import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertRow, AlertRule } from '../../api/alerts.ts';
import { amountText, byUrgency, conditionText, standingOf } from './amounts.ts';

const rule = (given: Partial<AlertRule>): AlertRule => ({
  ...{ name: 'failure_rate', on: true, is: 'above', above: 0.2, unit: 'share' },
  ...{ for_ms: 120_000, window_ms: 300_000, what: 'so many failed' },
  ...given,
});

test('a rule in words, by its unit, above or below', () => {
  assert.equal(conditionText(rule({})), '20 % or more within 5 min, for 2 min');
  const slow = rule({ unit: 'ms', above: 180_000, for_ms: 0 });
  assert.equal(conditionText(slow), '3 min or more within 5 min, at once');
  const retiring = rule({ unit: 'days', is: 'below', above: 30, for_ms: 0, window_ms: null });
  assert.equal(conditionText(retiring), '30 days or less, at once');
  assert.deepEqual([amountText(3, 'count'), amountText(0.5, 'share'), amountText(null, 'ms')], ['3', '50 %', '–']);
});

const row = (given: Partial<AlertRow>): AlertRow => ({
  ...{
    rule: 'disk',
    subject: '',
    state: 'ok',
    severity: null,
    since: null,
    value: null,
    threshold: null,
    unit: 'share',
  },
  ...{ message: null, advice: null, notified_at: null, silenced_until: null },
  ...given,
});

test('a rule stands as the subject that is nearest to its threshold', () => {
  const rows = [row({ value: 0.7, silenced_until: 5 }), row({ value: 0.1 }), row({ rule: 'budget', value: 0.9 })];
  assert.deepEqual(standingOf({ name: 'disk', is: 'above' }, rows), { value: 0.7, silencedUntil: 5 });
  assert.deepEqual(standingOf({ name: 'disk', is: 'below' }, rows), { value: 0.1, silencedUntil: 5 });
  assert.deepEqual(standingOf({ name: 'queue_age', is: 'above' }, rows), { value: null, silencedUntil: null });
});

test('what fires comes first, and of it the gravest', () => {
  const stood = (state: AlertRow['state'], severity: AlertRow['severity'], since: number) =>
    row({ state, severity, since, subject: `${state} ${severity} ${since}` });
  const rows = [stood('ok', 'critical', 1), stood('silenced', 'critical', 1), stood('firing', 'warning', 1)];
  const sorted = byUrgency([
    ...rows,
    stood('firing', 'critical', 9),
    stood('firing', 'critical', 3),
    stood('pending', 'notice', 1),
  ]);
  assert.deepEqual(
    sorted.map(({ subject }) => subject),
    [
      'firing critical 3',
      'firing critical 9',
      'firing warning 1',
      'pending notice 1',
      'silenced critical 1',
      'ok critical 1',
    ],
  );
});
