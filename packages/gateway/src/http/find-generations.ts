import type { FastifyRequest } from 'fastify';
import type { Ledger } from '../store/ledger.ts';
import type { Store } from '../store/store.ts';
import { listedRowOf, listedRowView } from './generations.ts';
import { viewFor } from './listing.ts';
import { isSeenBy } from './own-generation.ts';
import type { ThumbnailUrl } from './previews.ts';
import { invalidValue } from './problem.ts';

type Asked = Pick<FastifyRequest, 'caller' | 'isAdmin' | 'query'>;

const MAX_REQUEST_ID_CHARS = 200;

/** The `?request_id=` of a list of generations; undefined where none is asked for. */
export function requestIdIn({ query }: Pick<Asked, 'query'>): string | undefined {
  const { request_id: id } = query as { readonly request_id?: unknown };
  if (id === undefined) return undefined;
  if (typeof id === 'string' && id !== '' && id.length <= MAX_REQUEST_ID_CHARS) return id;
  throw invalidValue('request_id', `it is not one request id of 1 to ${MAX_REQUEST_ID_CHARS} characters`);
}

/** Generations that one of our request ids, or one of a provider's, belongs to, the newest first; to callers their own. */
export async function findGenerations(
  store: Pick<Store, 'read'> & Pick<Ledger, 'findByRequestId'>,
  requestId: string,
  asked: Asked,
  thumbnailUrl: ThumbnailUrl,
) {
  const ids = await store.findByRequestId(requestId);
  const found = await Promise.all(ids.map((id) => store.read(id)));
  const own = found.filter((one) => one !== undefined).filter((one) => isSeenBy(one, asked));
  return { object: 'list', data: own.map(listedRowOf).map(viewFor(asked, listedRowView(thumbnailUrl))), next: null };
}
