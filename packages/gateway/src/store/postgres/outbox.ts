import {
  DISABLED_REASON,
  type WebhookDelivery,
  type WebhookEvent,
  type WebhookFilter,
  type WebhookResult,
} from '../outbox.ts';
import { present } from './rows.ts';
import { type Statement, touching, type Verb } from './verb.ts';

/**
 * A part of a `WITH` that writes the events which rows of `source` (number, caller, webhook, event_id, event_type,
 * event_at) tell of; as `outbox` it says which of them wait to be delivered.
 */
export function insertWebhooks(source: string): string {
  return `
    addressed AS MATERIALIZED (
      SELECT s.*, u.url, EXISTS (SELECT FROM disabled_endpoints d WHERE d.caller = s.caller AND d.url = u.url) AS disabled
      FROM ${source} s CROSS JOIN LATERAL (SELECT s.webhook::json ->> 'url' AS url) u
    ), outbox AS (
      INSERT INTO webhooks (id, generation, caller, url, type, at, state, tries, retry_at, settled_at, reason)
      SELECT event_id, number, caller, url, event_type, event_at,
        CASE WHEN disabled THEN 'given-up' ELSE 'waiting' END, 0, CASE WHEN NOT disabled THEN event_at END,
        CASE WHEN disabled THEN event_at END, CASE WHEN disabled THEN '${DISABLED_REASON}' END
      FROM addressed ORDER BY event_id
      ON CONFLICT (id) DO NOTHING
      RETURNING generation, state
    )`;
}

const DELIVERY = 'w.id, g.id AS generation, w.caller, w.url, w.type, w.at, w.tries';
const ROW = `${DELIVERY}, w.state, w.retry_at AS "retryAt", w.settled_at AS "settledAt", w.status, w.reason`;

const NOTIFY: Statement = {
  name: 'notify',
  text: `
    WITH hooked AS MATERIALIZED (
      SELECT number, caller, webhook, $2::text AS event_id, $3::text AS event_type, $4::bigint AS event_at
      FROM generations WHERE id = $1 AND webhook IS NOT NULL
    ), ${insertWebhooks('hooked')}
    SELECT FROM outbox WHERE state = 'waiting'`,
};

export const notify: Verb<{ readonly generation: string; readonly event: WebhookEvent }, void> = {
  touches: ({ generation, event }) => [touching.generation(generation), touching.webhook(event.id)],

  async run({ query, tell }, operations) {
    const written = await Promise.all(
      operations.map(({ generation, event: { id, type, at } }) => query(NOTIFY, [generation, id, type, at])),
    );
    if (written.some((rows) => rows.length > 0)) tell({ kind: 'webhook' });
    return [];
  },
};

const TAKE_DUE: Statement = {
  name: 'due-webhooks',
  text: `
    WITH due AS MATERIALIZED (
      SELECT number, retry_at FROM webhooks WHERE state = 'waiting' AND retry_at <= $1
      ORDER BY retry_at, number LIMIT $3 FOR UPDATE SKIP LOCKED
    ), w AS (
      UPDATE webhooks SET retry_at = $2 FROM due WHERE webhooks.number = due.number
      RETURNING webhooks.*, due.retry_at AS due_at
    )
    SELECT ${DELIVERY} FROM w JOIN generations g ON g.number = w.generation ORDER BY w.due_at, w.number`,
};

export const dueWebhooks: Verb<readonly [now: number, until: number, limit: number], readonly WebhookDelivery[]> = {
  touches: () => 'everything',
  run: ({ query }, operations) =>
    Promise.all(
      operations.map(async (args) => (await query(TAKE_DUE, args)).map((row) => present<WebhookDelivery>(row))),
    ),
};

/** What was given up is not tried again by who comes late, and what was delivered stays so. */
const SETTLE: Statement = {
  name: 'settle-webhooks',
  text: `
    UPDATE webhooks w
    SET state = s.state, tries = w.tries + 1, retry_at = s."retryAt", status = s.status, reason = s.reason,
      settled_at = CASE WHEN s.state <> 'waiting' THEN s.at END
    FROM json_to_recordset($1::json) AS s (
      id text, state text, at bigint, status integer, "retryAt" bigint, reason text)
    WHERE w.id = s.id AND (w.state = 'waiting' OR s.state = 'delivered')`,
};

export const settleWebhook: Verb<WebhookResult & { readonly id: string }, void> = {
  touches: ({ id }) => [touching.webhook(id)],
  joins: true,

  async run({ query }, operations) {
    await query(SETTLE, [JSON.stringify(operations)]);
    return [];
  },
};

/** The latest written first. Values of the filter, from $1 on, and the limit behind them. */
export function webhooksSql(filter: WebhookFilter, columns = ROW) {
  const conditions = [
    { sql: 'w.caller =', value: filter.caller },
    { sql: 'g.id =', value: filter.generation },
    { sql: 'w.id =', value: filter.id },
    { sql: 'w.state =', value: filter.state },
  ].flatMap(({ sql, value }) => (value === undefined ? [] : [{ sql, value }]));
  const where = conditions.map(({ sql }, index) => `${index === 0 ? 'WHERE' : 'AND'} ${sql} $${index + 1}`).join(' ');
  const text = `
    SELECT ${columns} FROM webhooks w JOIN generations g ON g.number = w.generation ${where}
    ORDER BY w.number DESC LIMIT $${conditions.length + 1}`;
  return { text, values: [...conditions.map(({ value }) => value), filter.limit] };
}

export const redeliver: Verb<{ readonly filter: WebhookFilter; readonly at: number }, number> = {
  touches: () => 'everything',

  run: ({ query, tell }, operations) =>
    Promise.all(
      operations.map(async ({ filter, at }) => {
        const { text, values } = webhooksSql(filter, 'w.number');
        const again = `
          WITH again AS (
            UPDATE webhooks SET state = 'waiting', tries = 0, retry_at = $${values.length + 1}, settled_at = NULL,
              status = NULL, reason = NULL
            WHERE number IN (${text}) RETURNING caller, url
          ), enabled AS (
            DELETE FROM disabled_endpoints d USING again a WHERE d.caller = a.caller AND d.url = a.url
          )
          SELECT count(*) AS count FROM again`;
        const [row] = await query({ text: again }, [...values, at]);
        const count = Number(row?.count);
        if (count > 0) tell({ kind: 'webhook' });
        return count;
      }),
    ),
};

const DISABLE: Statement = {
  name: 'disable-endpoint',
  text: `
    WITH known AS (
      UPDATE disabled_endpoints SET disabled_at = $3 WHERE caller = $1 AND url = $2 RETURNING caller
    ), disabled AS (
      INSERT INTO disabled_endpoints (caller, url, disabled_at) SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM known)
    )
    UPDATE webhooks SET state = 'given-up', retry_at = NULL, settled_at = $3, reason = '${DISABLED_REASON}'
    WHERE state = 'waiting' AND caller = $1 AND url = $2`,
};

export const disableEndpoint: Verb<readonly [caller: string, url: string, at: number], void> = {
  touches: () => 'everything',

  async run({ query }, operations) {
    await Promise.all(operations.map((args) => query(DISABLE, args)));
    return [];
  },
};
