import type { BookedColumns, LedgerColumns } from '../ledger-row.ts';
import type { Statement, Verb } from './verb.ts';

/** A line as a row of JSON: what `LINE_COLUMNS` names. */
const LINE_NAMES = {
  run: 'integer',
  attempt: 'integer',
  started_at: 'bigint',
  ended_at: 'bigint',
  provider: 'text',
  target: 'text',
  role: 'text',
  images: 'integer',
  spent: 'bigint',
  possible: 'bigint',
  possible_images: 'integer',
  saved: 'bigint',
  priced: 'text',
  kind: 'text',
  certainty: 'text',
  code: 'text',
  message: 'text',
  status: 'integer',
  provider_request_id: 'text',
  fingerprint: 'text',
} as const;

const COLUMNS = Object.keys(LINE_NAMES).join(', ');
const TYPED = Object.entries(LINE_NAMES)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');
const ORIGIN = 'generation, caller, route, makes, request_id';

/** Parts of a `WITH` that write the rows of `counted` into the ledger and add them to the windows they count in. */
const WRITE = `
  written_lines AS (
    INSERT INTO ledger (${ORIGIN}, ${COLUMNS}, counted_at, kept)
    SELECT ${ORIGIN}, ${COLUMNS}, counted_at, kept FROM counted ORDER BY position
  ), counted_uses AS (
    SELECT b.caller, b.name, b.unit, b.since,
      sum(CASE b.unit WHEN 'images' THEN c.images ELSE coalesce(c.spent, 0) END) AS spent,
      sum(CASE b.unit WHEN 'images' THEN c.possible_images ELSE coalesce(c.possible, c.kept, 0) END) AS held
    FROM counted c JOIN budget_uses b
      ON b.caller = c.caller AND c.counted_at >= b.since AND c.counted_at < b.until
    GROUP BY b.caller, b.name, b.unit, b.since
  )`;

/** And this adds them up. */
function addUses(source: string): string {
  return `
    added_uses AS (
      UPDATE budget_uses b SET spent = b.spent + s.spent, held = greatest(0, b.held + s.held)
      FROM (
        SELECT caller, name, unit, since, sum(spent) AS spent, sum(held) AS held FROM ${source} uses
        GROUP BY caller, name, unit, since
      ) s
      WHERE b.caller = s.caller AND b.name = s.name AND b.unit = s.unit AND b.since = s.since
    )`;
}

/**
 * Parts of the `WITH` that ends a generation: `held` are those whose fence did not hold others (position, id, number),
 * parameter 3 the lines. What the generation's runs held is released, and what their lines say takes its place.
 */
export const RECORD = `
  released AS (
    DELETE FROM holds x USING held h WHERE x.generation = h.id
    RETURNING x.generation, x.run, x.caller, x.name, x.unit, x.since, x.until, x.at, x.amount
  ), runs AS MATERIALIZED (
    SELECT generation, run, max(at) AS at, max(since) AS since, min(until) AS until,
      coalesce(max(amount) FILTER (WHERE unit = 'micro_usd'), 0) AS amount
    FROM released GROUP BY generation, run
  ), counted AS MATERIALIZED (
    SELECT l.*, h.id AS generation, g.caller, g.route, CASE WHEN g.chat THEN 'chat' ELSE 'pictures' END AS makes,
      g.request_id,
      CASE WHEN l.started_at < r.since OR l.started_at >= r.until THEN r.at ELSE l.started_at END AS counted_at,
      CASE WHEN l.keeps_beyond IS NOT NULL THEN greatest(0, r.amount - l.keeps_beyond) END AS kept
    FROM json_to_recordset($3::json) AS l (ends integer, position integer, keeps_beyond bigint, ${TYPED})
    JOIN held h ON h.position = l.ends JOIN generations g ON g.number = h.number
    LEFT JOIN runs r ON r.generation = h.id AND r.run = l.run
  ), ${WRITE}, ${addUses(`(
    SELECT caller, name, unit, since, spent, held FROM counted_uses
    UNION ALL SELECT caller, name, unit, since, 0, -amount FROM released
  )`)}`;

const BOOK: Statement = {
  name: 'book',
  text: `
    WITH counted AS MATERIALIZED (
      SELECT l.*, l.started_at AS counted_at, NULL::bigint AS kept
      FROM json_to_recordset($1::json) AS l (
        position integer, generation text, caller text, route text, makes text, request_id text, ${TYPED})
    ), ${WRITE}, ${addUses('(SELECT * FROM counted_uses)')}
    SELECT`,
};

export const book: Verb<readonly BookedColumns[], void> = {
  touches: () => [],
  counts: (lines) => ({ callers: [...new Set(lines.map(({ origin }) => origin.caller))] }),
  joins: true,

  async run({ query }, operations) {
    const rows = operations.flat().map(({ origin: { requestId, ...origin }, line }, position) => ({
      ...{ ...origin, request_id: requestId, position },
      ...lineRow(line),
    }));
    await query(BOOK, [JSON.stringify(rows)]);
    return [];
  },
};

/** By the names of the columns. */
export function lineRow(line: LedgerColumns) {
  const { startedAt, endedAt, possibleImages, providerRequestId, keepsBeyond, ...same } = line;
  return {
    ...{ ...same, started_at: startedAt, ended_at: endedAt, possible_images: possibleImages },
    ...{ provider_request_id: providerRequestId, keeps_beyond: keepsBeyond },
  };
}
