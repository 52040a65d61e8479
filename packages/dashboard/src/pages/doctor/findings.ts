import type { Finding, Level } from '../../api/doctor.ts';

export interface Area {
  readonly check: string;
  readonly title: string;
  /** The gravest of its findings. */
  readonly level: Level;
  readonly findings: readonly Finding[];
}

const GRAVITY: Readonly<Record<Level, number>> = { ok: 1, skipped: 0, warning: 2, broken: 3 };

/** Findings by what was looked at: what is broken first, what is well last, else in the order they were told. */
export function areasOf(findings: readonly Finding[]): readonly Area[] {
  const checks = new Map<string, Finding[]>();
  for (const finding of findings) checks.set(finding.check, [...(checks.get(finding.check) ?? []), finding]);
  const areas = [...checks].map(([check, own]): Area => {
    const sorted = own.toSorted((one, other) => GRAVITY[other.level] - GRAVITY[one.level]);
    return { check, title: titleOf(check), level: sorted[0]?.level ?? 'ok', findings: sorted };
  });
  return areas.toSorted((one, other) => GRAVITY[other.level] - GRAVITY[one.level]);
}

/** `model-access` is `Model access`. */
function titleOf(check: string): string {
  const words = check.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function isWrong({ level }: Pick<Area, 'level'>): boolean {
  return level === 'warning' || level === 'broken';
}

/** What was left out as a whole because providers were not asked, by its title; it is told in one line. */
export function leftOut(findings: readonly Finding[]): readonly string[] {
  return findings.filter(isLeftOut).map(({ message, check }) => message.split(':')[0] ?? check);
}

export function isLeftOut({ id }: Finding): boolean {
  return id.endsWith('.offline');
}
