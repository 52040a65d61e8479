import type { Created, NewGeneration } from '../store.ts';
import { insertAssets } from './assets.ts';
import { type Columns, type Statement, type Transaction, touching, type Verb } from './verb.ts';

/** A new generation whose plan and prompt are JSON already. */
export interface CreateArgs extends Omit<NewGeneration, 'plan' | 'webhook'> {
  readonly route: string;
  readonly prompt: string;
  /** As it is searched. */
  readonly searched: string;
  readonly chat?: true;
  readonly plan: string;
  readonly webhook?: string;
}

const COLUMNS = `id, caller, endpoint, route, fingerprint, request_id, runs, status, created_at, worker, lease_until,
  task, webhook, candidates, chat, queue, tag, cost, priority, images, deadline_at`;

/**
 * A key that another node is about to take makes this wait for that node's end. Who has it is asked in a second
 * statement, which sees what the first one waited for.
 */
const CREATE: Statement = {
  name: 'create',
  text: `
    WITH wanted AS MATERIALIZED (
      SELECT * FROM json_to_recordset($1::json) AS w (
        position integer, id text, caller text, endpoint text, route text, fingerprint text, request_id text,
        runs integer, status text, created_at bigint, worker text, lease_until bigint, task boolean, webhook text,
        candidates text, chat boolean, queue text, tag double precision, cost double precision, priority text, images integer, deadline_at bigint,
        prompt text, searched text, plan text, key text, expires_at bigint
      )
    ), taken_keys AS (
      INSERT INTO idempotency AS i (caller, endpoint, key, generation, created_at, expires_at)
      SELECT caller, endpoint, key, id, created_at, expires_at FROM wanted WHERE key IS NOT NULL
      ORDER BY caller, endpoint, key
      ON CONFLICT (caller, endpoint, key) DO UPDATE
      SET generation = excluded.generation, created_at = excluded.created_at, expires_at = excluded.expires_at
      WHERE i.expires_at <= excluded.created_at
        OR EXISTS (SELECT FROM generations g WHERE g.id = i.generation AND g.billed = 'no')
      RETURNING generation
    ), created AS (
      INSERT INTO generations (${COLUMNS})
      SELECT ${COLUMNS} FROM wanted WHERE key IS NULL OR id IN (SELECT generation FROM taken_keys) ORDER BY position
      RETURNING number, id
    ), planned AS (
      INSERT INTO plans (generation, prompt, plan)
      SELECT c.number, w.prompt, w.plan FROM created c JOIN wanted w ON w.id = c.id
    ), searchable AS (
      INSERT INTO search_texts (generation, text)
      SELECT c.number, w.searched FROM created c JOIN wanted w ON w.id = c.id
    )
    SELECT id FROM created`,
};

const FIND_OWNERS: Statement = {
  name: 'find-owners',
  text: `
    SELECT w.position, g.id, g.fingerprint
    FROM json_to_recordset($1::json) AS w (position integer, caller text, endpoint text, key text)
    JOIN idempotency i ON i.caller = w.caller AND i.endpoint = w.endpoint AND i.key = w.key
    JOIN generations g ON g.id = i.generation`,
};

const REFER: Statement = {
  name: 'create-assets',
  text: `
    WITH referred AS MATERIALIZED (
      SELECT g.number, w.hash, w.type, w.bytes, w.at
      FROM json_to_recordset($1::json) AS w (id text, hash text, type text, bytes bigint, at bigint)
      JOIN generations g ON g.id = w.id
    ), ${insertAssets('referred')}
    SELECT`,
};

export const create: Verb<CreateArgs, Created> = {
  touches: ({ id, caller, endpoint, idempotency }) => [
    touching.generation(id),
    ...(idempotency ? [touching.key(caller, endpoint, idempotency.key)] : []),
  ],
  weigh: ({ plan, prompt, searched }) => plan.length + prompt.length + searched.length,
  joins: true,

  async run(transaction, operations) {
    const [createdRows, owners] = await Promise.all(send(transaction, operations));
    const created = new Set(createdRows?.map(({ id }) => id));
    return operations.map(({ id, begin }, position): Created => {
      if (created.has(id)) {
        if ('place' in begin) transaction.tell({ kind: 'waiting', queue: begin.place.queue });
        return { kind: 'created' };
      }
      const owner = owners?.find((one) => one.position === position);
      if (owner === undefined)
        throw new RangeError(`generation ${id}: its Idempotency-Key went while it was looked up`);
      return { kind: 'existing', id: String(owner.id), fingerprint: String(owner.fingerprint) };
    });
  },
};

function send({ query }: Transaction, operations: readonly CreateArgs[]): readonly Promise<readonly Columns[]>[] {
  const keyed = operations.flatMap(({ caller, endpoint, idempotency }, position) =>
    idempotency ? [{ position, caller, endpoint, key: idempotency.key }] : [],
  );
  const assets = operations.flatMap(({ id, createdAt, assets }) =>
    assets.map((row) => ({ ...row, id, at: createdAt })),
  );
  const none = Promise.resolve([]);
  return [
    query(CREATE, [JSON.stringify(operations.map(rowOf))]),
    keyed.length === 0 ? none : query(FIND_OWNERS, [JSON.stringify(keyed)]),
    assets.length === 0 ? none : query(REFER, [JSON.stringify(assets)]),
  ];
}

function rowOf(args: CreateArgs, position: number) {
  const { id, caller, endpoint, route, fingerprint, runs, task, webhook, prompt, searched, plan, begin, idempotency } =
    args;
  const identity = { position, id, caller, endpoint, route, fingerprint, request_id: args.requestId };
  const { chat, candidates, createdAt } = args;
  const content = { runs, task, webhook, candidates, chat, prompt, searched, plan, created_at: createdAt };
  const key = idempotency && { key: idempotency.key, expires_at: idempotency.expiresAt };
  if ('lease' in begin) {
    const { worker, until } = begin.lease;
    return { ...identity, ...content, ...key, status: 'processing', worker, lease_until: until };
  }
  const { deadlineAt, ...place } = begin.place;
  return { ...identity, ...content, ...key, status: 'pending', ...place, deadline_at: deadlineAt };
}
