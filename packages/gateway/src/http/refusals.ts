import {
  billed,
  costOf,
  type Failure,
  foldGeneration,
  type Generation,
  isChatPlan,
  type JsonObject,
} from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import { promptOf } from '../store/plan-kind.ts';
import type { GenerationRow, ListFilter, Store, StoredGeneration } from '../store/store.ts';
import { priceFields } from './answer.ts';
import { listFilter } from './listing.ts';
import { RequestProblem } from './problem.ts';
import { chatRefusalFields, refusalFields, rewrittenFields } from './refused.ts';

const REFUSED = 'content_policy_violation';
const MAX_LISTED = 100;
const MAX_PROMPT_CHARS = 300;
/** Failed generations that one call looks through: more are for the call after it, which `next` leads to. */
const MAX_SCANNED = 10_000;
const ROWS_AT_ONCE = 500;

/**
 * `GET /v1/refusals`: a caller's generations that ended in a refusal of a provider, newest first, with what was tried.
 * `limit` is 1 to 100, default 20. `next` may be given for a page that is not full: there may be more behind what one
 * call looks through.
 */
export function listRefusals(store: Pick<Store, 'list' | 'read'>) {
  return async (request: FastifyRequest) => {
    const filter: ListFilter = { ...listFilter(request), status: 'failed' };
    if (filter.limit > MAX_LISTED) {
      const message = `limit: ${filter.limit} is not a whole number from 1 to ${MAX_LISTED}`;
      throw new RequestProblem(400, 'invalid_value', message, { param: 'limit' });
    }
    const { rows, next } = await refusedRows(store, filter);
    const views: JsonObject[] = [];
    for (const { id } of rows) {
      const stored = await store.read(id);
      const view = stored && refusalView(stored);
      if (view) views.push(view);
    }
    return { object: 'list', data: views, next };
  };
}

/** The list is by status, not by code, so what is no refusal is passed over here. */
async function refusedRows(store: Pick<Store, 'list'>, filter: ListFilter) {
  const rows: GenerationRow[] = [];
  let before = filter.before;
  for (let scanned = 0; scanned < MAX_SCANNED; scanned += ROWS_AT_ONCE) {
    const page = await store.list({ ...filter, ...(before && { before }), limit: ROWS_AT_ONCE });
    for (const row of page) {
      before = { createdAt: row.createdAt, id: row.id };
      if (row.code === REFUSED) rows.push(row);
      if (rows.length === filter.limit) return { rows, next: cursor(row) };
    }
    if (page.length < ROWS_AT_ONCE) return { rows, next: null };
  }
  return { rows, next: before ? cursor(before) : null };
}

function cursor({ createdAt, id }: NonNullable<ListFilter['before']>): string {
  return `${createdAt}:${id}`;
}

function refusalView({ id, plan, journals, createdAt, finishedAt, route }: StoredGeneration): JsonObject | undefined {
  const generation = foldGeneration(journals);
  const { outcome } = generation;
  if (outcome === undefined || outcome.ok) return undefined;
  const { failure } = outcome;
  return {
    generation: id,
    created_at: createdAt,
    finished_at: finishedAt ?? null,
    route,
    target: generation.targets[0] ?? null,
    prompt: [...promptOf(plan)].slice(0, MAX_PROMPT_CHARS).join(''),
    ...(isChatPlan(plan)
      ? chatRefusalFields(failure)
      : { ...refusalFields(failure, plan), ...rewrittenFields(plan, generation) }),
    rungs: rungsOf(generation),
    provider_request_ids: requestIds(failure, generation),
    attempts: generation.attempts,
    paid_attempts: generation.paidAttempts,
    billed: billed(failure),
    ...priceFields(costOf(plan, generation)),
  };
}

function rungsOf({ runs }: Generation): readonly JsonObject[] {
  return runs.flatMap(({ rungs = [] }) =>
    rungs.map(({ rung, target, told, generation }) => ({ rung, target, told, ...(generation && { generation }) })),
  );
}

/** What a provider asks for in an appeal. */
function requestIds({ requestId }: Failure, { runs }: Generation): readonly string[] {
  const ids = runs.flatMap(({ attempts }) => attempts.map((attempt) => attempt.requestId));
  return [...new Set([...ids, requestId])].filter((id) => id !== undefined);
}
