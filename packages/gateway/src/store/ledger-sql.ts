import type { AssetFilter, CostDimension, CostFilter, CostRow, FailureFilter, FailureGroup } from './ledger.ts';

/** What a statement says differently in each database. */
export interface Dialect {
  /** The parameter of this number, from 1. */
  readonly parameter: (number: number) => string;
  /** An aggregate: the values of a column as JSON text of a list. */
  readonly list: (column: string) => string;
}

export interface Sql {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

type Row = Readonly<Record<string, unknown>>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_CALLERS_TOLD = 20;

const DIMENSIONS: Readonly<Record<CostDimension, string>> = {
  model: 'target',
  provider: 'provider',
  route: 'route',
  key: 'caller',
  day: `started_at / ${DAY_MS}`,
  hour: `started_at / ${HOUR_MS}`,
  kind: 'makes',
};

/** What an attempt may have cost, or the pictures it was for, is in doubt. */
export const DOUBTFUL = '(possible IS NULL OR possible > 0 OR possible_images > 0)';

/**
 * Of generations `g`: in doubt, and settled by nobody. The first line is word for word the condition of an index. One
 * that broke off and told what it used is `maybe` too and has lines, but none in doubt; one older than the ledger has none.
 */
export const UNSETTLED = `g.billed = 'maybe' AND g.settled_at IS NULL
  AND (EXISTS (SELECT 1 FROM ledger l WHERE l.generation = g.id AND ${DOUBTFUL})
    OR NOT EXISTS (SELECT 1 FROM ledger l WHERE l.generation = g.id))`;
const REFUSED = `kind = 'policy'`;
const sum = (column: string, where = '') => `CAST(coalesce(sum(${column})${where}, 0) AS bigint)`;
const of = (condition: string) => ` FILTER (WHERE ${condition})`;

const SUMS: Readonly<Record<Exclude<keyof CostRow, 'group'>, string>> = {
  requests: `count(DISTINCT generation)${of(`role <> 'cached'`)} + count(*)${of(`role = 'cached'`)}`,
  attempts: `count(*)${of(`attempt > 0 AND role <> 'cached'`)}`,
  images: sum('images'),
  spentMicroUsd: sum('spent'),
  retriedMicroUsd: sum('spent', of(`role = 'retry'`)),
  fallbackMicroUsd: sum('spent', of(`role = 'fallback'`)),
  refused: `count(*)${of(REFUSED)}`,
  refusedMicroUsd: sum('spent', of(REFUSED)),
  cached: `count(*)${of(`role = 'cached'`)}`,
  savedMicroUsd: sum('saved', of(`role = 'cached'`)),
  unknown: `count(*)${of(DOUBTFUL)}`,
  possibleMicroUsd: sum('possible'),
  unpriced: `count(*)${of('spent IS NULL OR possible IS NULL')}`,
};

/** @throws {RangeError} a dimension that there is not */
export function checkDimensions(by: readonly string[]): void {
  for (const one of by) {
    if (Object.hasOwn(DIMENSIONS, one)) continue;
    throw new RangeError(`by: ${JSON.stringify(one)} is none of ${Object.keys(DIMENSIONS).join(', ')}`);
  }
}

/** @throws {RangeError} a dimension that there is not */
export function costsSql({ by, since, until, caller, limit }: CostFilter, { parameter }: Dialect): Sql {
  checkDimensions(by);
  const dimensions = [...new Set(by)];
  const groups = dimensions.map((one) => DIMENSIONS[one]);
  const columns = [
    ...dimensions.map((one) => `${DIMENSIONS[one]} AS "by_${one}"`),
    ...Object.entries(SUMS).map(([name, expression]) => `${expression} AS "${name}"`),
  ];
  const mine = caller === undefined ? '' : ` AND caller = ${parameter(4)}`;
  const grouped = groups.length === 0 ? 'HAVING count(*) > 0' : `GROUP BY ${groups.join(', ')}`;
  const text = `
    SELECT ${columns.join(', ')} FROM ledger
    WHERE started_at >= ${parameter(1)} AND started_at < ${parameter(2)}${mine}
    ${grouped} ORDER BY "spentMicroUsd" DESC LIMIT ${parameter(3)}`;
  return { text, values: [since, until, limit, ...(caller === undefined ? [] : [caller])] };
}

export function costRow(row: Row): CostRow {
  const group: Partial<Record<CostDimension, string>> = {};
  for (const one of Object.keys(DIMENSIONS) as CostDimension[]) {
    const value = row[`by_${one}`];
    if (value !== null && value !== undefined) group[one] = dimensionText(one, value);
  }
  const sums = Object.keys(SUMS).map((name) => [name, Number(row[name])]);
  return { group, ...(Object.fromEntries(sums) as Omit<CostRow, 'group'>) };
}

function dimensionText(dimension: CostDimension, value: unknown): string {
  if (dimension === 'day') return new Date(Number(value) * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);
  if (dimension === 'hour') return new Date(Number(value) * HOUR_MS).toISOString().slice(0, 'yyyy-mm-ddThh'.length);
  return String(value);
}

/** Groups first, by an index that answers alone; what is told of the latest is read for those that are told. */
export function failuresSql({ since, until, caller, limit }: FailureFilter, { parameter, list }: Dialect): Sql {
  const within = (table: string) =>
    `${table}.started_at >= ${parameter(1)} AND ${table}.started_at < ${parameter(2)}` +
    (caller === undefined ? '' : ` AND ${table}.caller = ${parameter(4)}`);
  const same = (table: string) => `${table}.fingerprint = g.fingerprint AND ${within(table)}`;
  const text = `
    WITH failures AS (
      SELECT f.fingerprint, count(*) AS count, min(f.started_at) AS first, max(f.started_at) AS last FROM ledger f
      WHERE f.fingerprint IS NOT NULL AND ${within('f')}
      GROUP BY f.fingerprint ORDER BY last DESC, f.fingerprint LIMIT ${parameter(3)}
    )
    SELECT g.fingerprint, g.count, g.first, g.last, l.target, l.kind, l.code, l.message, l.generation, (
      SELECT ${list('c.caller')} FROM (
        SELECT DISTINCT d.caller FROM ledger d WHERE ${same('d')} ORDER BY d.caller LIMIT ${MAX_CALLERS_TOLD}
      ) c
    ) AS callers
    FROM failures g JOIN ledger l ON l.number = (
      SELECT e.number FROM ledger e WHERE ${same('e')} AND e.started_at = g.last ORDER BY e.number DESC LIMIT 1
    )
    ORDER BY g.last DESC, g.fingerprint`;
  return { text, values: [since, until, limit, ...(caller === undefined ? [] : [caller])] };
}

export function failureGroup(row: Row): FailureGroup {
  const { target, code, message, callers, count, first, last } = row;
  return {
    fingerprint: String(row.fingerprint),
    ...(target !== null && { target: String(target) }),
    kind: row.kind as FailureGroup['kind'],
    ...(code !== null && { code: String(code) }),
    message: message === null ? '' : String(message),
    ...{ count: Number(count), first: Number(first), last: Number(last) },
    callers: JSON.parse(String(callers)),
    generation: String(row.generation),
  };
}

/** Parameter 1 is the request id, ours or a provider's. */
export const findByRequestIdSql = ({ parameter }: Dialect): string => `
  SELECT id FROM (
    SELECT id, created_at AS at FROM generations WHERE request_id = ${parameter(1)}
    UNION ALL
    SELECT generation, started_at FROM ledger WHERE provider_request_id = ${parameter(1)}
    UNION ALL
    SELECT generation, started_at FROM ledger WHERE request_id = ${parameter(1)} AND role = 'cached'
  ) found
  GROUP BY id ORDER BY max(at) DESC, id DESC LIMIT 10`;

/** What refers to an asset is asked for those alone that are told. */
export function assetsSql({ caller, hashFrom, before, limit }: AssetFilter, { parameter }: Dialect): Sql {
  const values: (string | number)[] = [];
  const next = (value: string | number) => parameter(values.push(value));
  const mine = caller === undefined ? '' : ` AND g.caller || '' = ${next(caller)}`;
  // CROSS JOIN and || '' keep both databases from reading every generation of the caller for each asset, and LIMIT keeps
  // PostgreSQL from joining all of them with all assets first.
  const users = `generation_assets r CROSS JOIN generations g
    WHERE g.number = r.generation AND r.hash = a.hash${mine}`;
  const conditions = [
    ...(caller === undefined ? [] : [`(SELECT r.generation FROM ${users} LIMIT 1) IS NOT NULL`]),
    // Hexadecimal, so that `g` comes after all that begin so.
    ...(hashFrom === undefined ? [] : [`a.hash >= ${next(hashFrom)} AND a.hash < ${next(`${hashFrom}g`)}`]),
    ...(before ? [`(a.created_at, a.hash) < (${next(before.createdAt)}, ${next(before.hash)})`] : []),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const text = `
    SELECT a.hash, a.type, a.bytes, a.created_at AS "createdAt", (
      SELECT g.id FROM ${users} ORDER BY r.generation DESC LIMIT 1
    ) AS generation
    FROM assets a ${where} ORDER BY a.created_at DESC, a.hash DESC LIMIT ${next(limit)}`;
  return { text, values };
}
