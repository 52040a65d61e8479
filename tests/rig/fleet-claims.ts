import assert from 'node:assert/strict';
import type { FleetReport, FleetTask } from './fleet-crashes.ts';

/** What must hold however often, and whichever, node is killed. Says what it saw of it. */
export function assertFleetKept(report: FleetReport, count: number): string {
  const { tasks, cutOff } = report;
  assert.deepEqual([tasks.length, report.generations, report.leased], [count, count, 0]);
  const none = (what: string, isBad: (task: FleetTask) => boolean) =>
    assert.deepEqual(tasks.filter(isBad).slice(0, 3), [], what);
  none('neither a picture nor an unknown outcome', ({ status, code }) => {
    return status !== 'completed' && !(status === 'failed' && code === 'outcome_unknown');
  });
  none('charged twice', ({ charged }) => charged > 1);
  none('completed and not charged', ({ status, charged }) => status === 'completed' && charged === 0);
  none('sent without a durable attempt', ({ requests, events }) => requests > attemptsOf(events).length);
  none('two workers began the same attempt', ({ events }) => {
    return attemptsOf(events).some((attempt, index) => attempt !== index + 1);
  });
  const completed = tasks.filter(({ status }) => status === 'completed').length;
  const charged = tasks.reduce((sum, task) => sum + task.charged, 0);
  assert.ok(completed <= charged && charged <= count, `${completed} completed, ${charged} charged, ${count} tasks`);
  assert.ok(report.processing > 0, 'no kill met a task');
  const seconds = (report.tookMs / 1_000).toFixed(1);
  return `${completed} completed, ${count - completed} unknown, ${charged} charged, ${report.processing} in hand at the kills, ${cutOff} submits cut off, ${seconds} s`;
}

function attemptsOf(events: FleetTask['events']): readonly number[] {
  return events.flatMap((event) => (event.type === 'attempt-started' ? [event.attempt] : []));
}
