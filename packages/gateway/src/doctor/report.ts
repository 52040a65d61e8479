import { plain, wrapped } from '../cli/text.ts';
import type { Check, Diagnosis, Finding, Level } from './check.ts';
import { countsOf } from './view.ts';

export interface ReportOptions {
  /** Prints commands and lines that would mend what was found. */
  readonly fixHints?: boolean;
  /** Characters in a line. Default 100. */
  readonly width?: number;
  /** How a heading is shown; plain where it is left out. */
  readonly heading?: (text: string) => string;
}

/** Told apart without colour, and in a terminal without these characters by their words. */
const MARKS: Readonly<Record<Level, string>> = { ok: '✓', skipped: '·', warning: '!', broken: '✗' };
/** Of what is well, or could not be looked at, in one check. */
const MAX_SHOWN = 4;
const WIDTH = 100;

/** A diagnosis as people read it: by check, what is wrong with what to do, and one closing line. */
export function reportText(diagnosis: Diagnosis, checks: readonly Check[], options: ReportOptions = {}): string {
  const sections = checks.map((check) => ({
    check,
    found: diagnosis.findings.filter((finding) => finding.check === check.id),
  }));
  const lines: string[] = [];
  let wasWrong = false;
  for (const { check, found } of sections) {
    if (found.length === 0 || isLeftOut(found)) continue;
    const isWrong = found.some(({ level }) => level === 'warning' || level === 'broken');
    // What is wrong stands apart; what is well is a list.
    if (lines.length > 0 && (isWrong || wasWrong)) lines.push('');
    lines.push(...(isWrong ? wrongLines(check, found, options) : wellLines(check, found, options)));
    wasWrong = isWrong;
  }
  for (const [why, words] of LEFT_OUT) {
    const titles = sections.filter(({ found }) => isLeftOut(found, why)).map(({ check }) => check.title);
    if (titles.length > 0)
      lines.push('', ...wrapped(titles.join(', '), `not looked at (${words}): `, '  ', lineWidth(options)));
  }
  return `${[...lines, '', closing(diagnosis, options)].join('\n')}\n`;
}

function lineWidth({ width = WIDTH }: ReportOptions): number {
  return width;
}

function wellLines({ title }: Check, found: readonly Finding[], options: ReportOptions): readonly string[] {
  const { heading = (text: string) => text } = options;
  const mark = found.some(({ level }) => level === 'ok') ? MARKS.ok : MARKS.skipped;
  const shown = found.slice(0, MAX_SHOWN).map(({ message }) => message);
  const more = found.length > MAX_SHOWN ? [`${found.length - MAX_SHOWN} more of the kind`] : [];
  const [first = '', ...rest] = wrapped(
    [...shown, ...more].join('; '),
    `${mark} ${title}: `,
    '    ',
    lineWidth(options),
  );
  return [first.replace(title, heading(title)), ...rest];
}

function wrongLines({ title }: Check, found: readonly Finding[], options: ReportOptions): readonly string[] {
  const { heading = (text: string) => text } = options;
  const isTold = ({ level }: Finding) => level === 'warning' || level === 'broken';
  const told = found.filter(isTold);
  const rest = found.filter((finding) => !isTold(finding)).slice(0, MAX_SHOWN);
  // Three names that are not known are three lines, and one thing to do.
  const alike = told.map(({ advice = '' }) => advice).filter((advice, index, all) => all.indexOf(advice) === index);
  const groups = alike.map((advice) => told.filter((finding) => (finding.advice ?? '') === advice));
  return [heading(title), ...[...groups, ...rest.map((one) => [one])].flatMap((group) => groupLines(group, options))];
}

/** Why whole checks were left out, by how the id of their one finding ends: one line for all of them. */
const LEFT_OUT = [
  ['.unread', 'until the configuration can be read'],
  ['.offline', '--offline'],
] as const;

function isLeftOut([first, ...others]: readonly Finding[], why?: string): boolean {
  if (first === undefined || others.length > 0) return false;
  return LEFT_OUT.some(([end]) => first.id.endsWith(end) && (why === undefined || why === end));
}

/** Findings with the same advice: each in a line, and then what to do once. */
function groupLines(group: readonly Finding[], options: ReportOptions): readonly string[] {
  const width = lineWidth(options);
  const [first] = group;
  const isTold = first?.level === 'warning' || first?.level === 'broken';
  const links = new Set(group.flatMap(({ link }) => link ?? []));
  const fixes = new Set(group.flatMap(({ fix }) => fix?.split('\n') ?? []));
  return [
    ...group.flatMap(({ level, message }) => wrapped(message, `  ${MARKS[level]} `, '    ', width)),
    ...(first?.advice !== undefined && isTold ? wrapped(first.advice, '    → ', '      ', width) : []),
    ...(isTold ? [...links].map((link) => `      ${plain(link)}`) : []),
    ...(options.fixHints ? [...fixes].map((line) => `      ${plain(line)}`) : []),
  ];
}

function closing(diagnosis: Diagnosis, { fixHints }: ReportOptions): string {
  const { ok, skipped, warning, broken } = countsOf(diagnosis);
  const parts = [
    `${broken} broken`,
    warning === 1 ? '1 warning' : `${warning} warnings`,
    `${ok} well`,
    ...(skipped > 0 ? [`${skipped} not looked at`] : []),
  ];
  const verdict = { 0: 'healthy', 1: 'works, with warnings', 2: 'broken' }[diagnosis.verdict];
  const hasHints = diagnosis.findings.some(
    ({ fix, level }) => fix !== undefined && (level === 'warning' || level === 'broken'),
  );
  const hint = hasHints && !fixHints ? '; --fix-hints shows how to mend it' : '';
  return `${verdict}: ${parts.join(', ')}${hint}`;
}
