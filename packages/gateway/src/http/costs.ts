import type { Io, JsonObject } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import { usdOf } from '../money/usd.ts';
import type { CostDimension, CostRow, Ledger } from '../store/ledger.ts';
import { callerSeen } from './admin.ts';
import { parametersOf } from './parameters.ts';
import { stretchOf } from './period.ts';
import { invalidValue } from './problem.ts';

const DIMENSIONS: readonly CostDimension[] = ['model', 'provider', 'route', 'key', 'day', 'hour', 'kind'];
const MAX_ROWS = 10_000;

/**
 * `GET /v1/costs?by=model,key,day&since=7d`: what was spent, per group and in all. Who is no administrator sees what
 * was spent with their own key.
 */
export function readCosts({ store, io }: { readonly store: Pick<Ledger, 'costs'>; readonly io: Pick<Io, 'now'> }) {
  return async (request: FastifyRequest): Promise<JsonObject> => {
    const { by: asked, caller: named, ...given } = parametersOf(request, ['by', 'since', 'until', 'caller']);
    const by = dimensionsOf(asked);
    const stretch = stretchOf(given, io.now());
    const caller = callerSeen(request, named);
    const filter = { ...stretch, ...(caller !== undefined && { caller }) };
    const [rows, totals] = await Promise.all([
      by.length === 0 ? [] : store.costs({ ...filter, by, limit: MAX_ROWS }),
      store.costs({ ...filter, by: [], limit: 1 }),
    ]);
    return {
      object: 'costs',
      ...stretch,
      by,
      data: rows.toSorted(inOrder(by)).map((row) => ({ ...groupOf(row, by), ...sumsOf(row) })),
      total: sumsOf(totals[0] ?? NOTHING),
      // The sums above are whole all the same.
      ...(rows.length === MAX_ROWS && { truncated: true }),
    };
  };
}

function dimensionsOf(text: string | undefined): readonly CostDimension[] {
  if (text === undefined || text === '') return [];
  const given = text.split(',').map((one) => one.trim());
  for (const one of given) {
    if (DIMENSIONS.some((known) => known === one)) continue;
    throw invalidValue('by', `${JSON.stringify(one.slice(0, 50))} is not one of ${DIMENSIONS.join(', ')}`);
  }
  return [...new Set(given)] as readonly CostDimension[];
}

const TIMES: readonly CostDimension[] = ['day', 'hour'];

/** By time first, as it went by; what is dear before what is cheap. */
function inOrder(by: readonly CostDimension[]) {
  const times = by.filter((one) => TIMES.includes(one));
  return (a: CostRow, b: CostRow): number => {
    for (const one of times) {
      const order = (a.group[one] ?? '').localeCompare(b.group[one] ?? '');
      if (order !== 0) return order;
    }
    const dearer = b.spentMicroUsd + b.possibleMicroUsd - a.spentMicroUsd - a.possibleMicroUsd;
    return dearer || nameOf(a, by).localeCompare(nameOf(b, by));
  };
}

function nameOf({ group }: CostRow, by: readonly CostDimension[]): string {
  return by.map((one) => group[one] ?? '').join('\n');
}

/** What has none of it, such as a request that nobody was asked for, is null. */
function groupOf({ group }: CostRow, by: readonly CostDimension[]): JsonObject {
  return Object.fromEntries(by.map((one) => [one, group[one] ?? null]));
}

function sumsOf(row: Omit<CostRow, 'group'>): JsonObject {
  return {
    requests: row.requests,
    attempts: row.attempts,
    images: row.images,
    spent_usd: usdOf(row.spentMicroUsd),
    retried_usd: usdOf(row.retriedMicroUsd),
    fallback_usd: usdOf(row.fallbackMicroUsd),
    refused: row.refused,
    refused_usd: usdOf(row.refusedMicroUsd),
    cached: row.cached,
    saved_usd: usdOf(row.savedMicroUsd),
    unknown: row.unknown,
    possible_usd: usdOf(row.possibleMicroUsd),
    unpriced: row.unpriced,
  };
}

const NOTHING: CostRow = {
  group: {},
  requests: 0,
  attempts: 0,
  images: 0,
  spentMicroUsd: 0,
  retriedMicroUsd: 0,
  fallbackMicroUsd: 0,
  refused: 0,
  refusedMicroUsd: 0,
  cached: 0,
  savedMicroUsd: 0,
  unknown: 0,
  possibleMicroUsd: 0,
  unpriced: 0,
};
