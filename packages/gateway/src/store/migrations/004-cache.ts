/**
 * What an entry shows stands apart from the row that every use touches and every sweep reads. `cache_assets` is to the
 * cache what `generation_assets` is to generations: either keeps a picture. The index of uses holds what sums need.
 */
export const cache = `
  CREATE TABLE cache_entries (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    caller TEXT NOT NULL,
    target TEXT NOT NULL,
    generation TEXT NOT NULL,
    cost_usd REAL,
    bytes INTEGER NOT NULL,
    hits INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX cache_entries_by_use ON cache_entries (used_at, bytes);
  CREATE INDEX cache_entries_by_age ON cache_entries (created_at);
  CREATE INDEX cache_entries_by_caller ON cache_entries (caller, used_at);

  CREATE TABLE cache_images (
    entry INTEGER PRIMARY KEY,
    images TEXT NOT NULL
  ) STRICT;

  CREATE TABLE cache_assets (
    entry INTEGER NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (entry, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX cache_assets_by_hash ON cache_assets (hash);

  CREATE TABLE cache_claims (
    key TEXT PRIMARY KEY,
    generation TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX cache_claims_by_end ON cache_claims (until);
`;
