import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { json } from './client.ts';
import type { Session } from './session.ts';

export const PERIODS = ['hour', 'day', 'week', 'month', 'total'] as const;
export type Period = (typeof PERIODS)[number];

export interface KeyLimits {
  readonly budget: { readonly usd: number; readonly per: Period } | null;
  readonly images: { readonly count: number; readonly per: Period } | null;
  readonly rpm: number | null;
  readonly models: readonly string[] | null;
  readonly allow_unknown_price: boolean;
  readonly admin: boolean;
  readonly browser: { readonly origins: readonly string[] } | null;
}

export interface Key extends KeyLimits {
  readonly name: string;
  /** Its first characters. */
  readonly hint: string;
  readonly status: 'usable' | 'revoked' | 'expired';
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
}

/** With the key itself, for this once. */
export interface MadeKey extends Key {
  readonly key: string;
}

/** A number, or what was typed in its place, which the gateway refuses by name. */
export type Amount = number | string;

export interface WantedKey extends Partial<Pick<KeyLimits, 'models' | 'allow_unknown_price' | 'admin' | 'browser'>> {
  readonly name: string;
  readonly budget?: { readonly usd: Amount; readonly per: Period };
  readonly images?: { readonly count: Amount; readonly per: Period };
  readonly rpm?: Amount;
  readonly expires_in_ms?: number;
}

const KEYS = ['keys'];
const SESSION = ['session'];
const HELD_MS = 3_600_000;

/** `isHeld`: what is shown stays as it is, see `useCreateKey`. */
export function useKeys({ isHeld }: { readonly isHeld: boolean }) {
  return useQuery({
    queryKey: KEYS,
    queryFn: () => json<{ readonly data: readonly Key[] }>('/v1/keys'),
    enabled: !isHeld,
  });
}

/**
 * The first key ends the time in which nobody needs one, for this page too: whoever asks next is told to sign in, and
 * that would take the new key away before it was copied. So until `release` the page asks for nothing more.
 */
export function useCreateKey() {
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: (body: WantedKey) => json<MadeKey>('/v1/keys', { method: 'POST', body }),
    onSuccess: () => {
      const session = queries.getQueryData<Session>(SESSION);
      if (session) queries.setQueryData(SESSION, session, { updatedAt: Date.now() + HELD_MS });
    },
    // The secret is kept by nobody but who looks at it.
    gcTime: 0,
  });
  return {
    create,
    release: () => {
      create.reset();
      return Promise.all([
        queries.invalidateQueries({ queryKey: SESSION }),
        queries.invalidateQueries({ queryKey: KEYS }),
        queries.invalidateQueries({ queryKey: ['now'] }),
      ]);
    },
  };
}

export function useRevokeKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => json<Key>(`/v1/keys/${encodeURIComponent(name)}`, { method: 'DELETE' }),
    onSuccess: () =>
      Promise.all([queries.invalidateQueries({ queryKey: KEYS }), queries.invalidateQueries({ queryKey: SESSION })]),
  });
}
