import type { Io, JsonObject } from '@onetake/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GalleryFilter, GalleryRow, PictureCursor } from '../store/browsing.ts';
import type { Store } from '../store/store.ts';
import { callerSeen } from './admin.ts';
import { foundPage, given, limitOf, oneOf, searchedText, viewFor } from './listing.ts';
import { setMark } from './marks.ts';
import { parametersOf } from './parameters.ts';
import { pictureUrl, thumbnailOf } from './picture-links.ts';
import type { ThumbnailUrl } from './previews.ts';
import { invalidValue } from './problem.ts';

export interface GalleryDeps {
  readonly store: Pick<Store, 'gallery' | 'mark'>;
  readonly io: Pick<Io, 'now'>;
  /** Links to pictures begin with this. */
  readonly assetsUrl: () => string;
  readonly thumbnailUrl: ThumbnailUrl;
}

type Asked = Pick<FastifyRequest, 'caller' | 'isAdmin' | 'query'>;

const PAGE = { usual: 50, most: 200 };
const MARKS = ['star', 'reject', 'none', 'unrejected'] as const;
const PARAMETERS = ['limit', 'after', 'text', 'model', 'target', 'mark', 'caller', 'generation'] as const;

/** The pictures that were handed over, and what their callers think of them. */
export function addGalleryRoutes(app: FastifyInstance, deps: GalleryDeps): void {
  app.get('/v1/gallery', listGallery(deps));
  app.post('/v1/gallery/marks', setMark(deps));
}

/**
 * `GET /v1/gallery`: pictures that were handed over, the newest first, of a caller's own generations; an administrator's
 * are all, or by `?caller=` one's. Marks are those of who asks.
 */
export function listGallery({ store, assetsUrl, thumbnailUrl }: GalleryDeps) {
  return async (request: Asked) => {
    const found = await store.gallery(galleryFilter(request));
    const view = viewFor(request, (row: GalleryRow) => pictureView(row, assetsUrl(), thumbnailUrl));
    return foundPage(found, view, ({ number, index }) => `${number}:${index}`);
  };
}

function galleryFilter(request: Asked): GalleryFilter {
  const asked = parametersOf(request, PARAMETERS);
  const searched = (name: 'text' | 'model' | 'target' | 'generation') => searchedText(asked[name], name);
  return {
    viewer: request.caller,
    limit: limitOf(asked.limit, PAGE),
    ...given({
      caller: callerSeen(request, asked.caller),
      before: cursorOf(asked.after),
      text: searched('text'),
      route: searched('model'),
      target: searched('target'),
      generation: searched('generation'),
      mark: oneOf('mark', asked.mark, MARKS),
    }),
  };
}

function cursorOf(text: string | undefined): PictureCursor | undefined {
  if (text === undefined) return undefined;
  const [, number, index] = /^(\d{1,15}):(\d{1,4})$/.exec(text) ?? [];
  if (number === undefined || index === undefined)
    throw invalidValue('after', 'it is not the "next" of an earlier page');
  return { number: Number(number), index: Number(index) };
}

function pictureView(row: GalleryRow, assetsUrl: string, thumbnailUrl: ThumbnailUrl): JsonObject {
  const { generation, index, hash, type, bytes, width, height, prompt, route } = row;
  return {
    object: 'picture',
    ...{ generation, index, hash, type, bytes, width, height },
    url: pictureUrl(row, assetsUrl),
    thumbnail_url: thumbnailOf(row, thumbnailUrl),
    ...{ prompt, route },
    target: row.target ?? null,
    created_at: row.createdAt,
    mark: row.mark ?? null,
    candidates: row.candidates ?? null,
  };
}
