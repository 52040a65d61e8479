import { useQuery } from '@tanstack/react-query';
import { json } from './client.ts';

export type SizeRule =
  | { readonly kind: 'any' }
  | { readonly kind: 'list'; readonly sizes: readonly string[] }
  | {
      readonly kind: 'pixels';
      readonly multiple_of: number;
      readonly min_side: number;
      readonly max_side: number;
      readonly min_pixels?: number;
      readonly max_pixels?: number;
      readonly max_ratio?: number;
      readonly auto?: boolean;
    }
  | {
      readonly kind: 'ratio';
      readonly ratios: readonly string[];
      readonly resolutions?: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'fixed' };

/** What a model can be told; what is absent it cannot be told. */
export interface Capabilities {
  readonly size: SizeRule;
  readonly quality?: readonly string[];
  readonly formats?: readonly string[];
  readonly compression?: boolean;
  readonly background?: readonly string[];
  readonly moderation?: readonly string[];
  readonly max_seed?: number;
  readonly negative_prompt?: boolean;
  readonly references?: { readonly max: number; readonly as: string };
  readonly max_prompt_chars?: number;
}

export interface ModelFacts {
  readonly targets: readonly string[];
  readonly price: Readonly<Record<string, unknown>> | null;
  readonly max_images_per_call?: number;
  /** `generate`, `edit`, …; empty for a model that only chats. */
  readonly operations: readonly string[];
  /** Absent where everything passes to the provider as it is. */
  readonly capabilities?: Capabilities;
  /** Whether it shows pictures while it draws them. */
  readonly streams?: boolean;
  readonly shutdown_date?: string;
  readonly retired?: { readonly on: string; readonly successor: string };
}

export interface Model {
  readonly id: string;
  readonly owned_by: string;
  readonly onetake?: ModelFacts;
}

/** Routes first, then every model that makes pictures. */
export function usePictureModels() {
  return useQuery({
    queryKey: ['models'],
    queryFn: () => json<{ readonly data: readonly Model[] }>('/v1/models'),
    select: ({ data }) => data.filter(({ onetake }) => (onetake?.operations.length ?? 0) > 0),
    staleTime: 60_000,
  });
}

/** The facts of one name, listed or not. */
export function useModel(id: string | undefined) {
  return useQuery({
    queryKey: ['model', id],
    // A name may have slashes, which belong to the path here.
    queryFn: () => json<Model>(`/v1/models/${(id ?? '').split('/').map(encodeURIComponent).join('/')}`),
    enabled: id !== undefined && id !== '',
    staleTime: 60_000,
    retry: false,
  });
}
