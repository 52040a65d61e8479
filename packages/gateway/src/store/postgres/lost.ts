import type { LostRequest } from '../store.ts';
import { type Statement, touching, type Verb } from './verb.ts';

const MARK_DELIVERED: Statement = {
  name: 'mark-delivered',
  text: `
    UPDATE generations g SET delivered_at = w.at FROM json_to_recordset($1::json) AS w (id text, at bigint)
    WHERE g.id = w.id AND g.delivered_at IS NULL`,
};

export const markDelivered: Verb<{ readonly ids: readonly string[]; readonly at: number }, void> = {
  touches: ({ ids }) => ids.map(touching.generation),
  joins: true,

  async run({ query }, operations) {
    const rows = operations.flatMap(({ ids, at }) => ids.map((id) => ({ id, at })));
    await query(MARK_DELIVERED, [JSON.stringify(rows.sort((one, other) => (one.id < other.id ? -1 : 1)))]);
    return [];
  },
};

const MARK_LOST: Statement = {
  name: 'mark-lost',
  text: 'UPDATE generations SET lost_at = $2 WHERE id = ANY($1::text[]) AND delivered_at IS NULL',
};

export const markLost: Verb<readonly [ids: readonly string[], at: number], void> = {
  touches: ([ids]) => ids.map(touching.generation),

  async run({ query }, operations) {
    await Promise.all(operations.map((args) => query(MARK_LOST, args)));
    return [];
  },
};

/**
 * Waits for a row that somebody else holds: one passed over would be paid for a second time. `+ 0` as in `claim`.
 */
const CLAIM_LOST: Statement = {
  name: 'claim-lost',
  text: `
    WITH picked AS MATERIALIZED (
      SELECT number FROM generations
      WHERE fingerprint = $1 AND caller = $2 AND delivered_at IS NULL AND task IS NULL AND billed IS DISTINCT FROM 'no'
        AND (finished_at IS NULL OR greatest(finished_at, lost_at) >= $3)
        AND (lost_at IS NOT NULL OR (taken_at IS NULL AND (finished_at < $4 OR lease_until <= $5)))
      ORDER BY created_at + 0, number LIMIT 1 FOR UPDATE
    )
    UPDATE generations g SET lost_at = NULL, taken_at = $5 FROM picked p WHERE g.number = p.number RETURNING g.id`,
};

export const claimLost: Verb<LostRequest, string | undefined> = {
  touches: () => 'everything',

  run: ({ query }, operations) =>
    Promise.all(
      operations.map(async ({ fingerprint, caller, since, settledBefore, now }) => {
        const [taken] = await query(CLAIM_LOST, [fingerprint, caller, since, settledBefore, now]);
        return taken && String(taken.id);
      }),
    ),
};
