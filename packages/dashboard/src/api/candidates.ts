import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { json } from './client.ts';

/** Pictures made for one wish, of which one is picked. */
export interface CandidateSet {
  readonly id: string;
  readonly status: 'processing' | 'completed';
  /** The number of the one that scored best. */
  readonly best: number | null;
  readonly picked: number | null;
  readonly members: readonly CandidateMember[];
}

export interface CandidateMember {
  /** From 1. */
  readonly index: number;
  readonly generation: string;
  readonly status: string;
  readonly provider?: string;
  readonly model?: string;
  readonly seed: number | null;
  readonly url?: string;
  readonly sha256?: string;
  readonly score?: number;
  readonly price_usd?: number | null;
  readonly doubts?: readonly string[];
  readonly failure?: { readonly message: string; readonly code: string };
}

const pathOf = (id: string) => `/v1/candidates/${encodeURIComponent(id)}`;

export function useCandidateSet(id: string) {
  return useQuery({
    queryKey: ['candidates', id],
    queryFn: ({ signal }) => json<CandidateSet>(pathOf(id), { signal }),
    refetchInterval: ({ state }) => (state.data?.status === 'processing' ? 2_000 : false),
  });
}

/** Says which candidate is taken; another pick replaces the one before. */
export function usePick(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (index: number) => json<CandidateSet>(`${pathOf(id)}/pick`, { method: 'POST', body: { index } }),
    onSuccess: (set) => queries.setQueryData(['candidates', id], set),
  });
}
