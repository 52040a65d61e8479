import type { DatabaseSync } from 'node:sqlite';
import { type CacheRow, MAX_TARGETS_TOLD } from '../cache-row.ts';
import type { AssetRow, CacheBounds, CacheClaim, CacheFilter, CacheHolder, CacheUse, Evicted } from '../store.ts';
import type { Columns } from './rows.ts';

/** What was unused for longest first; the rest is the order of its index. */
const BY_USE = 'ORDER BY used_at, bytes, number';
const SUM = 'SELECT count(*) AS entries, coalesce(sum(bytes), 0) AS bytes FROM cache_entries';

/** The operations on cached pictures, and who makes those that are being made. */
export function prepareCache(database: DatabaseSync, removeUnreferenced: (hash: string) => AssetRow | undefined) {
  const select = database.prepare(`
    SELECT key, caller, target, generation, cost_usd AS costUsd, created_at AS createdAt, images
    FROM cache_entries JOIN cache_images ON entry = number WHERE key = ?`);
  const use = database.prepare(`
    UPDATE cache_entries SET hits = hits + ?, used_at = max(used_at, ?) WHERE key = ?`);
  const remove = prepareRemoval(database, removeUnreferenced);

  return {
    cacheGet: (key: string): Columns | undefined => select.get(key),
    cachePut: preparePut(database),
    cacheUsed(uses: readonly CacheUse[]): void {
      for (const { key, hits, at } of uses) use.run(hits, at, key);
    },
    cacheStats: prepareStats(database),
    ...prepareEviction(database, remove),
    ...prepareClaims(database),
  };
}

function preparePut(database: DatabaseSync): (row: CacheRow) => boolean {
  const insertEntry = database.prepare(`
    INSERT INTO cache_entries (key, caller, target, generation, cost_usd, bytes, hits, created_at, used_at)
    VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT DO NOTHING`);
  const insertImages = database.prepare('INSERT INTO cache_images (entry, images) VALUES (?, ?)');
  const insertAsset = database.prepare(`
    INSERT INTO assets (hash, type, bytes, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`);
  const insertReference = database.prepare(
    'INSERT INTO cache_assets (entry, hash) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  return ({ key, caller, target, generation, costUsd, createdAt, bytes: all, images, assets }) => {
    const written = insertEntry.run(key, caller, target, generation, costUsd, all, createdAt, createdAt);
    if (written.changes === 0) return false;
    const number = Number(written.lastInsertRowid);
    insertImages.run(number, images);
    for (const { hash, type, bytes } of assets) {
      insertAsset.run(hash, type, bytes, createdAt);
      insertReference.run(number, hash);
    }
    return true;
  };
}

/** Takes entries out; returns the assets that nothing refers to any more. */
function prepareRemoval(database: DatabaseSync, removeUnreferenced: (hash: string) => AssetRow | undefined) {
  const selectReferences = database.prepare('SELECT hash FROM cache_assets WHERE entry = ?');
  const removals = [
    'DELETE FROM cache_assets WHERE entry = ?',
    'DELETE FROM cache_images WHERE entry = ?',
    'DELETE FROM cache_entries WHERE number = ?',
  ].map((sql) => database.prepare(sql));
  return (entry: number): readonly AssetRow[] => {
    const references = selectReferences.all(entry);
    for (const statement of removals) statement.run(entry);
    return references.flatMap(({ hash }) => removeUnreferenced(String(hash)) ?? []);
  };
}

function prepareEviction(database: DatabaseSync, remove: (entry: number) => readonly AssetRow[]) {
  const sum = database.prepare(SUM);
  const selectOld = database.prepare(`
    SELECT number, bytes FROM cache_entries WHERE created_at < ? ORDER BY created_at LIMIT ?`);
  const selectUnused = database.prepare(`SELECT number, bytes FROM cache_entries ${BY_USE} LIMIT ?`);
  const endClaims = database.prepare(`
    DELETE FROM cache_claims WHERE key IN (SELECT key FROM cache_claims WHERE until <= ? LIMIT ?)`);

  const count = () => {
    const { entries, bytes } = sum.get() ?? {};
    return { entries: Number(entries), bytes: Number(bytes) };
  };

  /** `before`: what all there is takes. */
  function evict(rows: readonly Columns[], before: Evicted['left']): Evicted {
    const assets = rows.flatMap(({ number }) => remove(Number(number)));
    const bytes = rows.reduce((all, row) => all + Number(row.bytes), 0);
    const left = { entries: before.entries - rows.length, bytes: before.bytes - bytes };
    return { entries: rows.length, bytes, left, assets };
  }

  return {
    cacheClear(filter: CacheFilter, limit: number): Evicted {
      const { where, values } = cacheSql(filter);
      const found = database.prepare(`SELECT number, bytes FROM cache_entries ${where} ${BY_USE} LIMIT ?`);
      return evict(found.all(...values, limit), count());
    },

    cacheEvict({ createdBefore, maxBytes, maxEntries, now, limit }: CacheBounds): Evicted {
      endClaims.run(now, limit);
      const old = evict(selectOld.all(createdBefore, limit), count());
      let { entries, bytes } = old.left;
      const unused = selectUnused.all(limit - old.entries).filter((row) => {
        if (entries <= maxEntries && bytes <= maxBytes) return false;
        entries -= 1;
        bytes -= Number(row.bytes);
        return true;
      });
      const beyond = evict(unused, old.left);
      return {
        entries: old.entries + beyond.entries,
        bytes: old.bytes + beyond.bytes,
        left: beyond.left,
        assets: [...old.assets, ...beyond.assets],
      };
    },
  };
}

function prepareStats(database: DatabaseSync) {
  return (filter: CacheFilter): { readonly all: Columns | undefined; readonly targets: readonly Columns[] } => {
    const { where, values } = cacheSql(filter);
    const sums = `count(*) AS entries, coalesce(sum(bytes), 0) AS bytes, coalesce(sum(hits), 0) AS hits,
      coalesce(sum(hits * cost_usd), 0) AS savedUsd`;
    const all = database.prepare(`SELECT ${sums}, min(created_at) AS oldestAt FROM cache_entries ${where}`);
    const targets = database.prepare(`
      SELECT target, ${sums} FROM cache_entries ${where} GROUP BY target ORDER BY bytes DESC, target
      LIMIT ${MAX_TARGETS_TOLD}`);
    return { all: all.get(...values), targets: targets.all(...values) };
  };
}

function cacheSql({ caller, target, key }: CacheFilter) {
  const conditions = [
    { sql: 'caller = ?', value: caller },
    { sql: 'target = ?', value: target },
    { sql: 'key = ?', value: key },
  ].flatMap(({ sql, value }) => (value === undefined ? [] : [{ sql, value }]));
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  return { where, values: conditions.map(({ value }) => value) };
}

function prepareClaims(database: DatabaseSync) {
  const claim = database.prepare(`
    INSERT INTO cache_claims (key, generation, since, until) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET generation = excluded.generation, since = excluded.since, until = excluded.until
    WHERE until <= excluded.since OR generation = ?`);
  const select = database.prepare('SELECT generation, since FROM cache_claims WHERE key = ?');
  const release = database.prepare('DELETE FROM cache_claims WHERE key = ? AND generation = ?');
  return {
    cacheClaim({ key, generation, until }: CacheClaim, now: number, from: string | null): CacheHolder {
      claim.run(key, generation, now, until, from);
      const held = select.get(key);
      return { generation: String(held?.generation), since: Number(held?.since) };
    },

    cacheRelease(key: string, generation: string): void {
      release.run(key, generation);
    },
  };
}
