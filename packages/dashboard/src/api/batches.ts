import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call, json, withQuery } from './client.ts';

export type BatchStatus =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

/** OpenAI's batch; instants are epoch seconds. */
export interface Batch {
  readonly id: string;
  readonly endpoint: string;
  readonly status: BatchStatus;
  readonly input_file_id: string;
  readonly output_file_id: string | null;
  readonly error_file_id: string | null;
  readonly created_at: number;
  readonly in_progress_at: number | null;
  readonly expires_at: number | null;
  readonly completed_at: number | null;
  readonly failed_at: number | null;
  readonly expired_at: number | null;
  readonly cancelled_at: number | null;
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number };
  readonly errors: { readonly data: readonly BatchFault[] } | null;
  readonly metadata: Readonly<Record<string, string>> | null;
}

export interface BatchFault {
  readonly code?: string | null;
  readonly message: string;
  readonly line?: number | null;
}

export interface BatchList {
  readonly data: readonly Batch[];
  readonly has_more: boolean;
}

const BATCHES = ['batches'];
const LISTED = 100;
const OPEN_POLL_MS = 2_000;
const IDLE_POLL_MS = 20_000;
const OVER: readonly BatchStatus[] = ['completed', 'failed', 'expired', 'cancelled'];

export function isOver({ status }: Pick<Batch, 'status'>): boolean {
  return OVER.includes(status);
}

/** The newest, asked for again and again while one of them moves. */
export function useBatches() {
  return useQuery({
    queryKey: BATCHES,
    queryFn: () => json<BatchList>(withQuery('/v1/batches', { limit: LISTED })),
    refetchInterval: ({ state }) => (state.data?.data.every(isOver) === false ? OPEN_POLL_MS : IDLE_POLL_MS),
  });
}

export interface WantedBatch {
  readonly file: File;
  readonly endpoint: string;
}

/** Uploads the lines and starts them. */
export function useStartBatch() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ file, endpoint }: WantedBatch) => {
      const form = new FormData();
      form.set('purpose', 'batch');
      form.set('file', file, file.name);
      const { id } = await json<{ readonly id: string }>('/v1/files', { method: 'POST', body: form });
      const body = {
        input_file_id: id,
        endpoint,
        completion_window: '24h',
        metadata: { name: file.name.slice(0, 200) },
      };
      return json<Batch>('/v1/batches', { method: 'POST', body });
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: BATCHES }),
  });
}

export function useCancelBatch() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => json<Batch>(`/v1/batches/${encodeURIComponent(id)}/cancel`, { method: 'POST' }),
    onSettled: () => queries.invalidateQueries({ queryKey: BATCHES }),
  });
}

export async function fileContent(id: string): Promise<Blob> {
  return (await call(`/v1/files/${encodeURIComponent(id)}/content`)).blob();
}
