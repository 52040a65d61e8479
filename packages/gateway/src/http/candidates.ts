import { isObject, type JsonObject } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import type { CandidateSet, CandidateSets } from '../candidates/sets.ts';
import { type Standing, setRowView, setView } from './candidate-view.ts';
import type { Standings } from './candidate-wait.ts';
import { cursorPage, type PageQuery } from './cursor-page.ts';
import { invalidValue, RequestProblem } from './problem.ts';

export interface CandidateRouteDeps {
  readonly candidateSets: CandidateSets;
  readonly standings: Standings;
  readonly io: { readonly now: () => number };
  readonly assetsUrl: () => string;
}

export interface CandidateRequest {
  Params: { id: string };
}

const PAGE = { usual: 20, most: 100 };

/** The handlers of `/v1/candidates`. */
export function candidateRoutes({ candidateSets, standings, io, assetsUrl }: CandidateRouteDeps) {
  async function own({ params, caller }: FastifyRequest<CandidateRequest>): Promise<CandidateSet> {
    const set = isSetId(params.id) ? await candidateSets.read(params.id, caller) : undefined;
    if (set === undefined) throw unknownSet(params.id);
    return set;
  }

  return {
    async read(request: FastifyRequest<CandidateRequest>) {
      const set = await own(request);
      return setView(set, await standings.read(set), { assetsUrl: assetsUrl() });
    },

    /** `{"index": 2}`; another pick replaces the one before. */
    async pick(request: FastifyRequest<CandidateRequest>): Promise<JsonObject> {
      const set = await own(request);
      const found = await standings.read(set);
      const index = readIndex(request.body, found);
      const at = io.now();
      const changed = await candidateSets.change(set.id, set.caller, (stored) =>
        stored.picked?.index === index ? stored : { ...stored, picked: { index, at } },
      );
      if (changed === undefined) throw unknownSet(set.id);
      return setView(changed, found, { assetsUrl: assetsUrl() });
    },

    /** Newest first, without their pictures. */
    async list({ caller, query }: FastifyRequest) {
      return cursorPage(await candidateSets.list(caller), query as PageQuery, PAGE, setRowView);
    },
  };
}

function readIndex(body: unknown, standings: readonly Standing[]): number {
  const index = isObject(body) ? body.index : undefined;
  const standing = standings.find((one) => one.index === index);
  if (standing === undefined) {
    const found = JSON.stringify(index ?? null).slice(0, 50);
    throw invalidValue(
      'index',
      `${found} is not a candidate's number; send {"index": 1} to {"index": ${standings.length}}`,
    );
  }
  if (standing.image) return standing.index;
  throw invalidValue('index', `candidate ${standing.index} has no picture to pick; GET the set for those that have`);
}

function isSetId(id: string): boolean {
  return /^set_[0-9a-f]{24}$/.test(id);
}

/** Another caller's is as unknown as one that never was. */
function unknownSet(id: string): RequestProblem {
  const message = `candidates "${id.slice(0, 100)}": there are none of this id; GET /v1/candidates lists yours`;
  return new RequestProblem(404, 'not_found', message);
}
