import assert from 'node:assert/strict';
import type { CrashReport } from './crashes.ts';

/** What must hold however often, and whenever, a gateway is killed. Says what it saw of it. */
export function assertNothingLost(report: CrashReport): string {
  const { answers, charges, remembered, unknown } = report;
  assert.deepEqual(
    [...charges].filter(([, charged]) => charged > 1),
    [],
    'charged twice',
  );
  for (const [prompt, { status, headers, body, text }] of answers) {
    const id = String(headers['x-onetake-generation']);
    const generation = remembered.get(id);
    assert.ok(generation, `${prompt}: ${id} was acknowledged and is lost`);
    if (status === 200) {
      assert.equal(body.data?.length, 1, text.slice(0, 300));
      assert.deepEqual([id, generation.status, generation.pictures.length], [id, 'completed', 1]);
      assert.ok((generation.pictures[0] ?? 0) > 100, `${prompt}: its picture is gone`);
    } else {
      assert.deepEqual([status, body.error?.code, generation.status], [424, 'outcome_unknown', 'failed'], text);
      assert.equal(body.onetake?.billed, 'maybe');
      assert.ok(unknown.has(id), `${prompt}: ${id} is not listed as unknown`);
    }
  }
  for (const prompt of charges.keys()) assert.ok(answers.has(prompt), `${prompt}: charged and never answered`);
  const unknownAnswers = [...answers.values()].filter(({ status }) => status === 424).length;
  assert.ok(report.cutOff > 0, 'no kill met a request');
  return `${answers.size} answers, ${report.cutOff} cut off, ${report.attached} attached, ${unknownAnswers} unknown`;
}
