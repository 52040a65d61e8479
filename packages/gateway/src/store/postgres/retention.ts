import type { Expired, RetentionBounds } from '../retention.ts';
import { removeUnreferenced } from './assets.ts';
import type { Columns, Statement, Transaction, Verb } from './verb.ts';

/** Any number besides the schema's: one node at a time forgets. */
const RETENTION_LOCK = 6_638_254;

const TAKE_TURN: Statement = {
  name: 'expire-turn',
  text: `SELECT pg_try_advisory_xact_lock(${RETENTION_LOCK}) AS taken`,
};
const FORGET_DISABLED: Statement = {
  name: 'expire-disabled',
  text: 'DELETE FROM disabled_endpoints WHERE disabled_at < $1',
};

/** Lines that one call removes for each generation it may. */
const LINES_PER_GENERATION = 10;
const REMOVE_LINES: Statement = {
  name: 'expire-ledger',
  text: `
    DELETE FROM ledger WHERE number = ANY(ARRAY(
      SELECT number FROM ledger WHERE started_at < $1 ORDER BY started_at LIMIT $2))`,
};
const REMOVE_WINDOWS: Statement = {
  name: 'expire-windows',
  text: `
    DELETE FROM budget_uses WHERE ctid = ANY(ARRAY(
      SELECT b.ctid FROM budget_uses b WHERE b.until <= $1 AND NOT EXISTS (
        SELECT FROM holds h WHERE h.caller = b.caller AND h.name = b.name AND h.unit = b.unit AND h.since = b.since)
      ORDER BY b.until LIMIT $2))`,
};

/**
 * One row per generation and asset. An asset that more refer to than ever go in one call stays, so counting ends there;
 * being cached is one reference more. Counted, for an EXISTS is planned as a hash of everything cached.
 */
const OLDEST: Statement = {
  name: 'expire-oldest',
  text: `
    WITH oldest AS MATERIALIZED (
      SELECT number, id, created_at FROM generations WHERE status NOT IN ('pending', 'processing')
      ORDER BY created_at, id LIMIT $1
    )
    SELECT o.number, o.id, o.created_at AS "createdAt", r.hash, a.bytes, (
      SELECT count(*) FROM (SELECT FROM generation_assets c WHERE c.hash = r.hash LIMIT $1 + 1) counted
      ) + (SELECT count(*) FROM (SELECT FROM cache_assets c WHERE c.hash = r.hash LIMIT 1) counted) AS references
    FROM oldest o LEFT JOIN generation_assets r ON r.generation = o.number LEFT JOIN assets a ON a.hash = r.hash
    ORDER BY o.created_at, o.id`,
};

const REMOVALS: readonly Statement[] = [
  ...['events', 'webhooks', 'plans', 'search_texts', 'delivered', 'generation_assets'].map((table) => ({
    name: `expire-${table}`,
    text: `DELETE FROM ${table} WHERE generation = ANY($1::bigint[])`,
  })),
  { name: 'expire-generations', text: 'DELETE FROM generations WHERE number = ANY($1::bigint[])' },
];
const REMOVE_KEYS: Statement = {
  name: 'expire-idempotency',
  text: 'DELETE FROM idempotency WHERE generation = ANY($1::text[])',
};

export const expire: Verb<RetentionBounds, Expired> = {
  touches: () => 'everything',
  counts: ({ ledgerBefore }) => (ledgerBefore === undefined ? undefined : 'anything'),
  inSteps: true,

  async run(transaction, operations) {
    const results: Expired[] = [];
    for (const bounds of operations) results.push(await expireOnce(transaction, bounds));
    return results;
  },
};

async function expireOnce(transaction: Transaction, bounds: RetentionBounds): Promise<Expired> {
  const { query } = transaction;
  const [turn] = await query(TAKE_TURN, []);
  if (turn?.taken !== true) return { generations: 0, assets: [] };
  await expireLedger(transaction, bounds);
  const [, rows] = await Promise.all([query(FORGET_DISABLED, [bounds.createdBefore]), query(OLDEST, [bounds.limit])]);
  const { numbers, ids, hashes } = chooseExpired(rows, bounds);
  if (numbers.length === 0) return { generations: 0, assets: [] };
  const removed = [...REMOVALS.map((statement) => query(statement, [numbers])), query(REMOVE_KEYS, [ids])];
  const [assets] = await Promise.all([removeUnreferenced(transaction, hashes), ...removed]);
  return { generations: numbers.length, assets };
}

async function expireLedger({ query }: Transaction, { ledgerBefore, limit }: RetentionBounds): Promise<void> {
  if (ledgerBefore === undefined) return;
  await Promise.all([
    query(REMOVE_LINES, [ledgerBefore, limit * LINES_PER_GENERATION]),
    query(REMOVE_WINDOWS, [ledgerBefore, limit]),
  ]);
}

/** Those beyond the bounds, oldest first, and every asset they refer to. */
export function chooseExpired(rows: readonly Columns[], { createdBefore, excessBytes }: RetentionBounds) {
  const numbers: number[] = [];
  const ids: string[] = [];
  const left = new Map<string, number>();
  let excess = excessBytes;
  for (const row of rows) {
    if (row.number !== numbers.at(-1)) {
      if (Number(row.createdAt) >= createdBefore && excess <= 0) break;
      numbers.push(Number(row.number));
      ids.push(String(row.id));
    }
    if (row.hash === null || row.hash === undefined) continue;
    const hash = String(row.hash);
    const references = (left.get(hash) ?? Number(row.references)) - 1;
    left.set(hash, references);
    if (references === 0) excess -= Number(row.bytes);
  }
  return { numbers, ids, hashes: [...left.keys()] };
}
