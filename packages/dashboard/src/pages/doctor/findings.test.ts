import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding, Level } from '../../api/doctor.ts';
import { areasOf, leftOut } from './findings.ts';

test('what is broken is told first, within its area and among them', () => {
  const finding = (check: string, level: Level): Finding => ({
    check,
    level,
    id: `${check}.${level}`,
    message: 'so it is',
  });
  const told = [
    ...[finding('config', 'ok'), finding('model-access', 'skipped'), finding('model-access', 'warning')],
    ...[finding('data', 'broken'), finding('data', 'ok')],
  ];
  assert.deepEqual(
    areasOf(told).map(({ title, level, findings }) => [title, level, findings.map((one) => one.level)]),
    [
      ['Data', 'broken', ['broken', 'ok']],
      ['Model access', 'warning', ['warning', 'skipped']],
      ['Config', 'ok', ['ok']],
    ],
  );
});

test('what was left out is told by its title', () => {
  const finding: Finding = {
    check: 'reach',
    id: 'reach.offline',
    level: 'skipped',
    message: 'way to providers: not looked at',
  };
  assert.deepEqual(leftOut([finding, { ...finding, id: 'reach.ok', level: 'ok' }]), ['way to providers']);
});
