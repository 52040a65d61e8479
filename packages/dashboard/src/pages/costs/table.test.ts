import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CostRow } from '../../api/costs.ts';
import { csvOf, instantOf, overTime, viewOf } from './table.ts';

const row = (given: Partial<CostRow>): CostRow => ({
  ...{
    requests: 1,
    attempts: 1,
    images: 1,
    spent_usd: 0.04,
    retried_usd: 0,
    fallback_usd: 0,
    refused: 0,
    refused_usd: 0,
  },
  ...{ cached: 0, saved_usd: 0, unknown: 0, possible_usd: 0, unpriced: 0 },
  ...given,
});

test('an address that asks for what is not there shows what is usual', () => {
  assert.deepEqual(viewOf(new URLSearchParams('')), { since: '7d', by: ['model'] });
  assert.deepEqual(viewOf(new URLSearchParams('period=eternity&by=key,soul,model')), {
    since: '7d',
    by: ['model', 'key'],
  });
  assert.deepEqual(viewOf(new URLSearchParams('period=24h&by=')), { since: '24h', by: [] });
});

test('a chart has every day, also those on which nothing was spent', () => {
  const rows = [row({ day: '2026-11-18', spent_usd: 1 }), row({ day: '2026-11-20', spent_usd: 2, possible_usd: 3 })];
  const stretch = { since: Date.parse('2026-11-17T12:00:00Z'), until: Date.parse('2026-11-21T00:00:00Z') };
  const { at, spent, possible } = overTime(rows, 'day', stretch);
  assert.deepEqual(
    at.map((one) => new Date(one).toISOString().slice(0, 10)),
    ['2026-11-17', '2026-11-18', '2026-11-19', '2026-11-20'],
  );
  assert.deepEqual(
    [spent, possible],
    [
      [0, 1, 0, 2],
      [0, 0, 0, 3],
    ],
  );
  assert.equal(overTime([], 'hour', { since: 0, until: Date.now() }).at.length, 400);
});

test('groups of time are of UTC', () => {
  assert.equal(instantOf('2026-11-21'), Date.UTC(2026, 10, 21));
  for (const hour of ['2026-11-21T14', '2026-11-21T14:00Z', '2026-11-21T14:00:00Z']) {
    assert.equal(instantOf(hour), Date.UTC(2026, 10, 21, 14));
  }
});

test('a spreadsheet takes no name for a formula, nor a comma for a cell', () => {
  const csv = csvOf([row({ model: '=cmd()' }), row({ model: 'a,"b"' }), row({ model: null })], ['model']);
  const [head, ...lines] = csv.trim().split('\r\n');
  assert.match(head ?? '', /^model,requests,.*,unpriced$/);
  assert.deepEqual(
    lines.map((line) => line.slice(0, 12)),
    ["'=cmd(),1,1,", '"a,""b""",1,', ',1,1,1,0.04,'],
  );
});
