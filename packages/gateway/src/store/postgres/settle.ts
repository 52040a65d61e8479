import type { Settlement } from '../ledger.ts';
import { DOUBTFUL } from '../ledger-sql.ts';
import { type Doubtful, type DoubtfulLine, settled } from '../settlement.ts';
import type { Statement, Transaction, Verb } from './verb.ts';

type Answer = 'settled' | 'not_unknown' | 'not_found';

const FIND: Statement = {
  name: 'settle-find',
  text: `
    SELECT g.caller, g.billed, g.cost_usd AS "costUsd", g.possible_usd AS "possibleUsd", EXISTS (
      SELECT FROM ledger l WHERE l.generation = g.id AND (l.spent IS NULL OR l.spent > 0 OR l.images > 0)
    ) AS "isBilled", EXISTS (SELECT FROM ledger l WHERE l.generation = g.id) AS "hasLines"
    FROM generations g WHERE g.id = $1 FOR UPDATE OF g`,
};
const FIND_LINES: Statement = {
  name: 'settle-lines',
  text: `
    SELECT number, counted_at AS at, possible, kept, possible_images AS images FROM ledger
    WHERE generation = $1 AND ${DOUBTFUL} ORDER BY number`,
};
const SETTLE_LINES: Statement = {
  name: 'settle-each',
  text: `
    WITH wanted AS MATERIALIZED (
      SELECT * FROM json_to_recordset($1::json) AS w (
        number bigint, at bigint, spent bigint, images integer, released bigint, "releasedImages" integer)
    ), changed AS (
      UPDATE ledger l SET spent = l.spent + w.spent, images = l.images + w.images, possible = 0, possible_images = 0,
        kept = NULL, priced = 'settled'
      FROM wanted w WHERE l.number = w.number
    ), uses AS (
      SELECT b.caller, b.name, b.unit, b.since,
        sum(CASE b.unit WHEN 'images' THEN w.images ELSE coalesce(w.spent, 0) END) AS spent,
        sum(CASE b.unit WHEN 'images' THEN w."releasedImages" ELSE w.released END) AS released
      FROM wanted w JOIN budget_uses b ON b.caller = $2 AND w.at >= b.since AND w.at < b.until
      GROUP BY b.caller, b.name, b.unit, b.since
    )
    UPDATE budget_uses b SET spent = b.spent + u.spent, held = greatest(0, b.held - u.released)
    FROM uses u WHERE b.caller = u.caller AND b.name = u.name AND b.unit = u.unit AND b.since = u.since`,
};
const SETTLE_ROW: Statement = {
  name: 'settle-row',
  text: `
    UPDATE generations SET billed = $2, cost_usd = $3, possible_usd = NULL, settled_at = $4, settled = $5
    WHERE id = $1`,
};

export const settle: Verb<Settlement, Answer> = {
  // What turns out to be free gives its key free, to whichever creation comes next.
  touches: () => 'everything',
  counts: () => 'anything',
  inSteps: true,

  async run(transaction, operations) {
    const answers: Answer[] = [];
    for (const settlement of operations) answers.push(await settleOne(transaction, settlement));
    return answers;
  },
};

async function settleOne({ query }: Transaction, settlement: Settlement): Promise<Answer> {
  const { generation, verdict, at } = settlement;
  const [[row], doubtful] = await Promise.all([query(FIND, [generation]), query(FIND_LINES, [generation])]);
  if (row === undefined) return 'not_found';
  if (row.billed !== 'maybe') return 'not_unknown';
  // The bill of an answer that broke off is in its lines: they know it, whatever its failure says.
  if (row.hasLines === true && doubtful.length === 0) return 'not_unknown';
  // The queries name these columns, and type them.
  const known = row as unknown as Omit<Doubtful, 'lines'>;
  const end = settled({ ...known, lines: doubtful as unknown as readonly DoubtfulLine[] }, settlement);
  await Promise.all([
    query(SETTLE_LINES, [JSON.stringify(end.lines), String(row.caller)]),
    query(SETTLE_ROW, [generation, end.billed, end.costUsd, at, verdict]),
  ]);
  return 'settled';
}
