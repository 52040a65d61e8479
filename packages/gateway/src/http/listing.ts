import type { JsonObject } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import type { GenerationRow, ListFilter } from '../store/store.ts';
import { callerSeen } from './admin.ts';
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
  const status = statusOf(text('status'));
  return {
    ...(caller !== undefined && { caller }),
    limit: limitOf(text('limit')),
    ...(before && { before }),
    ...(status && { status }),
    ...(unknown !== undefined && unknown !== '0' && { unknown: true as const }),
  };
}

/** A page of a list; `next` is the `after` of the following one, null on the last. */
export function pageOf<Row extends GenerationRow, View>(
  rows: readonly Row[],
  { limit }: ListFilter,
  view: (row: Row) => View,
) {
  const last = rows.at(-1);
  const next = rows.length === limit && last ? `${last.createdAt}:${last.id}` : null;
  return { object: 'list', data: rows.map(view), next };
}

/** Who sees everybody's is told whose each one is. */
export function viewFor<Row extends GenerationRow>(
  { isAdmin }: Pick<FastifyRequest, 'isAdmin'>,
  view: (row: Row) => JsonObject,
): (row: Row) => JsonObject {
  return (row) => (isAdmin ? { ...view(row), caller: row.caller } : view(row));
}

function textAt(query: Query, name: string): string | undefined {
  const value = query[name];
  return typeof value === 'string' ? value : undefined;
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

function statusOf(text: string | undefined): ListFilter['status'] {
  if (text === undefined) return undefined;
  const status = STATUSES.find((one) => one === text);
  if (status === undefined) throw invalidValue('status', `"${text.slice(0, 50)}" is not one of ${STATUSES.join(', ')}`);
  return status;
}
