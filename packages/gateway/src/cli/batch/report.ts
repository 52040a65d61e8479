import { EXIT } from '../exit.ts';
import type { BatchEvent } from './events.ts';
import type { InputLine } from './line.ts';
import type { LineState, LineStatus, Manifest } from './manifest.ts';
import { dollars } from './money.ts';

/** Why a session ended before every line had. */
export type EndedBy = 'done' | 'cap' | 'interrupt' | 'error';

/** `report.json`: what came of a batch so far. */
export interface Report {
  readonly version: 1;
  readonly batch: string;
  readonly ended_by: EndedBy;
  /** `sent` and `accepted` are open: a resume goes on with them. */
  readonly lines: Readonly<Record<LineStatus | 'total', number>>;
  readonly pictures: number;
  /** Of lines that are done: asked for and not made. */
  readonly missing_pictures: number;
  /** What was paid, as far as prices are known. */
  readonly spent_usd: number;
  /** What may have been paid besides. */
  readonly possible_usd: number;
  /** Held back for open lines. */
  readonly reserved_usd: number;
  /** Charges of which nobody knows the price; they are in none of the sums. */
  readonly unpriced_charges: number;
  readonly max_cost_usd: number | null;
  readonly codes: Readonly<Record<string, number>>;
  readonly started: string;
  readonly ended: string;
  /** Of the last session. */
  readonly session_ms: number;
  /** From sending a line to its picture; null when none is done. */
  readonly line_ms: { readonly median: number; readonly p95: number; readonly max: number } | null;
  /** Outcomes nobody knows. */
  readonly unknown: readonly {
    readonly line: number;
    readonly code: string;
    readonly task?: string;
    readonly generation?: string;
  }[];
}

export interface ReportFacts {
  readonly batch: string;
  readonly endedBy: EndedBy;
  readonly capUsd: number | null;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly sessionStartedAt: number;
  readonly now: number;
}

export function reportOf(manifest: Manifest, facts: ReportFacts): Report {
  const { lines, charged, reservedMicros, pictures, missing } = manifest.totals();
  const all = [...manifest.lines()];
  return {
    version: 1,
    batch: facts.batch,
    ended_by: facts.endedBy,
    lines: { total: all.length, ...lines },
    pictures,
    missing_pictures: missing,
    spent_usd: dollars(charged.paidMicros),
    possible_usd: dollars(charged.possibleMicros),
    reserved_usd: dollars(reservedMicros),
    unpriced_charges: charged.unpriced,
    max_cost_usd: facts.capUsd,
    codes: codesOf(all),
    started: new Date(facts.startedAt).toISOString(),
    ended: new Date(facts.now).toISOString(),
    session_ms: facts.now - facts.sessionStartedAt,
    line_ms: durations(all),
    unknown: all.flatMap(unknownLine),
  };
}

/** The lines of `failed.jsonl`: each as it was in the input, and why there is no picture. It can be an input itself. */
export function* failedLines(manifest: Manifest, inputs: Iterable<InputLine>): Generator<string> {
  for (const { line, input } of inputs) {
    const { status, end } = manifest.line(line);
    if (end === undefined || end.type === 'done' || (status !== 'failed' && status !== 'unknown')) continue;
    const { code, kind, message, billed, generation } = end;
    yield `${JSON.stringify({
      ...input,
      line,
      code,
      kind: kind ?? null,
      message,
      billed,
      generation: generation ?? null,
    })}\n`;
  }
}

/** 0 everything is a picture, 1 something is not, 3 the cap was reached, 130 interrupted. */
export function exitCodeFor({ ended_by: endedBy, lines, missing_pictures: missing }: Report): number {
  if (endedBy === 'interrupt') return EXIT.interrupted;
  if (endedBy === 'cap') return EXIT.capped;
  return endedBy === 'error' || lines.done < lines.total || missing > 0 ? EXIT.failed : EXIT.ok;
}

function codesOf(lines: readonly LineState[]): Record<string, number> {
  const codes = new Map<string, number>();
  for (const { status, end } of lines) {
    if ((status === 'failed' || status === 'unknown') && end && end.type !== 'done')
      codes.set(end.code, (codes.get(end.code) ?? 0) + 1);
  }
  return Object.fromEntries([...codes].toSorted(([, a], [, b]) => b - a));
}

function unknownLine({ line, status, end }: LineState): Report['unknown'] {
  if (status !== 'unknown' || end?.type !== 'unknown') return [];
  const { code, task, generation } = end;
  return [{ line, code, ...(task !== undefined && { task }), ...(generation !== undefined && { generation }) }];
}

function durations(lines: readonly LineState[]): Report['line_ms'] {
  const sorted = lines
    .flatMap(({ end, intended }) => (end?.type === 'done' && intended ? [Math.max(0, end.at - intended.at)] : []))
    .toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return sorted.length === 0 ? null : { median: at(0.5), p95: at(0.95), max: at(1) };
}

/** When the batch began: its first session. */
export function startOf(events: readonly BatchEvent[], otherwise: number): number {
  return events.find((event) => event.type === 'session')?.at ?? otherwise;
}
