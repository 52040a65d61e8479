import { isDeepStrictEqual } from 'node:util';
import { foldGeneration, type GeneratedImage, type ImageRequest, type Plan } from '@onetake/core';
import { makesPictures } from '../store/plan-kind.ts';
import type { Store } from '../store/store.ts';

/** An earlier success of the same caller. */
export interface Earlier {
  readonly generation: string;
  readonly createdAt: number;
  readonly images: readonly GeneratedImage[];
}

export interface EarlierSearch {
  readonly caller: string;
  readonly plan: Plan;
  /** `same` is the same request; `prompt` only its prompt and the pictures it works from. */
  readonly match: 'same' | 'prompt';
}

/** Looked through, newest first. */
const MAX_ROWS = 200;
/** Read whole, because only the plan tells their parameters. */
const MAX_READ = 10;

/** The newest good pictures of a caller's recent generations by the same name that match; undefined without any. */
export async function findEarlier(
  { caller, plan, match }: EarlierSearch,
  store: Pick<Store, 'list' | 'read'>,
): Promise<Earlier | undefined> {
  const rows = await store.list({ caller, status: 'completed', limit: MAX_ROWS });
  const { route, request } = plan;
  const alike = rows.filter((row) => row.route === route && row.prompt === request.prompt);
  for (const { id } of alike.slice(0, MAX_READ)) {
    const stored = await store.read(id);
    if (stored === undefined || !makesPictures(stored) || !matches(stored.plan.request, request, match)) continue;
    const { outcome } = foldGeneration(stored.journals);
    const images = outcome?.ok ? outcome.images.filter(isGood) : [];
    if (images.length > 0) return { generation: id, createdAt: stored.createdAt, images };
  }
  return undefined;
}

/** What its provider or a look at it has doubts about had better not be shown unasked. */
function isGood({ flagged, suspect }: GeneratedImage): boolean {
  return flagged === undefined && suspect === undefined;
}

function matches(before: ImageRequest, now: ImageRequest, match: EarlierSearch['match']): boolean {
  return match === 'same'
    ? isDeepStrictEqual(wantedOf(before), wantedOf(now))
    : isDeepStrictEqual(workedFrom(before), workedFrom(now));
}

/** How it is handed over says nothing of the picture. */
function wantedOf({ stream: _stream, partialImages: _previews, ...request }: ImageRequest) {
  return { ...request, ...workedFrom(request) };
}

function workedFrom({ operation, images = [], mask, source }: ImageRequest) {
  return { operation, images: images.map(({ hash }) => hash), mask: mask?.hash, source };
}
