import type { Plan } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import { makesPictures } from '../store/plan-kind.ts';
import type { Store, StoredGeneration } from '../store/store.ts';
import { invalidValue, RequestProblem } from './problem.ts';

/** Who asks for a generation by its id. */
export type Asker = Pick<FastifyRequest, 'caller' | 'isAdmin'>;

const MAX_ID_CHARS = 100;

/**
 * A generation of who asks, and to administrators anybody's; throws a 404 for any other, because another's id is as
 * unknown as one that never was.
 */
export async function readOwnGeneration(
  store: Pick<Store, 'read'>,
  id: string,
  asker: Asker,
  param?: string,
): Promise<StoredGeneration> {
  const known = id.slice(0, MAX_ID_CHARS);
  const stored = await store.read(known);
  if (stored && isSeenBy(stored, asker)) return stored;
  const message = `generation "${known}": there is none of this id`;
  throw new RequestProblem(404, 'not_found', message, param === undefined ? {} : { param });
}

/** The same of one that makes pictures; throws a 400 for an answer of chat. */
export async function readOwnPictures(
  ...[store, id, asker, param]: Parameters<typeof readOwnGeneration>
): Promise<StoredGeneration<Plan>> {
  const stored = await readOwnGeneration(store, id, asker, param);
  if (makesPictures(stored)) return stored;
  throw invalidValue(param ?? 'id', `${stored.id} is an answer of chat, not of pictures; send its request again`);
}

export function isSeenBy(stored: Pick<StoredGeneration, 'caller'>, asker: Asker): boolean {
  return asker.isAdmin || stored.caller === asker.caller;
}
