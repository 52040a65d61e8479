import type { JsonValue } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import type { AssetFilter, AssetListing } from '../store/ledger.ts';
import type { Store } from '../store/store.ts';
import { callerSeen } from './admin.ts';
import { limitOf } from './listing.ts';
import { parametersOf } from './parameters.ts';
import { pictureUrl } from './picture-links.ts';
import { invalidValue } from './problem.ts';

/**
 * `GET /v1/assets`: stored pictures, the newest first, of a caller's own generations; an administrator's are all, or by
 * `?caller=` one's. `?limit=` and `?after=` page through them, `?hash=` takes those whose hash begins so.
 */
export function assetList(store: Pick<Store, 'listAssets'>, assetsUrl: () => string) {
  return async ({ caller, isAdmin, query }: Pick<FastifyRequest, 'caller' | 'isAdmin' | 'query'>) => {
    const given = parametersOf({ query }, ['limit', 'after', 'hash', 'caller']);
    const limit = limitOf(given.limit);
    const hashFrom = hashOf(given.hash);
    const before = cursorOf(given.after);
    const whose = callerSeen({ caller, isAdmin }, given.caller);
    const filter: AssetFilter = {
      limit,
      ...(whose !== undefined && { caller: whose }),
      ...(hashFrom !== undefined && { hashFrom }),
      ...(before && { before }),
    };
    const rows = await store.listAssets(filter);
    const last = rows.at(-1);
    const next = rows.length === limit && last ? `${last.createdAt}:${last.hash}` : null;
    return { object: 'list', data: rows.map((row) => view(row, assetsUrl())), next };
  };
}

function view({ hash, type, bytes, createdAt, generation }: AssetListing, assetsUrl: string): JsonValue {
  const url = pictureUrl({ hash, type }, assetsUrl);
  return { object: 'asset', hash, type, bytes, created_at: createdAt, generation: generation ?? null, url };
}

function hashOf(text: string | undefined): string | undefined {
  if (text === undefined || /^[0-9a-f]{1,64}$/.test(text)) return text;
  throw invalidValue('hash', 'it is not the beginning of a SHA-256 in hexadecimal');
}

function cursorOf(text: string | undefined): AssetFilter['before'] {
  if (text === undefined) return undefined;
  const [, createdAt, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (createdAt === undefined || hash === undefined)
    throw invalidValue('after', 'it is not the "next" of an earlier page');
  return { createdAt: Number(createdAt), hash };
}
