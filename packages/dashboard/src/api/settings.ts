import { type UseQueryOptions, useQueries, useQuery } from '@tanstack/react-query';
import { json } from './client.ts';
import type { Picture } from './gallery.ts';

/** How a picture was made, read from its generation. */
export interface Settings {
  readonly seed: number | undefined;
  readonly priceUsd: number | null;
  /** How many pictures share that price. */
  readonly pictures: number;
  readonly durationMs: number | undefined;
  /** What was sent for it, by the names of the wire. */
  readonly sent: Readonly<Record<string, unknown>>;
}

/** What of `GET /v1/generations/{id}` is read here. */
interface GenerationAnswer {
  readonly price_usd: number | null;
  readonly created_at: number;
  readonly finished_at?: number;
  readonly request: Readonly<Record<string, unknown>>;
  readonly sent?: readonly ({ readonly request: Readonly<Record<string, unknown>> } | null)[];
  readonly images?: readonly { readonly seed?: number; readonly sent?: number }[];
}

/** A generation that made a picture is over, so it is read once. */
function optionsFor({ generation, index }: Pick<Picture, 'generation' | 'index'>): UseQueryOptions<Settings> {
  return {
    queryKey: ['settings', generation, index],
    queryFn: async ({ signal }) => {
      const path = `/v1/generations/${encodeURIComponent(generation)}`;
      return settingsOf(await json<GenerationAnswer>(path, { signal }), index);
    },
    staleTime: Number.POSITIVE_INFINITY,
  };
}

export function useSettings(picture: Pick<Picture, 'generation' | 'index'>) {
  return useQuery(optionsFor(picture));
}

export function useAllSettings(pictures: readonly Pick<Picture, 'generation' | 'index'>[]) {
  return useQueries({ queries: pictures.map(optionsFor) });
}

/** Of several pictures of one generation each was sent for by itself, or all at once. */
export function settingsOf(answer: GenerationAnswer, index: number): Settings {
  const image = answer.images?.[index];
  const sent = answer.sent?.[image?.sent ?? 0]?.request ?? answer.request;
  const { seed } = sent;
  return {
    seed: image?.seed ?? (typeof seed === 'number' ? seed : undefined),
    priceUsd: answer.price_usd,
    pictures: answer.images?.length ?? 1,
    durationMs: answer.finished_at === undefined ? undefined : answer.finished_at - answer.created_at,
    sent,
  };
}
