import { useQuery } from '@tanstack/react-query';
import { json, withQuery } from './client.ts';

/** One failure, however often it came. */
export interface FailureGroup {
  readonly fingerprint: string;
  readonly count: number;
  readonly first_at: number;
  readonly last_at: number;
  readonly target: string | null;
  readonly kind: string;
  readonly code: string | null;
  readonly message: string;
  /** Whose requests they were. */
  readonly keys: readonly string[];
  /** The newest of them. */
  readonly generation: string;
  readonly advice: string;
}

interface FailureList {
  readonly data: readonly FailureGroup[];
  readonly since: number;
  readonly until: number;
}

export const MAX_FAILURE_GROUPS = 200;

export function useFailures(since: string) {
  return useQuery({
    queryKey: ['failures', since],
    queryFn: () => json<FailureList>(withQuery('/v1/failures', { since, limit: MAX_FAILURE_GROUPS })),
    refetchInterval: 15_000,
  });
}

export type Answer = 'no' | 'maybe' | 'yes';

/** An error that is known: what it means, who has to act, and what helps. */
export interface KnownError {
  readonly id: string;
  readonly title: string;
  readonly meaning: string;
  readonly kind: string;
  readonly who: string;
  readonly do: string;
  readonly retry: { readonly useful: Answer; readonly when: string };
  readonly another_key: Answer;
  readonly another_key_when?: string;
  readonly fallback: Answer;
  readonly billed: Answer;
  readonly link?: string;
  readonly confidence: number;
}

export interface Explanation {
  readonly known: boolean;
  readonly data: readonly KnownError[];
  readonly general: { readonly kind: string; readonly advice: string } | null;
}

/** Of an address, encoded; longer ones are refused by servers. */
const MAX_ADDRESS_CHARACTERS = 12_000;

/** As much of the beginning as an address can hold. */
export function explainableStart(text: string): string {
  let start = text.slice(0, MAX_ADDRESS_CHARACTERS).toWellFormed();
  while (encodeURIComponent(start).length > MAX_ADDRESS_CHARACTERS) {
    start = start.slice(0, Math.floor(start.length * 0.9)).toWellFormed();
  }
  return start;
}

/** Nothing is asked while there is no text. */
export function useExplanation(text: string) {
  const asked = explainableStart(text.trim());
  return useQuery({
    queryKey: ['explain', asked],
    queryFn: () => json<Explanation>(withQuery('/v1/explain', { text: asked })),
    enabled: asked !== '',
    placeholderData: (last) => last,
    staleTime: Number.POSITIVE_INFINITY,
  });
}
