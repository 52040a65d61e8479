import type { Io, JsonObject } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import { microUsdOf } from '../money/usd.ts';
import type { Ledger, Settlement } from '../store/ledger.ts';
import type { Store, StoredGeneration } from '../store/store.ts';
import { generationView } from './generations.ts';
import { objectBody } from './image-wire.ts';
import { readOwnGeneration } from './own-generation.ts';
import { invalidValue, RequestProblem } from './problem.ts';

export interface SettleDeps {
  readonly store: Pick<Store, 'read'> & Pick<Ledger, 'settle'>;
  readonly io: Pick<Io, 'now'>;
  readonly assetsUrl: () => string;
}

export interface SettleRequest {
  readonly Params: { readonly id: string };
}

const MAX_USD = 1_000_000;
const NAMES = ['verdict', 'usd'];

/**
 * `POST /v1/generations/{id}/settle`: ends an outcome nobody knows by what was found out at the provider, for
 * administrators. `{"verdict":"charged"}` makes spent what it possibly cost, or the `usd` given; `"free"` gives the
 * caller's budget its room again.
 */
export function settleGeneration({ store, io, assetsUrl }: SettleDeps) {
  return async (request: FastifyRequest<SettleRequest>) => {
    if (request.fromBrowser) throw new RequestProblem(403, 'forbidden_origin', FROM_BROWSER);
    const { verdict, usd } = readSettlement(objectBody(request.body ?? {}));
    const stored = await readOwnGeneration(store, request.params.id, request);
    const { id } = stored;
    if (verdict === 'charged' && usd === undefined && stored.billed === 'maybe' && stored.possibleUsd === undefined)
      throw invalidValue('usd', 'nobody knows what this would cost; say what the provider charged, in US dollars');
    const settlement = { generation: id, verdict, ...(usd !== undefined && { microUsd: microUsdOf(usd) }) };
    const answer = await store.settle({ ...settlement, at: io.now() });
    if (answer === 'not_unknown') throw notUnknown(stored);
    // Where retention took it just now it is told as unknown.
    return generationView(await readOwnGeneration(store, id, request), assetsUrl());
  };
}

function notUnknown({ id, finishedAt }: Pick<StoredGeneration, 'id' | 'finishedAt'>): RequestProblem {
  const about = `generation "${id}": `;
  return finishedAt === undefined
    ? new RequestProblem(409, 'invalid_value', `${about}it is still being made; wait for its end`)
    : new RequestProblem(409, 'outcome_known', about + KNOWN);
}

const FROM_BROWSER =
  'settle: a page in a browser may not say what became of a charge; call from a server, or run onetake generations settle';
const KNOWN =
  'its outcome is known, or was settled before; GET /v1/generations?unknown=1 lists those that can be settled';

function readSettlement(body: JsonObject): Pick<Settlement, 'verdict'> & { readonly usd: number | undefined } {
  const stranger = Object.keys(body).find((name) => !NAMES.includes(name));
  if (stranger !== undefined) {
    const param = stranger.slice(0, 64);
    const message = `${param}: there is no such field here; there is ${NAMES.join(' and ')}`;
    throw new RequestProblem(400, 'unknown_parameter', message, { param });
  }
  const { verdict, usd = null } = body;
  if (verdict !== 'charged' && verdict !== 'free')
    throw invalidValue('verdict', 'it is neither "charged" nor "free"; say which of them the provider did');
  if (usd === null) return { verdict, usd: undefined };
  if (verdict === 'free')
    throw invalidValue('usd', 'what is free costs nothing; leave it out, or settle it as "charged"');
  if (typeof usd !== 'number' || !(usd >= 0 && usd <= MAX_USD))
    throw invalidValue('usd', `it is not an amount of US dollars from 0 to ${MAX_USD}`);
  return { verdict, usd };
}
