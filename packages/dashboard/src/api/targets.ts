import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { json } from './client.ts';

/** A target with one of its keys; of one that was drained and never used only the name is known. */
export interface Target {
  readonly id: string;
  readonly drained: boolean;
  readonly credential?: string;
  readonly breaker?: 'closed' | 'open' | 'half_open';
  readonly credential_breaker?: 'closed' | 'open' | 'half_open';
  readonly in_flight?: number;
  /** Epoch ms: nothing is sent there before. */
  readonly available_at?: number | null;
  readonly reason?: string | null;
  readonly last_success_at?: number | null;
  readonly last_failure_at?: number | null;
  readonly waiting?: number;
}

export interface TargetList {
  readonly data: readonly Target[];
  readonly providers: readonly string[];
}

export type TargetAction = 'reset' | 'drain' | 'resume';

export function useTargets() {
  return useQuery({ queryKey: ['targets'], queryFn: () => json<TargetList>('/v1/targets') });
}

/** The slashes of a model's name stay what they are. */
export function targetPath(target: string, action: TargetAction): string {
  return `/v1/targets/${target.split('/').map(encodeURIComponent).join('/')}/${action}`;
}

/** What an operator does to a target by hand. */
export function useTargetAction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ target, action }: { readonly target: string; readonly action: TargetAction }) =>
      json<TargetList>(targetPath(target, action), { method: 'POST' }),
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ['now'] }),
        queries.invalidateQueries({ queryKey: ['targets'] }),
      ]),
  });
}
