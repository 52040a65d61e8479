import { gallery } from './gallery-schema.ts';

/**
 * Texts that are looked up or sorted are compared by their bytes, so that no index depends on a locale. What callers
 * and providers wrote (prompt, plan, event, cell) is kept as JSON text, whose escapes hold what PostgreSQL's text
 * cannot: U+0000 and halves of pairs. Plans, which may be large, stand apart from the row that every lease touches.
 */
const generations = `
  CREATE TABLE generations (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    caller text COLLATE "C" NOT NULL,
    endpoint text NOT NULL,
    route text NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    request_id text NOT NULL,
    runs integer NOT NULL,
    status text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    finished_at bigint,
    delivered_at bigint,
    lost_at bigint,
    taken_at bigint,
    cancel_requested_at bigint,
    code text,
    billed text,
    target text,
    cost_usd double precision,
    possible_usd double precision,
    worker text,
    lease_until bigint,
    task boolean,
    webhook text,
    queue text COLLATE "C",
    tag double precision,
    cost double precision,
    priority text,
    images integer,
    deadline_at bigint
  ) WITH (fillfactor = 80);
  CREATE INDEX generations_by_age ON generations (created_at, id);
  CREATE INDEX generations_by_caller ON generations (caller, created_at, id);
  CREATE INDEX generations_by_status ON generations (status, created_at, id) WHERE status <> 'completed';
  CREATE INDEX generations_unknown ON generations (created_at, id) WHERE code = 'outcome_unknown';
  CREATE INDEX generations_waiting ON generations (queue, tag, number) WHERE status = 'pending';
  CREATE INDEX generations_overdue ON generations (deadline_at) WHERE status = 'pending';
  CREATE INDEX generations_undelivered ON generations (finished_at) WHERE delivered_at IS NULL AND task IS NULL;
  CREATE INDEX generations_by_request ON generations (fingerprint) WHERE delivered_at IS NULL AND task IS NULL;

  CREATE TABLE plans (
    generation bigint PRIMARY KEY,
    prompt text NOT NULL,
    plan text NOT NULL
  );

  CREATE TABLE events (
    generation bigint NOT NULL,
    run integer NOT NULL,
    seq integer NOT NULL,
    event text NOT NULL,
    PRIMARY KEY (generation, run, seq)
  );

  CREATE TABLE idempotency (
    caller text COLLATE "C" NOT NULL,
    endpoint text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    generation text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (caller, endpoint, key)
  );
  CREATE INDEX idempotency_by_generation ON idempotency (generation);

  CREATE TABLE assets (
    hash text COLLATE "C" PRIMARY KEY,
    type text NOT NULL,
    bytes bigint NOT NULL,
    created_at bigint NOT NULL
  );

  CREATE TABLE generation_assets (
    generation bigint NOT NULL,
    hash text COLLATE "C" NOT NULL,
    PRIMARY KEY (generation, hash)
  );
  CREATE INDEX generation_assets_by_hash ON generation_assets (hash);
`;

const webhooks = `
  CREATE TABLE webhooks (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    generation bigint NOT NULL,
    caller text COLLATE "C" NOT NULL,
    url text NOT NULL,
    type text NOT NULL,
    at bigint NOT NULL,
    state text NOT NULL,
    tries integer NOT NULL,
    retry_at bigint,
    settled_at bigint,
    status integer,
    reason text
  );
  CREATE INDEX webhooks_by_generation ON webhooks (generation);
  CREATE INDEX webhooks_by_caller ON webhooks (caller, number);
  CREATE INDEX webhooks_due ON webhooks (retry_at, number) WHERE state = 'waiting';

  CREATE TABLE disabled_endpoints (
    caller text COLLATE "C" NOT NULL,
    url text NOT NULL,
    disabled_at bigint NOT NULL
  );
  CREATE INDEX disabled_endpoints_by_caller ON disabled_endpoints (caller);
`;

const shared = `
  CREATE TABLE cells (
    key text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    value text NOT NULL
  ) WITH (fillfactor = 50);

  CREATE TABLE pictures (
    hash text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    written_at bigint NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (hash, type)
  );
  ALTER TABLE pictures ALTER COLUMN bytes SET STORAGE EXTERNAL;
`;

/** As `generation_assets` for generations, `cache_assets` keeps the pictures that cached entries show. */
const cache = `
  CREATE TABLE cache_entries (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text COLLATE "C" NOT NULL UNIQUE,
    caller text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    generation text NOT NULL,
    cost_usd double precision,
    bytes bigint NOT NULL,
    hits bigint NOT NULL,
    created_at bigint NOT NULL,
    used_at bigint NOT NULL
  ) WITH (fillfactor = 80);
  CREATE INDEX cache_entries_by_use ON cache_entries (used_at, number);
  CREATE INDEX cache_entries_by_age ON cache_entries (created_at);
  CREATE INDEX cache_entries_by_caller ON cache_entries (caller, used_at);

  CREATE TABLE cache_images (
    entry bigint PRIMARY KEY,
    images text NOT NULL
  );

  CREATE TABLE cache_assets (
    entry bigint NOT NULL,
    hash text COLLATE "C" NOT NULL,
    PRIMARY KEY (entry, hash)
  );
  CREATE INDEX cache_assets_by_hash ON cache_assets (hash);

  CREATE TABLE cache_claims (
    key text COLLATE "C" PRIMARY KEY,
    generation text NOT NULL,
    since bigint NOT NULL,
    until bigint NOT NULL
  );
  CREATE INDEX cache_claims_by_end ON cache_claims (until);
`;

/**
 * The ledger is read by time, by caller and time, and by failure; a line counts in budgets at `counted_at`, which is
 * nearly always when its attempt started. Lines outlive their generation and name it by its id.
 */
const ledger = `
  ALTER TABLE generations ADD COLUMN chat boolean;
  ALTER TABLE generations ADD COLUMN settled_at bigint;
  ALTER TABLE generations ADD COLUMN settled text;
  ALTER TABLE generations ALTER COLUMN request_id TYPE text COLLATE "C";
  CREATE INDEX generations_by_request_id ON generations (request_id);
  DROP INDEX generations_unknown;
  CREATE INDEX generations_unknown ON generations (created_at, id)
    WHERE billed = 'maybe' AND settled_at IS NULL;
  CREATE INDEX assets_by_age ON assets (created_at, hash);

  CREATE TABLE ledger (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    generation text COLLATE "C" NOT NULL,
    caller text COLLATE "C" NOT NULL,
    route text NOT NULL,
    makes text NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    run integer NOT NULL,
    attempt integer NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint,
    provider text,
    target text,
    role text NOT NULL,
    images integer NOT NULL,
    spent bigint,
    possible bigint,
    possible_images integer NOT NULL,
    saved bigint,
    priced text NOT NULL,
    kind text,
    certainty text,
    code text,
    message text,
    status integer,
    provider_request_id text COLLATE "C",
    fingerprint text COLLATE "C",
    counted_at bigint NOT NULL,
    kept bigint
  );
  CREATE INDEX ledger_by_age ON ledger (started_at);
  CREATE INDEX ledger_by_caller ON ledger (caller, started_at);
  CREATE INDEX ledger_by_generation ON ledger (generation);
  CREATE INDEX ledger_counted ON ledger (caller, counted_at) WHERE counted_at <> started_at;
  CREATE INDEX ledger_by_failure ON ledger (fingerprint, started_at, caller) WHERE fingerprint IS NOT NULL;
  CREATE INDEX ledger_by_provider_request ON ledger (provider_request_id) WHERE provider_request_id IS NOT NULL;
  CREATE INDEX ledger_cached ON ledger (request_id) WHERE role = 'cached';

  CREATE TABLE holds (
    generation text COLLATE "C" NOT NULL,
    run integer NOT NULL,
    caller text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    unit text COLLATE "C" NOT NULL,
    amount bigint NOT NULL,
    at bigint NOT NULL,
    since bigint NOT NULL,
    until bigint NOT NULL,
    PRIMARY KEY (generation, run, name, unit, since)
  );
  CREATE INDEX holds_by_window ON holds (caller, name, unit, since);

  CREATE TABLE budget_uses (
    caller text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    unit text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    until bigint NOT NULL,
    spent bigint NOT NULL,
    held bigint NOT NULL,
    PRIMARY KEY (caller, name, unit, since)
  ) WITH (fillfactor = 50);
  CREATE INDEX budget_uses_by_end ON budget_uses (until);
`;

/** The steps to the present schema, in order. A step that was released never changes; `schema_version` counts them. */
export const STEPS: readonly string[] = [generations + webhooks + shared, cache, ledger, gallery];
