import {
  type InfiniteData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQueries,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { json, withQuery } from './client.ts';

/** What a person thinks of a picture; null is nothing yet. */
export type Mark = 'star' | 'reject' | null;

/** A delivered picture, as `GET /v1/gallery` lists it. */
export interface Picture {
  readonly generation: string;
  /** From 0, among the pictures of its generation. */
  readonly index: number;
  readonly hash: string;
  readonly type: string;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  readonly url: string;
  readonly thumbnail_url: string;
  readonly prompt: string;
  readonly route: string;
  readonly target: string | null;
  /** Told to administrators. */
  readonly caller?: string;
  /** Epoch ms. */
  readonly created_at: number;
  readonly mark: Mark;
  /** The set of candidates it was made for. */
  readonly candidates: string | null;
}

export interface GalleryPage {
  readonly data: readonly Picture[];
  readonly next: string | null;
}

/** What is looked for; what is absent or empty is not asked. */
export interface GalleryFilter {
  readonly text?: string;
  readonly mark?: string;
  readonly model?: string;
  readonly caller?: string;
}

/** The first page is small, because somebody waits for it. */
const FIRST_PAGE = 100;
const NEXT_PAGE = 200;
/** Looks for what is new as long as the gallery is shown. */
const NEWEST_EVERY_MS = 10_000;

const GALLERY = 'gallery';

/** Where a picture is: `gen_1:0`. */
export function pictureId({ generation, index }: Pick<Picture, 'generation' | 'index'>): string {
  return `${generation}:${index}`;
}

/** Reads `gen_1:2`; `gen_1` alone is its first picture. */
export function readPictureId(id: string): Pick<Picture, 'generation' | 'index'> {
  const [generation = '', index = '0'] = id.split(':', 2);
  return { generation, index: /^\d{1,3}$/.test(index) ? Number(index) : 0 };
}

/** A link of the gateway on the address the page was read from, which may be another name of the same machine. */
export function ownPath(url: string): string {
  const { pathname, search } = new URL(url, location.origin);
  return pathname + search;
}

/**
 * The pictures, newest first, page by page. What was loaded is not asked for again by itself: the pages hang together by
 * their cursors, and `useNewest` tells of what came since.
 */
export function useGallery(filter: GalleryFilter) {
  return useInfiniteQuery({
    queryKey: [GALLERY, 'pages', filter],
    queryFn: ({ pageParam, signal }) => readGallery({ ...filter, ...pageParam }, signal),
    initialPageParam: { limit: FIRST_PAGE } as { readonly limit: number; readonly after?: string },
    getNextPageParam: ({ next }: GalleryPage) => (next === null ? undefined : { limit: NEXT_PAGE, after: next }),
    staleTime: Number.POSITIVE_INFINITY,
    // Ten thousand rows need not be compared with themselves.
    structuralSharing: false,
  });
}

/** The id of the newest picture, looked for again and again. */
export function useNewest(filter: GalleryFilter, isOn: boolean) {
  return useQuery({
    queryKey: [GALLERY, 'newest', filter],
    queryFn: ({ signal }) => readGallery({ ...filter, limit: 1 }, signal),
    select: ({ data }) => (data[0] ? pictureId(data[0]) : undefined),
    enabled: isOn,
    refetchInterval: NEWEST_EVERY_MS,
    // Also at once when one comes back to the window.
    staleTime: 0,
  });
}

/** Begins the gallery again with what is there now. */
export function useGalleryAgain() {
  const queries = useQueryClient();
  return () => queries.resetQueries({ queryKey: [GALLERY, 'pages'] });
}

/** Single pictures, by `generation:index`; null for one that is not there (any more). */
export function usePictures(ids: readonly string[]) {
  return useQueries({
    queries: ids.map((id) => ({
      queryKey: [GALLERY, 'picture', id],
      queryFn: async ({ signal }: { readonly signal: AbortSignal }) => {
        const { generation, index } = readPictureId(id);
        const { data } = await readGallery({ generation, limit: NEXT_PAGE }, signal);
        return data.find((one) => one.index === index) ?? null;
      },
    })),
  });
}

function readGallery(
  parameters: Readonly<Record<string, string | number | undefined>>,
  signal: AbortSignal,
): Promise<GalleryPage> {
  return json<GalleryPage>(withQuery('/v1/gallery', parameters), { signal });
}

export interface Marking {
  readonly hash: string;
  readonly mark: Mark;
}

/** Marks a picture at once, and takes it back when the gateway would not have it; then `onFailed` hears of it. */
export function useMark(onFailed: (error: unknown, marking: Marking) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Marking) => json('/v1/gallery/marks', { method: 'POST', body }),
    onMutate: ({ hash, mark }) => {
      const before = markOf(queries, hash);
      showMark(queries, hash, mark);
      return { before };
    },
    onError: (error, marking, context) => {
      const { hash, mark } = marking;
      // Another mark since then stands for itself.
      if (context?.before !== undefined && markOf(queries, hash) === mark) showMark(queries, hash, context.before);
      onFailed(error, marking);
    },
  });
}

type Cached = InfiniteData<GalleryPage> | Picture | GalleryPage | null | undefined;

function markOf(queries: QueryClient, hash: string): Mark | undefined {
  for (const [, data] of queries.getQueriesData<Cached>({ queryKey: [GALLERY] }))
    for (const one of picturesIn(data)) if (one.hash === hash) return one.mark;
  return undefined;
}

function picturesIn(data: Cached): readonly Picture[] {
  if (!data) return [];
  if ('pages' in data) return data.pages.flatMap((page) => page.data);
  return 'data' in data ? data.data : [data];
}

function showMark(queries: QueryClient, hash: string, mark: Mark): void {
  queries.setQueriesData<Cached>({ queryKey: [GALLERY] }, (data) => {
    if (!data) return data;
    if ('pages' in data) return { ...data, pages: data.pages.map((page) => withMark(page, hash, mark)) };
    if ('data' in data) return withMark(data, hash, mark);
    return data.hash === hash ? { ...data, mark } : data;
  });
}

/** The page with this mark at every picture of these bytes; the same page where it has none. */
export function withMark(page: GalleryPage, hash: string, mark: Mark): GalleryPage {
  if (!page.data.some((one) => one.hash === hash && one.mark !== mark)) return page;
  return { ...page, data: page.data.map((one) => (one.hash === hash ? { ...one, mark } : one)) };
}

/** What the gallery can be narrowed to: the names under which something was made, in the last quarter of a year. */
export function useGalleryNames(by: 'route' | 'key', isOn = true) {
  return useQuery({
    queryKey: ['costs', 'names', by],
    queryFn: async ({ signal }) => {
      const path = withQuery('/v1/costs', { by, since: '90d' });
      const { data } = await json<{ data: readonly Record<string, string | null>[] }>(path, { signal });
      return data.flatMap((row) => row[by] ?? []);
    },
    enabled: isOn,
    staleTime: 60_000,
  });
}
