import type { DatabaseSync } from 'node:sqlite';
import type { LedgerColumns } from '../ledger-row.ts';
import type { Summary, WebhookEvent } from '../store.ts';
import type { LedgerParts } from './ledger.ts';
import type { Refer } from './references.ts';

/** Something only where there is something to tell: the fence held, or a webhook is to be delivered. */
export type Appended = 'refused' | 'due' | undefined;

/** A summary as it crosses to the store's thread. */
export type SummaryColumns = Omit<Summary, 'lines'> & { readonly lines: readonly LedgerColumns[] };

/** The operation on the path of every picture: one event is one statement. */
export function prepareJournals(
  database: DatabaseSync,
  refer: Refer,
  put: (generation: number, webhook: string, event: WebhookEvent) => boolean,
  record: LedgerParts['record'],
) {
  // A fence that holds finds no number, and OR IGNORE passes over a row without one, as over a place that is taken.
  // As one row of VALUES it costs half of INSERT … SELECT, which prepares for many.
  const appendOne = database.prepare(`
    INSERT OR IGNORE INTO events (generation, run, seq, event) VALUES ((
      SELECT number FROM generations WHERE id = ?1 AND worker = ?2 AND ?3 BETWEEN 0 AND runs - 1 AND (
        ?4 = 0 OR EXISTS (SELECT 1 FROM events WHERE generation = number AND run = ?3 AND seq = ?4 - 1))
    ), ?3, ?4, ?5)`);
  const findFence = database.prepare(`
    SELECT number FROM generations WHERE id = ?1 AND worker = ?2 AND ?3 BETWEEN 0 AND runs - 1
      AND ?4 = coalesce((SELECT max(seq) + 1 FROM events WHERE generation = number AND run = ?3), 0)`);
  const insertEvent = database.prepare('INSERT INTO events (generation, run, seq, event) VALUES (?, ?, ?, ?)');
  const insertPicture = database.prepare(`
    INSERT INTO delivered (generation, behind, caller, hash, type, bytes, width, height)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const finish = database.prepare(`
    UPDATE generations
    SET status = ?, finished_at = ?, code = ?, billed = ?, target = ?, cost_usd = ?, possible_usd = ?, worker = NULL,
      lease_until = NULL
    WHERE number = ? RETURNING webhook, caller, route, request_id AS requestId, chat`);

  /** True when a webhook is to be delivered. */
  function close(generation: string, number: number, summary: SummaryColumns): boolean {
    const { status, finishedAt, code = null, billed, target = null, costUsd = null, possibleUsd = null } = summary;
    const row = finish.get(status, finishedAt, code, billed, target, costUsd, possibleUsd, number);
    refer(number, summary.assets, finishedAt);
    for (const [index, { hash, type, bytes, width, height }] of (summary.pictures ?? []).entries())
      insertPicture.run(number, -index, String(row?.caller), hash, type, bytes, width, height);
    const { caller, route, requestId } = {
      caller: String(row?.caller),
      route: String(row?.route),
      requestId: String(row?.requestId),
    };
    record({ generation, caller, route, requestId, makes: row?.chat === 1 ? 'chat' : 'pictures' }, summary.lines);
    if (typeof row?.webhook !== 'string' || summary.webhook === undefined) return false;
    return put(number, row.webhook, summary.webhook);
  }

  return {
    append(
      id: string,
      run: number,
      length: number,
      worker: string,
      events: readonly string[],
      summary?: SummaryColumns,
    ): Appended {
      const [only] = events;
      if (only !== undefined && events.length === 1 && summary === undefined) {
        return appendOne.run(id, worker, run, length, only).changes > 0 ? undefined : 'refused';
      }
      const found = findFence.get(id, worker, run, length);
      if (found === undefined) return 'refused';
      const number = Number(found.number);
      for (const [index, event] of events.entries()) insertEvent.run(number, run, length + index, event);
      return summary && close(id, number, summary) ? 'due' : undefined;
    },
  };
}
