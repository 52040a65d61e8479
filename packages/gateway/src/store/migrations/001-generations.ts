/**
 * Generations are numbered in the order they came, so what is written now lies together at the end of every table.
 * Plans, which may be large, stand apart from the row that every lease and every list touches. No index holds a lease:
 * renewing one rewrites a row and nothing else.
 */
export const generations = `
  CREATE TABLE generations (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    caller TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    route TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    request_id TEXT NOT NULL,
    runs INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    delivered_at INTEGER,
    code TEXT,
    billed TEXT,
    target TEXT,
    cost_usd REAL,
    possible_usd REAL,
    worker TEXT,
    lease_until INTEGER
  ) STRICT;
  CREATE INDEX generations_by_caller ON generations (caller, created_at, id);
  CREATE INDEX generations_by_age ON generations (created_at, id);
  CREATE INDEX generations_unfinished ON generations (created_at, id) WHERE status = 'processing';
  CREATE INDEX generations_failed ON generations (created_at, id) WHERE status = 'failed';
  CREATE INDEX generations_unknown ON generations (created_at, id) WHERE code = 'outcome_unknown';
  CREATE INDEX generations_undelivered ON generations (finished_at) WHERE delivered_at IS NULL;

  CREATE TABLE plans (
    generation INTEGER PRIMARY KEY,
    prompt TEXT NOT NULL,
    plan TEXT NOT NULL
  ) STRICT;

  CREATE TABLE events (
    generation INTEGER NOT NULL,
    run INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (generation, run, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    key TEXT NOT NULL,
    generation INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (caller, endpoint, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_by_generation ON idempotency (generation);

  CREATE TABLE assets (
    hash TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE generation_assets (
    generation INTEGER NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (generation, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX generation_assets_by_hash ON generation_assets (hash);
`;
