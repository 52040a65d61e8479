import type { Lease, QueueHead, WaitingRequest } from '../store.ts';
import { WITH_JOURNALS, WITHOUT_JOURNALS } from './rows.ts';
import { type Columns, type Statement, touching, type Verb } from './verb.ts';

/** `+ 0`: in the order of the index by age the planner would read everything that ever finished. */
const CLAIM: Statement = {
  name: 'claim',
  text: `
    WITH picked AS MATERIALIZED (
      SELECT number FROM generations
      WHERE (status = 'processing' AND lease_until <= $2) OR (status = 'pending' AND deadline_at <= $2)
      ORDER BY created_at + 0, id LIMIT $4 FOR UPDATE SKIP LOCKED
    )
    UPDATE generations g SET status = 'processing', worker = $1, lease_until = $3
    FROM picked p WHERE g.number = p.number RETURNING g.number`,
};

const READ_CLAIMED: Statement = {
  name: 'read-claimed',
  text: `
    SELECT ${WITH_JOURNALS} FROM generations g JOIN plans p ON p.generation = g.number
    WHERE g.number = ANY($1::bigint[]) ORDER BY g.created_at, g.id`,
};

/** The journals are read by a statement that begins when the leases are held: it sees all that their last holder wrote. */
export const claim: Verb<readonly [worker: string, now: number, until: number, limit: number], readonly Columns[]> = {
  touches: () => 'everything',
  inSteps: true,

  async run({ query }, operations) {
    const results: (readonly Columns[])[] = [];
    for (const args of operations) {
      const numbers = (await query(CLAIM, args)).map(({ number }) => Number(number));
      results.push(numbers.length === 0 ? [] : await query(READ_CLAIMED, [numbers]));
    }
    return results;
  },
};

const RENEW: Statement = {
  name: 'renew',
  text: `
    WITH mine AS MATERIALIZED (
      SELECT number FROM generations WHERE id = ANY($2::text[]) AND worker = $1 ORDER BY id FOR UPDATE
    )
    UPDATE generations g SET lease_until = $3 FROM mine m WHERE g.number = m.number
    RETURNING g.id, g.cancel_requested_at IS NOT NULL AS wished`,
};

export const renew: Verb<readonly [worker: string, ids: readonly string[], until: number], readonly string[]> = {
  touches: ([, ids]) => ids.map(touching.generation),

  run: ({ query }, operations) =>
    Promise.all(
      operations.map(async (args) => {
        const wished = (await query(RENEW, args)).filter((row) => row.wished === true).map(({ id }) => id);
        return args[1].filter((id) => wished.includes(id));
      }),
    ),
};

const REQUEST_CANCEL: Statement = {
  name: 'request-cancel',
  text: `
    UPDATE generations SET cancel_requested_at = coalesce(cancel_requested_at, $2)
    WHERE id = $1 AND finished_at IS NULL RETURNING id`,
};

const EXISTS: Statement = { name: 'exists', text: 'SELECT id FROM generations WHERE id = $1' };

export const requestCancel: Verb<readonly [id: string, at: number], 'noted' | 'finished' | 'unknown'> = {
  touches: ([id]) => [touching.generation(id)],

  run: ({ query, tell }, operations) =>
    Promise.all(
      operations.map(async ([id, at]) => {
        const [noted, found] = await Promise.all([query(REQUEST_CANCEL, [id, at]), query(EXISTS, [id])]);
        if (noted.length > 0) tell({ kind: 'cancel', id });
        if (noted.length > 0) return 'noted';
        return found.length > 0 ? 'finished' : 'unknown';
      }),
    ),
};

/** What waits has no journal yet, so the statement that takes it can read all of it. */
const CLAIM_WAITING: Statement = {
  name: 'claim-waiting',
  text: `
    WITH picked AS MATERIALIZED (
      SELECT number FROM generations
      WHERE status = 'pending' AND queue = $1 AND tag < coalesce($2::double precision, 'Infinity')
        AND caller <> ALL($3::text[])
      ORDER BY tag, number LIMIT $4 FOR UPDATE SKIP LOCKED
    ), g AS (
      UPDATE generations SET status = 'processing', worker = $5, lease_until = $6
      FROM picked p WHERE generations.number = p.number RETURNING generations.*
    )
    SELECT ${WITHOUT_JOURNALS} FROM g JOIN plans p ON p.generation = g.number ORDER BY g.tag, g.number`,
};

const HEAD: Statement = {
  name: 'queue-head',
  text: `
    SELECT tag, images FROM generations WHERE status = 'pending' AND queue = $1 AND caller <> ALL($2::text[])
    ORDER BY tag, number LIMIT 1`,
};

export interface WaitingColumns {
  readonly claimed: readonly Columns[];
  readonly next: QueueHead | undefined;
}

export const claimWaiting: Verb<readonly [wanted: WaitingRequest, lease: Lease], WaitingColumns> = {
  touches: () => 'everything',

  run: ({ query }, operations) =>
    Promise.all(
      operations.map(async ([{ queue, most, exceptCallers, beforeTag }, { worker, until }]) => {
        const [claimed, heads] = await Promise.all([
          query(CLAIM_WAITING, [queue, beforeTag ?? null, exceptCallers, most, worker, until]),
          query(HEAD, [queue, exceptCallers]),
        ]);
        const [head] = heads;
        return { claimed, next: head && { tag: Number(head.tag), images: Number(head.images) } };
      }),
    ),
};

const TAKE: Statement = {
  name: 'take',
  text: `
    WITH g AS (
      UPDATE generations SET status = 'processing', worker = $2, lease_until = $3
      WHERE id = $1 AND status = 'pending' RETURNING *
    )
    SELECT ${WITHOUT_JOURNALS} FROM g JOIN plans p ON p.generation = g.number`,
};

export const take: Verb<readonly [id: string, lease: Lease], Columns | undefined> = {
  touches: ([id]) => [touching.generation(id)],
  run: ({ query }, operations) =>
    Promise.all(operations.map(async ([id, { worker, until }]) => (await query(TAKE, [id, worker, until]))[0])),
};
