import { type Catalogue, modelOf, nearMatches, splitTarget } from '@onetake/core';
import { RequestProblem } from './problem.ts';

/** A model as OpenAI lists it. */
export interface ModelEntry {
  readonly id: string;
  readonly object: 'model';
  /** Epoch seconds. */
  readonly created: number;
  readonly owned_by: string;
}

const GATEWAY = 'onetake';

/** Its models are named after what goes wrong with them: a bare `500` in a list would read as an error. */
const ALWAYS_QUALIFIED = 'sandbox';

/**
 * `GET /v1/models`: routes first, then every listed model once, under its bare name where that name reaches it and as
 * `provider/model` where an earlier provider or a route has taken the name. Providers do not say when their models
 * were created, so `created` is `startedAt` (epoch ms).
 */
export function modelList(catalogue: Catalogue, startedAt: number): { object: 'list'; data: readonly ModelEntry[] } {
  const owners = new Map(Object.keys(catalogue.routes).map((route) => [route, GATEWAY]));
  for (const { id: provider, provider: adapter } of catalogue.connections) {
    for (const { id } of adapter.models) {
      const isTaken = provider === ALWAYS_QUALIFIED || owners.has(id);
      owners.set(isTaken ? `${provider}/${id}` : id, provider);
    }
  }
  return { object: 'list', data: [...owners].map(([id, owner]) => entry(id, owner, startedAt)) };
}

/** `GET /v1/models/{id}` for every name a request may use, listed or not; throws a 404 with near matches otherwise. */
export function modelEntry(catalogue: Catalogue, id: string, startedAt: number): ModelEntry {
  const owner = ownerOf(catalogue, id);
  if (owner === undefined) throw unknownModel(catalogue, id, startedAt);
  return entry(id, owner, startedAt);
}

/** In the order requests are routed by: a route, a named provider, the first that lists it, the understudy. */
function ownerOf(catalogue: Catalogue, id: string): string | undefined {
  if (Object.hasOwn(catalogue.routes, id)) return GATEWAY;
  const { provider } = splitTarget(id);
  if (catalogue.connections.some((one) => one.id === provider)) return modelOf(id, catalogue) && provider;
  const lists = catalogue.connections.find((one) => one.provider.models.some((model) => model.id === id));
  return lists?.id ?? catalogue.understudy;
}

function entry(id: string, owner: string, startedAt: number): ModelEntry {
  return { id, object: 'model', created: Math.floor(startedAt / 1000), owned_by: owner };
}

function unknownModel(catalogue: Catalogue, id: string, startedAt: number): RequestProblem {
  const near = nearMatches(
    id,
    modelList(catalogue, startedAt).data.map((one) => one.id),
  );
  const wayOut =
    near.length > 0 ? `did you mean ${near.map((one) => `"${one}"`).join(' or ')}?` : 'GET /v1/models lists them';
  const message = `model: no provider or route here answers to "${id.slice(0, 200)}"; ${wayOut}`;
  return new RequestProblem(404, 'model_not_found', message, { param: 'model' });
}
