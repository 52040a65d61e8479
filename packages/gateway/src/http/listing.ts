import type { JsonObject } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import type { Found, RowCursor, SearchFilter } from '../store/browsing.ts';
import type { GenerationRow, ListFilter } from '../store/store.ts';
import { callerSeen } from './admin.ts';
import { textWithoutNul } from './parameters.ts';
import { invalidValue } from './problem.ts';

const PAGE: PageSize = { usual: 20, most: 1000 };

interface PageSize {
  readonly usual: number;
  readonly most: number;
}

const STATUSES = ['pending', 'processing', 'completed', 'failed', 'canceled'] as const;

type Query = Readonly<Record<string, string | string[] | undefined>>;

/**
 * `?limit=` and `?after=` page through a caller's own, to administrators everybody's, newest first; `?caller=`,
 * `?status=` and `?unknown=1` choose among them.
 */
export function listFilter(request: Pick<FastifyRequest, 'caller' | 'isAdmin' | 'query'>): ListFilter {
  const text = (name: string) => textAt(request.query as Query, name);
  const caller = callerSeen(request, text('caller'));
  const before = cursorOf(text('after'));
  const unknown = text('unknown');
  const status = oneOf('status', text('status'), STATUSES);
  return {
    ...(caller !== undefined && { caller }),
    limit: limitOf(text('limit')),
    ...(before && { before }),
    ...(status && { status }),
    ...(unknown !== undefined && unknown !== '0' && { unknown: true as const }),
  };
}

const MAKES = ['pictures', 'chat'] as const;
const MAX_TEXT_CHARS = 200;

/**
 * The same with `?model=` (the name asked for), `?target=` (`provider/model`, or `provider/`), `?makes=`, `?code=`,
 * `?text=` (in the prompt), `?since=` and `?until=` (epoch ms).
 */
export function searchFilter(request: Pick<FastifyRequest, 'caller' | 'isAdmin' | 'query'>): SearchFilter {
  const text = (name: string) => searchedText(textAt(request.query as Query, name), name);
  const named = { route: text('model'), target: text('target'), code: text('code'), text: text('text') };
  const makes = oneOf('makes', text('makes'), MAKES);
  const times = { since: instantOf('since', text('since')), until: instantOf('until', text('until')) };
  return { ...listFilter(request), ...given(named), ...(makes && { makes }), ...given(times) };
}

/** A text that is looked for; throws a 400 for one that is empty or too long. */
export function searchedText(text: string | undefined, param: string): string | undefined {
  if (text === undefined || (text !== '' && text.length <= MAX_TEXT_CHARS)) return text;
  throw invalidValue(param, `it is not a text of 1 to ${MAX_TEXT_CHARS} characters`);
}

/** Without the fields that are undefined. */
export function given<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: NonNullable<Fields[Name]>;
  };
}

function instantOf(param: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidValue(param, `"${text.slice(0, 50)}" is not an instant in milliseconds since 1970`);
}

/** `stopped_after`: so many rows were looked at, and `next` goes on from there. */
export function foundPage<Row, Cursor>(
  { rows, next, stoppedAfter }: Found<Row, Cursor>,
  view: (row: Row) => JsonObject,
  textOf: (cursor: Cursor) => string,
) {
  return {
    object: 'list',
    data: rows.map(view),
    next: next === undefined ? null : textOf(next),
    ...(stoppedAfter !== undefined && { stopped_after: stoppedAfter }),
  };
}

export function rowCursorText({ createdAt, id }: RowCursor): string {
  return `${createdAt}:${id}`;
}

/** A page of a list; `next` is the `after` of the following one, null on the last. */
export function pageOf<Row extends GenerationRow, View>(
  rows: readonly Row[],
  { limit }: ListFilter,
  view: (row: Row) => View,
) {
  const last = rows.at(-1);
  const next = rows.length === limit && last ? rowCursorText(last) : null;
  return { object: 'list', data: rows.map(view), next };
}

/** Who sees everybody's is told whose each one is. */
export function viewFor<Row extends Pick<GenerationRow, 'caller'>>(
  { isAdmin }: Pick<FastifyRequest, 'isAdmin'>,
  view: (row: Row) => JsonObject,
): (row: Row) => JsonObject {
  return (row) => (isAdmin ? { ...view(row), caller: row.caller } : view(row));
}

function textAt(query: Query, name: string): string | undefined {
  const value = query[name];
  if (Array.isArray(value)) throw invalidValue(name, 'it is given twice; give it once');
  return textWithoutNul(value, name);
}

/** `?limit=`: how many rows a page has; throws a 400 for what is no such number. */
export function limitOf(text: string | undefined, { usual, most }: PageSize = PAGE): number {
  const limit = Number(text ?? usual);
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit;
  throw invalidValue('limit', `"${text?.slice(0, 50)}" is not a whole number from 1 to ${most}`);
}

function cursorOf(text: string | undefined): ListFilter['before'] {
  if (text === undefined) return undefined;
  const [, createdAt, id] = /^(\d{1,15}):(gen_[0-9a-f]{24})$/.exec(text) ?? [];
  if (createdAt === undefined || id === undefined)
    throw invalidValue('after', 'it is not the "next" of an earlier page');
  return { createdAt: Number(createdAt), id };
}

/** One of these words; throws a 400 for any other. */
export function oneOf<Value extends string>(
  param: string,
  text: string | undefined,
  values: readonly Value[],
): Value | undefined {
  if (text === undefined) return undefined;
  const value = values.find((one) => one === text);
  if (value === undefined) throw invalidValue(param, `"${text.slice(0, 50)}" is not one of ${values.join(', ')}`);
  return value;
}
