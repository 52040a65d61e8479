import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { json } from './client.ts';

export interface Session {
  readonly signed_in: boolean;
  /** Keys are in use: somebody has to sign in. */
  readonly needs_key: boolean;
  readonly caller: string | null;
  readonly is_admin: boolean;
  readonly version: string;
  readonly sandbox: boolean;
  readonly default_model: string | null;
}

const SESSION = ['session'];

export function useSession() {
  return useQuery({ queryKey: SESSION, queryFn: () => json<Session>('/v1/session'), staleTime: 60_000 });
}

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (key: string) => json<Session>('/v1/session', { method: 'POST', body: { key } }),
    onSuccess: (session) => queries.setQueryData(SESSION, session),
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => json<Session>('/v1/session', { method: 'DELETE' }),
    onSuccess: (session) => {
      queries.clear();
      queries.setQueryData(SESSION, session);
    },
  });
}
