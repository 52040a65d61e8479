import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { measuredOf } from './measured.ts';

const TIMES = { sinceMs: 1_000, atMs: 2_000 };

suite('what prom-client counts, in the terms of OpenTelemetry', () => {
  const registers = [new Registry()];
  const read = async () => measuredOf((await registers[0]?.getMetricsAsJSON()) ?? [], TIMES);
  const ended = new Counter({ name: 'ended_total', help: 'Ended.', labelNames: ['status'], registers });
  ended.inc({ status: 'completed' }, 3);
  new Gauge({ name: 'waiting', help: 'Wait.', registers }).set(-2);
  const lasted = new Histogram({ name: 'lasted', help: 'Last.', labelNames: ['makes'], buckets: [1, 5], registers });
  for (const seconds of [0.5, 0.6, 3, 9]) lasted.observe({ makes: 'pictures' }, seconds);
  lasted.observe({ makes: 'chat' }, 2);
  new Summary({ name: 'told', help: 'Told.', registers }).observe(1);

  test('counters and gauges keep their labels and their values', async () => {
    const [counter, gauge] = await read();
    assert.deepEqual([counter?.type, counter?.points], ['counter', [{ labels: { status: 'completed' }, value: 3 }]]);
    assert.deepEqual([gauge?.type, gauge?.points], ['gauge', [{ labels: {}, value: -2 }]]);
    assert.deepEqual([counter?.sinceMs, counter?.atMs], [1_000, 2_000]);
  });

  test('buckets that add up become buckets of their own, the last one beyond every boundary', async () => {
    const found = (await read()).find(({ name }) => name === 'lasted');
    const [pictures, chat, ...more] = found?.histograms ?? [];
    assert.deepEqual(pictures, {
      ...{ labels: { makes: 'pictures' }, sum: 13.1, count: 4 },
      buckets: { boundaries: [1, 5], counts: [2, 1, 1] },
    });
    assert.deepEqual([chat?.buckets.counts, chat?.count, more], [[0, 1, 0], 1, []]);
  });

  test('summaries are left out', async () => {
    assert.deepEqual(
      (await read()).map(({ name }) => name),
      ['ended_total', 'waiting', 'lasted'],
    );
  });
});
