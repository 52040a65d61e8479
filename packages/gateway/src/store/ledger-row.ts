import type { LedgerLine } from '@onetake/core';
import { failureFingerprint } from './failure-fingerprint.ts';
import type { BookedLine } from './ledger.ts';

/** A line of the ledger as both databases keep it. */
export interface LedgerColumns {
  readonly run: number;
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly provider: string | null;
  readonly target: string | null;
  readonly role: string;
  readonly images: number;
  readonly spent: number | null;
  readonly possible: number | null;
  readonly possibleImages: number;
  readonly saved: number | null;
  readonly priced: string;
  readonly kind: string | null;
  readonly certainty: string | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly status: number | null;
  readonly providerRequestId: string | null;
  readonly fingerprint: string | null;
  /**
   * Of the first line in its run whose possible price is unknown: the run's money that is known. What the run held
   * beyond it stays held for this line. Null of all others.
   */
  readonly keepsBeyond: number | null;
}

/** What every line of one generation has in common. */
export interface LedgerOrigin {
  readonly generation: string;
  readonly caller: string;
  readonly route: string;
  readonly makes: 'pictures' | 'chat';
  readonly requestId: string;
}

/** A line of what has no generation of its own. */
export interface BookedColumns {
  readonly origin: LedgerOrigin;
  readonly line: LedgerColumns;
}

/** The cache, which alone books, holds pictures. */
export function bookedColumns(line: BookedLine): BookedColumns {
  const { generation, caller, route, requestId } = line;
  const origin = { generation, caller, route, requestId, makes: 'pictures' } as const;
  return { origin, line: { ...columnsOf(line), keepsBeyond: null } };
}

export function ledgerColumns(lines: readonly LedgerLine[]): readonly LedgerColumns[] {
  const known = new Map<number, number>();
  for (const { run, spentMicroUsd, possibleMicroUsd } of lines) {
    known.set(run, (known.get(run) ?? 0) + (spentMicroUsd ?? 0) + (possibleMicroUsd ?? 0));
  }
  const keeping = new Set<number>();
  return lines.map((line) => {
    const keeps = line.possibleMicroUsd === null && !keeping.has(line.run);
    if (keeps) keeping.add(line.run);
    return { ...columnsOf(line), keepsBeyond: keeps ? (known.get(line.run) ?? 0) : null };
  });
}

function columnsOf(line: LedgerLine): Omit<LedgerColumns, 'keepsBeyond'> {
  const { run, attempt, startedAt, endedAt, target, role, images, possibleImages, priced, kind, certainty } = line;
  const code = storable(line.code);
  const message = storable(line.message);
  const words = { ...(target && { target }), ...(code !== null && { code }), ...(message !== null && { message }) };
  return {
    ...{ run, attempt, startedAt, role, images, possibleImages, priced, code, message },
    endedAt: endedAt ?? null,
    provider: target?.slice(0, target.indexOf('/')) ?? null,
    target: target ?? null,
    spent: line.spentMicroUsd,
    possible: line.possibleMicroUsd,
    saved: line.savedMicroUsd ?? null,
    kind: kind ?? null,
    certainty: certainty ?? null,
    status: line.status ?? null,
    providerRequestId: storable(line.providerRequestId),
    fingerprint: kind === undefined ? null : failureFingerprint({ ...words, kind }),
  };
}

/** PostgreSQL has no place for U+0000 nor for half of a pair, and a provider's words must not cost us a summary. */
function storable(text: string | undefined): string | null {
  return text === undefined ? null : text.toWellFormed().replaceAll('\0', '');
}
