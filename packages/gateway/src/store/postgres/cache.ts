import { type CacheRow, MAX_TARGETS_TOLD } from '../cache-row.ts';
import type { CacheBounds, CacheClaim, CacheFilter, CacheHolder, CacheUse, Evicted } from '../store.ts';
import { insertAssets, removeUnreferenced } from './assets.ts';
import { type Columns, type Parameter, type Statement, type Transaction, touching, type Verb } from './verb.ts';

export const CACHE_GET: Statement = {
  name: 'cache-get',
  text: `
    SELECT key, caller, target, generation, cost_usd AS "costUsd", created_at AS "createdAt", images
    FROM cache_entries JOIN cache_images ON entry = number WHERE key = $1`,
};

const PUT: Statement = {
  name: 'cache-put',
  text: `
    WITH wanted AS MATERIALIZED (
      SELECT * FROM json_to_recordset($1::json) AS w (
        key text, caller text, target text, generation text, cost_usd double precision, bytes bigint, created_at bigint,
        images text
      )
    ), added AS (
      INSERT INTO cache_entries (key, caller, target, generation, cost_usd, bytes, hits, created_at, used_at)
      SELECT key, caller, target, generation, cost_usd, bytes, 0, created_at, created_at FROM wanted ORDER BY key
      ON CONFLICT (key) DO NOTHING RETURNING number, key
    ), shown AS (
      INSERT INTO cache_images (entry, images) SELECT a.number, w.images FROM added a JOIN wanted w ON w.key = a.key
    ), referred AS MATERIALIZED (
      SELECT a.number, w.hash, w.type, w.bytes, w.at
      FROM json_to_recordset($2::json) AS w (key text, hash text, type text, bytes bigint, at bigint)
      JOIN added a ON a.key = w.key
    ), ${insertAssets('referred', 'cache_assets (entry, hash)')}
    SELECT key FROM added`,
};

export const cachePut: Verb<CacheRow, boolean> = {
  touches: ({ key }) => [touching.cached(key)],
  weigh: ({ images }) => images.length,
  joins: true,

  async run({ query }, operations) {
    const rows = operations.map(({ costUsd, createdAt, assets: _, ...row }) => ({
      ...row,
      cost_usd: costUsd,
      created_at: createdAt,
    }));
    const assets = operations.flatMap(({ key, createdAt, assets: own }) =>
      own.map((asset) => ({ ...asset, key, at: createdAt })),
    );
    const added = new Set((await query(PUT, [JSON.stringify(rows), JSON.stringify(assets)])).map(({ key }) => key));
    return operations.map(({ key }) => added.has(key));
  },
};

const USE: Statement = {
  name: 'cache-used',
  text: `
    WITH wanted AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json) AS w (key text, hits bigint, at bigint)),
    locked AS MATERIALIZED (SELECT key FROM cache_entries WHERE key = ANY($2::text[]) ORDER BY key FOR UPDATE)
    UPDATE cache_entries e SET hits = e.hits + w.hits, used_at = greatest(e.used_at, w.at)
    FROM wanted w JOIN locked l ON l.key = w.key WHERE e.key = l.key`,
};

export const cacheUsed: Verb<readonly CacheUse[], void> = {
  touches: (uses) => uses.map(({ key }) => touching.cached(key)),

  async run({ query }, operations) {
    await Promise.all(operations.map((uses) => query(USE, [JSON.stringify(uses), uses.map(({ key }) => key)])));
    return [];
  },
};

const SUM: Statement = {
  name: 'cache-sum',
  text: 'SELECT count(*) AS entries, coalesce(sum(bytes), 0)::float8 AS bytes FROM cache_entries',
};
const OLD: Statement = {
  name: 'cache-old',
  text: 'SELECT number, bytes FROM cache_entries WHERE created_at < $1 ORDER BY created_at LIMIT $2',
};
const UNUSED: Statement = {
  name: 'cache-unused',
  text: 'SELECT number, bytes, created_at AS "createdAt" FROM cache_entries ORDER BY used_at, number LIMIT $1',
};
const END_CLAIMS: Statement = {
  name: 'cache-end-claims',
  text: 'DELETE FROM cache_claims WHERE key IN (SELECT key FROM cache_claims WHERE until <= $1 LIMIT $2)',
};
const REMOVE: Statement = {
  name: 'cache-remove',
  text: `
    WITH gone AS (DELETE FROM cache_entries WHERE number = ANY($1::bigint[]) RETURNING number, bytes), images AS (
      DELETE FROM cache_images WHERE entry = ANY($1::bigint[])
    ), shown AS (DELETE FROM cache_assets WHERE entry = ANY($1::bigint[]) RETURNING hash)
    SELECT (SELECT count(*) FROM gone) AS entries, (SELECT coalesce(sum(bytes), 0)::float8 FROM gone) AS bytes,
      (SELECT coalesce(json_agg(DISTINCT hash)::text, '[]') FROM shown) AS hashes`,
};

async function remove(transaction: Transaction, rows: readonly Columns[]): Promise<Omit<Evicted, 'left'>> {
  if (rows.length === 0) return { entries: 0, bytes: 0, assets: [] };
  const [gone] = await transaction.query(REMOVE, [rows.map(({ number }) => Number(number))]);
  const hashes: readonly string[] = JSON.parse(String(gone?.hashes));
  const assets = await removeUnreferenced(transaction, hashes.toSorted());
  return { entries: Number(gone?.entries), bytes: Number(gone?.bytes), assets };
}

async function left({ query }: Transaction): Promise<Evicted['left']> {
  const [sum] = await query(SUM, []);
  return { entries: Number(sum?.entries), bytes: Number(sum?.bytes) };
}

export const cacheEvict: Verb<CacheBounds, Evicted> = {
  touches: () => 'everything',
  inSteps: true,

  async run(transaction, operations) {
    const results: Evicted[] = [];
    for (const bounds of operations) results.push(await evictOnce(transaction, bounds));
    return results;
  },
};

async function evictOnce(transaction: Transaction, bounds: CacheBounds): Promise<Evicted> {
  const { createdBefore, maxBytes, maxEntries, now, limit } = bounds;
  const { query } = transaction;
  const [old, before] = await Promise.all([
    query(OLD, [createdBefore, limit]),
    left(transaction),
    query(END_CLAIMS, [now, limit]),
  ]);
  let entries = before.entries - old.length;
  let bytes = old.reduce((sum, row) => sum - Number(row.bytes), before.bytes);
  const tooOld = new Set(old.map(({ number }) => number));
  const candidates = entries > maxEntries || bytes > maxBytes ? await query(UNUSED, [limit]) : [];
  const unused = candidates.filter(({ number }) => !tooOld.has(number)).slice(0, limit - old.length);
  const beyond = unused.filter((row) => {
    if (entries <= maxEntries && bytes <= maxBytes) return false;
    entries -= 1;
    bytes -= Number(row.bytes);
    return true;
  });
  const removed = await remove(transaction, [...old, ...beyond]);
  return { ...removed, left: removed.entries > 0 ? await left(transaction) : before };
}

export const cacheClear: Verb<{ readonly filter: CacheFilter; readonly limit: number }, Evicted> = {
  touches: () => 'everything',
  inSteps: true,

  async run(transaction, operations) {
    const results: Evicted[] = [];
    for (const { filter, limit } of operations) {
      const { where, values } = cacheSql(filter);
      const text = `SELECT number FROM cache_entries ${where} ORDER BY used_at, number LIMIT $${values.length + 1}`;
      const removed = await remove(transaction, await transaction.query({ text }, [...values, limit]));
      results.push({ ...removed, left: await left(transaction) });
    }
    return results;
  },
};

/** Both answers of `cacheStats`: of all, and of the largest targets. */
export function cacheStatsSql(filter: CacheFilter) {
  const { where, values } = cacheSql(filter);
  const sums = `count(*) AS entries, coalesce(sum(bytes), 0)::float8 AS bytes, coalesce(sum(hits), 0)::float8 AS hits,
    coalesce(sum(hits * cost_usd), 0) AS "savedUsd"`;
  return {
    all: { text: `SELECT ${sums}, min(created_at) AS "oldestAt" FROM cache_entries ${where}` },
    targets: {
      text: `
        SELECT target, ${sums} FROM cache_entries ${where} GROUP BY target ORDER BY bytes DESC, target
        LIMIT ${MAX_TARGETS_TOLD}`,
    },
    values,
  };
}

function cacheSql({ caller, target, key }: CacheFilter) {
  const values: Parameter[] = [];
  const conditions = Object.entries({ caller, target, key }).flatMap(([column, value]) =>
    value === undefined ? [] : [`${column} = $${values.push(value)}`],
  );
  return { where: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, values };
}

/** Who holds it is asked in a second statement, which sees what the first one waited for. */
const CLAIM: Statement = {
  name: 'cache-claim',
  text: `
    INSERT INTO cache_claims AS c (key, generation, since, until) VALUES ($1, $2, $3, $4)
    ON CONFLICT (key) DO UPDATE
    SET generation = excluded.generation, since = excluded.since, until = excluded.until
    WHERE c.until <= excluded.since OR c.generation = $5`,
};
const HOLDER: Statement = {
  name: 'cache-holder',
  text: 'SELECT generation, since FROM cache_claims WHERE key = $1',
};

export interface ClaimArgs extends CacheClaim {
  readonly now: number;
  readonly from: string | null;
}

export const cacheClaim: Verb<ClaimArgs, CacheHolder> = {
  touches: ({ key }) => [touching.cached(key)],
  joins: true,

  async run({ query }, operations) {
    const holders = new Map<string, Promise<CacheHolder>>();
    // In the order of their keys, so that two nodes which claim the same ones never wait for each other.
    for (const args of operations.toSorted((one, other) => (one.key < other.key ? -1 : 1))) {
      holders.set(args.key, claimOne(query, args));
    }
    return Promise.all(operations.map(({ key }) => holderOf(holders, key)));
  },
};

async function claimOne(
  query: Transaction['query'],
  { key, generation, now, until, from }: ClaimArgs,
): Promise<CacheHolder> {
  const claimed = query(CLAIM, [key, generation, now, until, from]);
  const [[holder]] = await Promise.all([query(HOLDER, [key]), claimed]);
  return { generation: String(holder?.generation), since: Number(holder?.since) };
}

function holderOf(holders: ReadonlyMap<string, Promise<CacheHolder>>, key: string): Promise<CacheHolder> {
  return holders.get(key) ?? Promise.reject(new RangeError(`the claim of ${key} went while it was made`));
}

const RELEASE: Statement = {
  name: 'cache-release',
  text: 'DELETE FROM cache_claims WHERE key = $1 AND generation = $2',
};

export const cacheRelease: Verb<{ readonly key: string; readonly generation: string }, void> = {
  touches: ({ key }) => [touching.cached(key)],

  async run({ query }, operations) {
    await Promise.all(operations.map(({ key, generation }) => query(RELEASE, [key, generation])));
    return [];
  },
};
