import type { AssetRow, Expired, RetentionBounds } from '../store.ts';
import type { Columns, Statement, Transaction, Verb } from './verb.ts';

/** Any number besides the schema's: one node at a time forgets. */
const RETENTION_LOCK = 6_638_254;

const TAKE_TURN: Statement = {
  name: 'expire-turn',
  text: `SELECT pg_try_advisory_xact_lock(${RETENTION_LOCK}) AS taken`,
};
const SUM_BYTES: Statement = {
  name: 'expire-sum',
  text: 'SELECT coalesce(sum(bytes), 0)::float8 AS bytes FROM assets',
};
const FORGET_DISABLED: Statement = {
  name: 'expire-disabled',
  text: 'DELETE FROM disabled_endpoints WHERE disabled_at < $1',
};

/** One row per generation and asset. An asset that more refer to than ever go in one call stays, so counting ends there. */
const OLDEST: Statement = {
  name: 'expire-oldest',
  text: `
    WITH oldest AS MATERIALIZED (
      SELECT number, id, created_at FROM generations WHERE status NOT IN ('pending', 'processing')
      ORDER BY created_at, id LIMIT $1
    )
    SELECT o.number, o.id, o.created_at AS "createdAt", r.hash, a.bytes, (
      SELECT count(*) FROM (SELECT FROM generation_assets c WHERE c.hash = r.hash LIMIT $1 + 1) counted) AS references
    FROM oldest o LEFT JOIN generation_assets r ON r.generation = o.number LEFT JOIN assets a ON a.hash = r.hash
    ORDER BY o.created_at, o.id`,
};

const REMOVALS: readonly Statement[] = [
  ...['events', 'webhooks', 'plans', 'generation_assets'].map((table) => ({
    name: `expire-${table}`,
    text: `DELETE FROM ${table} WHERE generation = ANY($1::bigint[])`,
  })),
  { name: 'expire-generations', text: 'DELETE FROM generations WHERE number = ANY($1::bigint[])' },
];
const REMOVE_KEYS: Statement = {
  name: 'expire-idempotency',
  text: 'DELETE FROM idempotency WHERE generation = ANY($1::text[])',
};

/** Two statements: the second one begins when the rows are locked, and sees references that were written until then. */
const LOCK_ASSETS: Statement = {
  name: 'expire-lock-assets',
  text: 'SELECT FROM assets WHERE hash = ANY($1::text[]) ORDER BY hash FOR UPDATE',
};
const REMOVE_ASSETS: Statement = {
  name: 'expire-assets',
  text: `
    DELETE FROM assets a
    WHERE hash = ANY($1::text[]) AND NOT EXISTS (SELECT FROM generation_assets r WHERE r.hash = a.hash)
    RETURNING hash, type, bytes`,
};

export const expire: Verb<RetentionBounds, Expired> = {
  touches: () => 'everything',
  inSteps: true,

  async run(transaction, operations) {
    const results: Expired[] = [];
    for (const bounds of operations) results.push(await expireOnce(transaction, bounds));
    return results;
  },
};

async function expireOnce({ query }: Transaction, bounds: RetentionBounds): Promise<Expired> {
  const [turn] = await query(TAKE_TURN, []);
  if (turn?.taken !== true) return { generations: 0, assets: [] };
  const [, [sum], rows] = await Promise.all([
    query(FORGET_DISABLED, [bounds.createdBefore]),
    query(SUM_BYTES, []),
    query(OLDEST, [bounds.limit]),
  ]);
  const { numbers, ids, hashes } = chooseExpired(rows, bounds, Number(sum?.bytes));
  if (numbers.length === 0) return { generations: 0, assets: [] };
  const removed = [...REMOVALS.map((statement) => query(statement, [numbers])), query(REMOVE_KEYS, [ids])];
  const locked = query(LOCK_ASSETS, [hashes]);
  const [assets] = await Promise.all([query(REMOVE_ASSETS, [hashes]), locked, ...removed]);
  const byHash = new Map(assets.map((row) => [String(row.hash), row]));
  return {
    generations: numbers.length,
    assets: hashes.flatMap((hash): AssetRow[] => {
      const row = byHash.get(hash);
      return row ? [{ hash, type: String(row.type), bytes: Number(row.bytes) }] : [];
    }),
  };
}

/** Those beyond the bounds, oldest first, and every asset they refer to. */
export function chooseExpired(rows: readonly Columns[], { createdBefore, maxBytes }: RetentionBounds, total: number) {
  const numbers: number[] = [];
  const ids: string[] = [];
  const left = new Map<string, number>();
  let bytes = total;
  for (const row of rows) {
    if (row.number !== numbers.at(-1)) {
      if (Number(row.createdAt) >= createdBefore && bytes <= maxBytes) break;
      numbers.push(Number(row.number));
      ids.push(String(row.id));
    }
    if (row.hash === null || row.hash === undefined) continue;
    const hash = String(row.hash);
    const references = (left.get(hash) ?? Number(row.references)) - 1;
    left.set(hash, references);
    if (references === 0) bytes -= Number(row.bytes);
  }
  return { numbers, ids, hashes: [...left.keys()] };
}
