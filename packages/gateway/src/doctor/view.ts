import type { JsonObject, JsonValue } from '@onetake/core';
import type { Diagnosis, Finding, Level } from './check.ts';

/** How many findings there are of each level. */
export function countsOf({ findings }: Pick<Diagnosis, 'findings'>): Readonly<Record<Level, number>> {
  const counts = { ok: 0, skipped: 0, warning: 0, broken: 0 };
  for (const { level } of findings) counts[level] += 1;
  return counts;
}

/** A diagnosis on the wire, in snake_case, with what it comes to in one word. */
export function diagnosisView(diagnosis: Diagnosis): JsonObject {
  const { findings, verdict, at } = diagnosis;
  return {
    object: 'diagnosis',
    verdict,
    health: VERDICTS[verdict],
    at,
    counts: { ...countsOf(diagnosis) },
    findings: findings.map(findingView),
  };
}

export const VERDICTS = { 0: 'healthy', 1: 'warnings', 2: 'broken' } as const;

function findingView(finding: Finding & { readonly check: string }): JsonObject {
  const { check, id, level, subject, message, advice, fix, link, facts } = finding;
  const optional: readonly (readonly [string, JsonValue | undefined])[] = [
    ['subject', subject],
    ['advice', advice],
    ['fix', fix],
    ['link', link],
    ['facts', facts],
  ];
  const given = optional.filter((pair): pair is readonly [string, JsonValue] => pair[1] !== undefined);
  return { check, id, level, message, ...Object.fromEntries(given) };
}
