/**
 * What waits stands in a table of its own, in the order in which it goes: claiming is a range read of few bytes, and
 * generations that never wait pay nothing for it. One index serves every status but the one most end in. That of what
 * was never delivered holds finished rows alone now, so that a generation enters it once.
 */
export const tasks = `
  ALTER TABLE generations ADD COLUMN task INTEGER;
  ALTER TABLE generations ADD COLUMN webhook TEXT;
  ALTER TABLE generations ADD COLUMN cancel_requested_at INTEGER;
  ALTER TABLE generations ADD COLUMN lost_at INTEGER;
  ALTER TABLE generations ADD COLUMN taken_at INTEGER;
  ALTER TABLE generations ADD COLUMN tag REAL;
  DROP INDEX generations_unfinished;
  DROP INDEX generations_failed;
  CREATE INDEX generations_by_status ON generations (status, created_at, id) WHERE status <> 'completed';
  DROP INDEX generations_undelivered;
  CREATE INDEX generations_undelivered ON generations (finished_at)
    WHERE finished_at IS NOT NULL AND delivered_at IS NULL AND task IS NULL;
  CREATE INDEX generations_lost ON generations (fingerprint) WHERE lost_at IS NOT NULL;

  CREATE TABLE waiting (
    queue TEXT NOT NULL,
    tag REAL NOT NULL,
    generation INTEGER NOT NULL,
    caller TEXT NOT NULL,
    priority TEXT NOT NULL,
    cost REAL NOT NULL,
    images INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    PRIMARY KEY (queue, tag, generation)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX waiting_by_generation ON waiting (generation);

  CREATE TABLE webhooks (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    generation INTEGER NOT NULL,
    caller TEXT NOT NULL,
    url TEXT NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL,
    retry_at INTEGER,
    settled_at INTEGER,
    status INTEGER,
    reason TEXT
  ) STRICT;
  CREATE INDEX webhooks_by_generation ON webhooks (generation);
  CREATE INDEX webhooks_by_caller ON webhooks (caller);
  CREATE INDEX webhooks_due ON webhooks (retry_at) WHERE state = 'waiting';

  CREATE TABLE disabled_endpoints (
    caller TEXT NOT NULL,
    url TEXT NOT NULL,
    disabled_at INTEGER NOT NULL,
    PRIMARY KEY (caller, url)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE cells (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`;
