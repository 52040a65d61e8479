import type { LedgerColumns } from '../ledger-row.ts';
import type { Fence, Summary } from '../store.ts';
import { insertAssets } from './assets.ts';
import { lineRow, RECORD } from './ledger.ts';
import { insertWebhooks } from './outbox.ts';
import { type Columns, type Statement, touching, type Verb } from './verb.ts';

export interface AppendArgs extends Fence {
  /** JSON, one per event. */
  readonly events: readonly string[];
  readonly summary: Summary | undefined;
  /** The summary's. */
  readonly lines: readonly LedgerColumns[];
}

const FENCE_COLUMNS = 'position integer, id text, run integer, length integer, worker text, events text';

/**
 * The fence: a generation's row is locked for the rest of the transaction, and what stands in it then decides. Only the
 * holder of its lease appends, so a lock on that row is a lock on its journals.
 */
const HELD = `
  held AS MATERIALIZED (
    SELECT w.*, g.number FROM wanted w JOIN generations g ON g.id = w.id
    WHERE g.worker = w.worker AND w.run >= 0 AND w.run < g.runs AND w.length = coalesce(
      (SELECT e.seq + 1 FROM events e WHERE e.generation = g.number AND e.run = w.run ORDER BY e.seq DESC LIMIT 1), 0)
    FOR UPDATE OF g
  ), appended AS (
    INSERT INTO events (generation, run, seq, event)
    SELECT h.number, h.run, h.length + e.nth - 1, e.event
    FROM held h CROSS JOIN LATERAL unnest(string_to_array(h.events, E'\\n')) WITH ORDINALITY AS e (event, nth)
  )`;

const APPEND: Statement = {
  name: 'append',
  text: `
    WITH wanted AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json) AS w (${FENCE_COLUMNS})), ${HELD}
    SELECT position, false AS due FROM held`,
};

const FINISH: Statement = {
  name: 'finish',
  text: `
    WITH wanted AS MATERIALIZED (
      SELECT * FROM json_to_recordset($1::json) AS w (
        ${FENCE_COLUMNS}, status text, finished_at bigint, code text, billed text, target text,
        cost_usd double precision, possible_usd double precision, event_id text, event_type text, event_at bigint
      )
    ), ${HELD}, finished AS (
      UPDATE generations g
      SET status = h.status, finished_at = h.finished_at, code = h.code, billed = h.billed, target = h.target,
        cost_usd = h.cost_usd, possible_usd = h.possible_usd, worker = NULL, lease_until = NULL
      FROM held h WHERE g.number = h.number
    ), referred AS MATERIALIZED (
      SELECT h.number, w.hash, w.type, w.bytes, h.finished_at AS at
      FROM json_to_recordset($2::json) AS w (position integer, hash text, type text, bytes bigint)
      JOIN held h ON h.position = w.position
    ), ${insertAssets('referred')}, handed_over AS (
      INSERT INTO delivered (generation, behind, caller, hash, type, bytes, width, height)
      SELECT h.number, w.behind, g.caller, w.hash, w.type, w.bytes, w.width, w.height
      FROM json_to_recordset($4::json) AS w (
        position integer, behind integer, hash text, type text, bytes bigint, width integer, height integer)
      JOIN held h ON h.position = w.position JOIN generations g ON g.number = h.number
    ), hooked AS MATERIALIZED (
      SELECT h.number, g.caller, g.webhook, h.event_id, h.event_type, h.event_at
      FROM held h JOIN generations g ON g.number = h.number
      WHERE h.event_id IS NOT NULL AND g.webhook IS NOT NULL
    ), ${insertWebhooks('hooked')}, ${RECORD}
    SELECT h.position, EXISTS (SELECT FROM outbox o WHERE o.generation = h.number AND o.state = 'waiting') AS due
    FROM held h`,
};

/** Resolves with false where the fence held. */
export const append: Verb<AppendArgs, boolean> = {
  // What cost nothing gives its key free, to whichever creation comes next.
  touches: ({ generation, summary }) =>
    summary?.billed === 'no'
      ? 'everything'
      : [touching.generation(generation), ...(summary?.webhook ? [touching.webhook(summary.webhook.id)] : [])],
  counts: ({ generation, summary }) => summary && { generations: [generation] },
  weigh: ({ events }) => events.reduce((sum, event) => sum + event.length, 0),
  joins: true,

  async run({ query, tell }, operations) {
    // In the order of their ids, so that nodes which lock the same rows never wait for each other.
    const ordered = operations
      .map((args, position) => ({ args, position }))
      .sort((one, other) => (one.args.generation < other.args.generation ? -1 : 1));
    const plain = ordered.filter(({ args }) => args.summary === undefined).map(rowOf);
    const finishing = ordered.filter(({ args }) => args.summary !== undefined);
    const assets = finishing.flatMap(({ args, position }) =>
      (args.summary?.assets ?? []).map((row) => ({ ...row, position })),
    );
    const lines = finishing.flatMap(({ args, position }) =>
      args.lines.map((line) => ({ ...lineRow(line), ends: position })),
    );
    const written = lines.map((line, position) => ({ ...line, position }));
    const none: Promise<readonly Columns[]> = Promise.resolve([]);
    const [appended, finished] = await Promise.all([
      plain.length === 0 ? none : query(APPEND, [JSON.stringify(plain)]),
      finishing.length === 0
        ? none
        : query(
            FINISH,
            [finishing.map(rowOf), assets, written, picturesOf(finishing)].map((rows) => JSON.stringify(rows)),
          ),
    ]);
    for (const { position } of finished) tell({ kind: 'finished', id: operations[Number(position)]?.generation ?? '' });
    if (finished.some(({ due }) => due === true)) tell({ kind: 'webhook' });
    const done = new Set([...appended, ...finished].map(({ position }) => position));
    return operations.map((_, position) => done.has(position));
  },
};

interface Placed {
  readonly args: AppendArgs;
  readonly position: number;
}

function picturesOf(finishing: readonly Placed[]) {
  return finishing.flatMap(({ args, position }) =>
    (args.summary?.pictures ?? []).map((picture, index) => ({ ...picture, position, behind: -index })),
  );
}

function rowOf({ args, position }: Placed) {
  const { generation, run, length, worker, events, summary } = args;
  const fence = { position, id: generation, run, length, worker, events: events.join('\n') };
  if (summary === undefined) return fence;
  const { status, code, billed, target, webhook } = summary;
  return {
    ...fence,
    ...{ status, code, billed, target, finished_at: summary.finishedAt },
    ...{ cost_usd: summary.costUsd, possible_usd: summary.possibleUsd },
    ...(webhook && { event_id: webhook.id, event_type: webhook.type, event_at: webhook.at }),
  };
}
