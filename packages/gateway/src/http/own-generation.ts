import type { Store, StoredGeneration } from '../store/store.ts';
import { RequestProblem } from './problem.ts';

const MAX_ID_CHARS = 100;

/** A generation of this caller's; throws a 404 for any other, because another's id is as unknown as one that never was. */
export async function readOwnGeneration(
  store: Pick<Store, 'read'>,
  id: string,
  caller: string,
  param?: string,
): Promise<StoredGeneration> {
  const known = id.slice(0, MAX_ID_CHARS);
  const stored = await store.read(known);
  if (stored?.caller === caller) return stored;
  const message = `generation "${known}": there is none of this id`;
  throw new RequestProblem(404, 'not_found', message, param === undefined ? {} : { param });
}
