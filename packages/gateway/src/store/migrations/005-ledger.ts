/**
 * The ledger is read by time, by caller and time, and by failure; a line counts in budgets at `counted_at`, which is
 * nearly always when its attempt started, so that those few where it is not have an index of their own. Lines outlive
 * their generation and name it by its id. The callers of a failure stand in its index, which answers by itself.
 */
export const ledger = `
  ALTER TABLE generations ADD COLUMN chat INTEGER;
  ALTER TABLE generations ADD COLUMN settled_at INTEGER;
  ALTER TABLE generations ADD COLUMN settled TEXT;
  CREATE INDEX generations_by_request_id ON generations (request_id);
  DROP INDEX generations_unknown;
  CREATE INDEX generations_unknown ON generations (created_at, id) WHERE billed = 'maybe' AND settled_at IS NULL;
  CREATE INDEX assets_by_age ON assets (created_at, hash);

  CREATE TABLE ledger (
    number INTEGER PRIMARY KEY,
    generation TEXT NOT NULL,
    caller TEXT NOT NULL,
    route TEXT NOT NULL,
    makes TEXT NOT NULL,
    request_id TEXT NOT NULL,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    provider TEXT,
    target TEXT,
    role TEXT NOT NULL,
    images INTEGER NOT NULL,
    spent INTEGER,
    possible INTEGER,
    possible_images INTEGER NOT NULL,
    saved INTEGER,
    priced TEXT NOT NULL,
    kind TEXT,
    certainty TEXT,
    code TEXT,
    message TEXT,
    status INTEGER,
    provider_request_id TEXT,
    fingerprint TEXT,
    counted_at INTEGER NOT NULL,
    kept INTEGER
  ) STRICT;
  CREATE INDEX ledger_by_age ON ledger (started_at);
  CREATE INDEX ledger_by_caller ON ledger (caller, started_at);
  CREATE INDEX ledger_by_generation ON ledger (generation);
  CREATE INDEX ledger_counted ON ledger (caller, counted_at) WHERE counted_at <> started_at;
  CREATE INDEX ledger_by_failure ON ledger (fingerprint, started_at, caller) WHERE fingerprint IS NOT NULL;
  CREATE INDEX ledger_by_provider_request ON ledger (provider_request_id) WHERE provider_request_id IS NOT NULL;
  CREATE INDEX ledger_cached ON ledger (request_id) WHERE role = 'cached';

  CREATE TABLE holds (
    generation TEXT NOT NULL,
    run INTEGER NOT NULL,
    caller TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL,
    at INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (generation, run, name, unit, since)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX holds_by_window ON holds (caller, name, unit, since);

  CREATE TABLE budget_uses (
    caller TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    held INTEGER NOT NULL,
    PRIMARY KEY (caller, name, unit, since)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX budget_uses_by_end ON budget_uses (until);
`;
