import {
  type Asset,
  foldGeneration,
  type ImageRequest,
  type JsonObject,
  type Plan,
  type PolicySettings,
} from '@onetake/core';
import type { Store, StoredGeneration } from '../store/store.ts';
import { type ImageWire, objectBody, readImageWire } from './image-wire.ts';
import { type Asker, readOwnPictures } from './own-generation.ts';
import { invalidValue, RequestProblem } from './problem.ts';
import { effectiveRequest } from './sent.ts';

export interface RegenerationOptions {
  readonly id: string;
  readonly asker: Asker;
  readonly store: Pick<Store, 'read'>;
  readonly assets: { size(hash: string, type: string): Promise<number | undefined> };
}

/** An earlier request, to be made again as a generation of its own. */
export interface Regeneration {
  readonly wire: ImageWire;
  /** What may be paid, as it was allowed before; what the new request says goes before it. */
  readonly settings: PolicySettings;
  readonly regeneratedFrom: string;
  /** The model that the new request names. */
  readonly named: string | undefined;
}

/**
 * Reads `POST /v1/generations/{id}/regenerate`: the same request once more, as the same target was sent it, with the
 * same seed. The body, if there is one, may change `seed`, `prompt`, `n` and `model`; another model is told what the
 * caller asked for, not what the first was sent. Throws a 4xx where that cannot be done, 404 for another caller's.
 */
export async function readRegeneration(body: unknown, options: RegenerationOptions): Promise<Regeneration> {
  const given = readBody(body);
  const stored = await readOwnPictures(options.store, options.id, options.asker);
  const again = againOf(stored, given);
  const wire = readImageWire(again.request.operation, { ...given, prompt: given.prompt ?? again.request.prompt });
  const request = mergedWith(again.request, wire, given);
  await checkReferences(stored.id, request, options.assets);
  const { payment, maxPaidAttempts } = stored.plan.policy;
  return {
    wire: {
      ...wire,
      request,
      model: wire.model ?? again.target,
      canonical: { ...wire.canonical, n: request.n, generation: stored.id },
    },
    settings: { payment, maxPaidAttempts },
    regeneratedFrom: stored.id,
    named: wire.model,
  };
}

const CHANGEABLE = ['seed', 'prompt', 'n', 'model', 'response_format', 'stream', 'partial_images', 'onetake'];

function readBody(body: unknown): JsonObject {
  const entries = Object.entries(objectBody(body ?? {})).filter(([, value]) => value !== null);
  const stranger = entries.find(([name]) => !CHANGEABLE.includes(name));
  if (stranger === undefined) return Object.fromEntries(entries);
  const param = stranger[0].slice(0, 100);
  const message = `${param}: it is that of the generation; leave it out, or send a new request. There are ${CHANGEABLE.join(', ')}`;
  throw new RequestProblem(400, 'unknown_parameter', message, { param });
}

function againOf(stored: StoredGeneration<Plan>, given: JsonObject) {
  const { id, plan, journals } = stored;
  const generation = foldGeneration(journals);
  if (generation.outcome === undefined && stored.finishedAt === undefined)
    throw new RequestProblem(409, 'invalid_value', `generation "${id}": it is still being made; wait for its end`);
  const effective = effectiveRequest(plan, generation);
  const { model } = given;
  if (model !== undefined && plan.request.source)
    throw invalidValue('model', `only the provider that has the picture can go on from it; leave it out`);
  if (model === undefined) return { request: effective?.request ?? plan.request, target: effective?.target.id };
  const { seed } = effective?.request ?? {};
  return { request: { ...plan.request, ...(seed !== undefined && { seed }) }, target: undefined };
}

function mergedWith(before: ImageRequest, { request: asked }: ImageWire, given: JsonObject): ImageRequest {
  const { stream: _stream, partialImages: _previews, ...kept } = before;
  return {
    ...kept,
    prompt: asked.prompt,
    n: given.n === undefined ? kept.n : asked.n,
    ...(asked.seed !== undefined && { seed: asked.seed }),
    ...(asked.stream && { stream: asked.stream }),
    ...(asked.partialImages !== undefined && { partialImages: asked.partialImages }),
  };
}

async function checkReferences(
  id: string,
  { images = [], mask }: ImageRequest,
  assets: RegenerationOptions['assets'],
): Promise<void> {
  const references: readonly Asset[] = mask ? [...images, mask] : images;
  for (const { hash, type } of references) {
    if ((await assets.size(hash, type)) !== undefined) continue;
    const message = `generation "${id}": a picture that it was made from is not stored any more; send the request with that picture to /v1/images/edits`;
    throw new RequestProblem(404, 'not_found', message);
  }
}
