import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DISABLED_REASON, type WebhookEvent, type WebhookFilter, type WebhookResult } from '../outbox.ts';
import type { Columns } from './rows.ts';

const DELIVERY = `w.id, g.id AS generation, w.caller, w.url, w.type, w.at, w.tries`;
const FROM = 'FROM webhooks w JOIN generations g ON g.number = w.generation';

export const DUE_SQL = `
  SELECT w.number, ${DELIVERY} ${FROM} WHERE w.state = 'waiting' AND w.retry_at <= ?
  ORDER BY w.retry_at, w.number LIMIT ?`;

/** The operations on the outbox, and `put`, which is part of `append`. */
export function prepareWebhooks(database: DatabaseSync) {
  const insert = database.prepare(`
    INSERT OR IGNORE INTO webhooks
      (id, generation, caller, url, type, at, state, tries, retry_at, settled_at, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`);
  const findDisabled = database.prepare('SELECT 1 FROM disabled_endpoints WHERE caller = ? AND url = ?');
  const findHooked = database.prepare(`
    SELECT number, webhook FROM generations WHERE id = ? AND webhook IS NOT NULL`);
  const findCaller = database.prepare('SELECT caller FROM generations WHERE number = ?');
  const selectDue = database.prepare(DUE_SQL);
  const hold = database.prepare('UPDATE webhooks SET retry_at = ? WHERE number = ?');
  const settle = prepareSettlement(database);
  const again = database.prepare(`
    UPDATE webhooks SET state = 'waiting', tries = 0, retry_at = ?, settled_at = NULL, status = NULL, reason = NULL
    WHERE id = ?`);
  const enable = database.prepare('DELETE FROM disabled_endpoints WHERE caller = ? AND url = ?');
  const disable = database.prepare(`
    INSERT INTO disabled_endpoints (caller, url, disabled_at) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET disabled_at = excluded.disabled_at`);
  const giveUpAll = database.prepare(`
    UPDATE webhooks SET state = 'given-up', retry_at = NULL, settled_at = ?, reason = ?
    WHERE state = 'waiting' AND +caller = ? AND url = ?`);
  const lists = new Map<string, StatementSync>();

  /** True when it is due to be delivered. */
  function put(generation: number, webhook: string, event: WebhookEvent): boolean {
    const caller = String(findCaller.get(generation)?.caller);
    const { url } = JSON.parse(webhook);
    const { id, type, at } = event;
    const isDisabled = findDisabled.get(caller, url) !== undefined;
    const fate = isDisabled
      ? (['given-up', null, at, DISABLED_REASON] as const)
      : (['waiting', at, null, null] as const);
    const { changes } = insert.run(id, generation, caller, url, type, at, ...fate);
    return changes > 0 && !isDisabled;
  }

  function listWebhooks(filter: WebhookFilter): Columns[] {
    const { sql, values } = webhooksSql(filter);
    const statement = lists.get(sql) ?? database.prepare(sql);
    lists.set(sql, statement);
    return statement.all(...values);
  }

  return {
    put,
    listWebhooks,

    notify(generation: string, event: WebhookEvent): boolean {
      const found = findHooked.get(generation);
      return found !== undefined && put(Number(found.number), String(found.webhook), event);
    },

    dueWebhooks(now: number, until: number, limit: number): Columns[] {
      return selectDue.all(now, limit).map(({ number, ...delivery }) => {
        hold.run(until, Number(number));
        return delivery;
      });
    },

    settleWebhook: settle,

    redeliver(filter: WebhookFilter, at: number): number {
      const rows = listWebhooks(filter);
      for (const { id, caller, url } of rows) {
        enable.run(String(caller), String(url));
        again.run(at, String(id));
      }
      return rows.length;
    },

    disableEndpoint(caller: string, url: string, at: number): void {
      disable.run(caller, url, at);
      giveUpAll.run(at, DISABLED_REASON, caller, url);
    },
  };
}

/** What was given up is not tried again by who comes late, and what was delivered stays so. */
function prepareSettlement(database: DatabaseSync): (id: string, result: WebhookResult) => void {
  const deliver = database.prepare(`
    UPDATE webhooks SET state = 'delivered', tries = tries + 1, retry_at = NULL, settled_at = ?, status = ?, reason = NULL
    WHERE id = ?`);
  const giveUp = database.prepare(`
    UPDATE webhooks SET state = 'given-up', tries = tries + 1, retry_at = NULL, settled_at = ?, reason = ?
    WHERE id = ? AND state = 'waiting'`);
  const retry = database.prepare(`
    UPDATE webhooks SET tries = tries + 1, retry_at = ?, reason = ? WHERE id = ? AND state = 'waiting'`);
  return (id, result) => {
    if (result.state === 'delivered') deliver.run(result.at, result.status, id);
    else if (result.state === 'given-up') giveUp.run(result.at, result.reason, id);
    else retry.run(result.retryAt, result.reason, id);
  };
}

export function webhooksSql({ caller, generation, id, state, limit }: WebhookFilter) {
  const conditions = [
    { sql: 'w.caller = ?', value: caller },
    { sql: 'w.generation = (SELECT number FROM generations WHERE id = ?)', value: generation },
    { sql: 'w.id = ?', value: id },
    { sql: 'w.state = ?', value: state },
  ].flatMap(({ sql, value }) => (value === undefined ? [] : [{ sql, value }]));
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  const columns = `${DELIVERY}, w.state, w.retry_at AS retryAt, w.settled_at AS settledAt, w.status, w.reason`;
  const sql = `SELECT ${columns} ${FROM} ${where} ORDER BY w.number DESC LIMIT ?`;
  return { sql, values: [...conditions.map(({ value }) => value), limit] };
}
