import type { GalleryFilter, PictureCursor, RowCursor, SearchFilter } from './browsing.ts';
import { type Sql, UNSETTLED } from './ledger-sql.ts';
import { searchText } from './search-text.ts';

/** What a statement says differently in each database. */
export interface BrowsingDialect {
  /** The parameter of this number, from 1. */
  readonly parameter: (number: number) => string;
  /** A function: where the second text stands in the first one, from 1; 0 where it does not. */
  readonly position: string;
  /** A column that its index is not to be chosen for. */
  readonly unindexed: (column: string) => string;
}

type Next = (value: string | number) => string;

/** Most are completed; the others have an index of their own. */
const RARE_STATUSES: readonly unknown[] = ['pending', 'processing', 'failed', 'canceled'];

/** Whether rows must be looked at that are not told. */
export function looksThrough({ route, target, makes, code, text }: SearchFilter): boolean {
  return [route, target, makes, code, text].some((one) => one !== undefined);
}

export function looksThroughPictures({ route, target, text, mark }: GalleryFilter): boolean {
  return [route, target, text, mark].some((one) => one !== undefined);
}

/** `columns` of generations `g` with their plans `p`, the newest first; with `downTo` none beyond that row. */
export function pageSql(filter: SearchFilter, columns: string, dialect: BrowsingDialect, downTo?: RowCursor): Sql {
  const { values, next } = parametersOf(dialect);
  const conditions = [...indexed(filter, next, dialect, downTo), ...lookedAt(filter, next, dialect)];
  const text = `
    SELECT ${columns} FROM generations g JOIN plans p ON p.generation = g.number ${where(conditions)}
    ORDER BY g.created_at DESC, g.id DESC LIMIT ${next(filter.limit)}`;
  return { text, values };
}

/** The row at which a look at so many rows ends; none where there are fewer. */
export function endOfLookSql(filter: SearchFilter, dialect: BrowsingDialect, looked: number): Sql {
  const { values, next } = parametersOf(dialect);
  const conditions = indexed(filter, next, dialect, undefined);
  const text = `
    SELECT g.created_at AS "createdAt", g.id FROM generations g ${where(conditions)}
    ORDER BY g.created_at DESC, g.id DESC LIMIT 1 OFFSET ${next(looked - 1)}`;
  return { text, values };
}

/**
 * Status and code stand in the text as literals, and the condition of a partial index word for word: only then does a
 * planner know that it serves. Those indexes are short, so everything of the caller is not to be read instead. Of two
 * bounds on one side only the narrower one is said.
 */
function indexed(
  { caller, status, unknown, before, since, until }: SearchFilter,
  next: Next,
  { unindexed }: BrowsingDialect,
  downTo: RowCursor | undefined,
): readonly string[] {
  const isRare = RARE_STATUSES.includes(status);
  const isPast = before !== undefined && until !== undefined && before.createdAt < until;
  const cursor = ({ createdAt, id }: RowCursor) => `(${next(createdAt)}, ${next(id)})`;
  return [
    ...(caller === undefined ? [] : [`${isRare || unknown ? unindexed('g.caller') : 'g.caller'} = ${next(caller)}`]),
    ...(isRare || status === 'completed' ? [`g.status = '${status}'`] : []),
    ...(isRare ? [`g.status <> 'completed'`] : []),
    ...(unknown ? [UNSETTLED] : []),
    ...(before ? [`(g.created_at, g.id) < ${cursor(before)}`] : []),
    ...(until === undefined || isPast ? [] : [`g.created_at < ${next(until)}`]),
    ...(downTo ? [`(g.created_at, g.id) >= ${cursor(downTo)}`] : []),
    ...(since === undefined || downTo ? [] : [`g.created_at >= ${next(since)}`]),
  ];
}

function lookedAt(
  { route, target, makes, code, text }: SearchFilter,
  next: Next,
  { position }: BrowsingDialect,
): readonly string[] {
  return [
    ...(route === undefined ? [] : [`g.route = ${next(route)}`]),
    ...(target === undefined ? [] : [isTarget('g.target', target, next)]),
    ...(makes === undefined ? [] : [`g.chat IS ${makes === 'chat' ? 'NOT ' : ''}NULL`]),
    ...(code === undefined ? [] : [`g.code = ${next(code)}`]),
    ...(text === undefined ? [] : [holds('g.number', text, next, position)]),
  ];
}

/** A target, or all of a provider. */
function isTarget(column: string, target: string, next: Next): string {
  if (!target.endsWith('/')) return `${column} = ${next(target)}`;
  const prefix = next(target);
  return `substr(${column}, 1, length(${prefix})) = ${prefix}`;
}

function holds(generation: string, text: string, next: Next, position: string): string {
  const found = `(SELECT s.text FROM search_texts s WHERE s.generation = ${generation})`;
  return `${position}(${found}, ${next(searchText(text))}) > 0`;
}

/** Chosen first and described then, so that nothing is read of what is only looked at but what decides. */
export function gallerySql(filter: GalleryFilter, dialect: BrowsingDialect, downTo?: PictureCursor): Sql {
  const { values, next } = parametersOf(dialect);
  const mark = `(SELECT m.mark FROM marks m WHERE m.caller = ${next(filter.viewer)} AND m.hash = d.hash)`;
  const conditions = [
    ...ofWhom(filter, next),
    ...(downTo ? [`(d.generation, d.behind) >= (${next(downTo.number)}, ${next(-downTo.index)})`] : []),
    ...liked(filter, mark, next, dialect),
  ];
  const text = `
    SELECT d.generation AS number, g.id AS generation, d.behind, d.hash, d.type, d.bytes, d.width, d.height, p.prompt,
      g.route, g.target, g.caller, g.created_at AS "createdAt", g.candidates, ${mark} AS mark
    FROM (
      SELECT d.* FROM delivered d ${where(conditions)}
      ORDER BY d.generation DESC, d.behind DESC LIMIT ${next(filter.limit)}
    ) d CROSS JOIN generations g CROSS JOIN plans p
    WHERE g.number = d.generation AND p.generation = d.generation
    ORDER BY d.generation DESC, d.behind DESC`;
  return { text, values };
}

export function endOfGalleryLookSql(filter: GalleryFilter, dialect: BrowsingDialect, looked: number): Sql {
  const { values, next } = parametersOf(dialect);
  const text = `
    SELECT d.generation AS number, d.behind FROM delivered d ${where(ofWhom(filter, next))}
    ORDER BY d.generation DESC, d.behind DESC LIMIT 1 OFFSET ${next(looked - 1)}`;
  return { text, values };
}

function ofWhom({ caller, generation, before }: GalleryFilter, next: Next): readonly string[] {
  return [
    ...(caller === undefined ? [] : [`d.caller = ${next(caller)}`]),
    ...(generation === undefined
      ? []
      : [`d.generation = (SELECT one.number FROM generations one WHERE one.id = ${next(generation)})`]),
    ...(before ? [`(d.generation, d.behind) < (${next(before.number)}, ${next(-before.index)})`] : []),
  ];
}

function liked(
  { route, target, text, mark: wanted }: GalleryFilter,
  mark: string,
  next: Next,
  { position }: BrowsingDialect,
): readonly string[] {
  const ofGeneration = (column: string) =>
    `(SELECT one.${column} FROM generations one WHERE one.number = d.generation)`;
  return [
    ...(wanted === undefined ? [] : [isMarked(wanted, mark)]),
    ...(text === undefined ? [] : [holds('d.generation', text, next, position)]),
    ...(route === undefined ? [] : [`${ofGeneration('route')} = ${next(route)}`]),
    ...(target === undefined ? [] : [isTarget(ofGeneration('target'), target, next)]),
  ];
}

function isMarked(wanted: NonNullable<GalleryFilter['mark']>, mark: string): string {
  if (wanted === 'none') return `${mark} IS NULL`;
  return wanted === 'unrejected' ? `coalesce(${mark}, '') <> 'reject'` : `${mark} = '${wanted}'`;
}

/**
 * Whether a picture (parameter 1) was handed over to a caller (parameter 2), or to anybody: by the generations that
 * refer to it.
 */
export function isDeliveredSql({ parameter }: BrowsingDialect, ofAnybody: boolean): string {
  return `
    SELECT d.generation FROM generation_assets r CROSS JOIN delivered d
    WHERE r.hash = ${parameter(1)} AND d.generation = r.generation AND d.hash = ${parameter(1)}
      ${ofAnybody ? '' : `AND d.caller = ${parameter(2)}`} LIMIT 1`;
}

/** What a list tells of a generation `g` beside its row. */
export const LISTED_BESIDE = {
  makes: `CASE WHEN g.chat IS NULL THEN 'pictures' ELSE 'chat' END`,
  pictures: '(SELECT count(*) FROM delivered d WHERE d.generation = g.number)',
  pictureHash: '(SELECT d.hash FROM delivered d WHERE d.generation = g.number AND d.behind = 0)',
  pictureType: '(SELECT d.type FROM delivered d WHERE d.generation = g.number AND d.behind = 0)',
} as const;

function parametersOf({ parameter }: BrowsingDialect) {
  const values: (string | number)[] = [];
  const next: Next = (value) => parameter(values.push(value));
  return { values, next };
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
}
