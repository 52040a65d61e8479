import assert from 'node:assert/strict';
import type { KilledBatch } from './batches.ts';

/** What must hold however often, and whenever, a batch is killed. Says what it saw of it. */
export function assertBatchKept(killed: KilledBatch, lines: number): string {
  const { report, exitCode, pictureBytes, charges, open, tookMs } = killed;
  const unknown = report.unknown.length;
  assert.deepEqual([report.ended_by, report.pictures + unknown], ['done', lines], JSON.stringify(report));
  assert.equal(exitCode, unknown === 0 ? 0 : 1);
  assert.equal(pictureBytes.length, report.pictures);
  assert.ok(pictureBytes.every((bytes) => bytes > 100));
  assert.deepEqual([...new Set(report.unknown.map(({ code }) => code))], unknown === 0 ? [] : ['outcome_unknown']);
  assert.deepEqual(
    [...charges].filter(([, charged]) => charged > 1),
    [],
    'charged twice',
  );
  const charged = [...charges.values()].reduce((sum, one) => sum + one, 0);
  assert.ok(report.pictures <= charged && charged <= report.pictures + unknown, `${charged} charged`);
  assert.ok(open > 0, 'no kill met an open line');
  const seconds = (tookMs / 1_000).toFixed(1);
  return `${report.pictures} pictures, ${unknown} unknown, ${charged} charged, ${open} open at the kills, ${seconds} s`;
}
