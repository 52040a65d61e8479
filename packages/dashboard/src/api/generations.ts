import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { json, withQuery } from './client.ts';
import { listen } from './event-stream.ts';

export type GenerationStatus = 'pending' | 'processing' | 'completed' | 'failed' | 'canceled';
export type Billed = 'no' | 'maybe' | 'yes';

/** One row of `GET /v1/generations`; times are epoch ms, null of money is unknown. */
export interface GenerationRow {
  readonly id: string;
  readonly status: GenerationStatus;
  readonly endpoint: string;
  readonly route: string;
  readonly prompt: string;
  readonly makes?: 'pictures' | 'chat';
  readonly pictures?: number;
  readonly thumbnail_url?: string | null;
  readonly target?: string;
  readonly code?: string;
  readonly billed?: Billed;
  readonly price_usd: number | null;
  readonly possible_usd?: number;
  readonly settled?: string;
  readonly settled_at?: number;
  readonly created_at: number;
  readonly finished_at?: number;
  readonly duration_ms?: number | null;
  readonly caller?: string;
}

export interface GenerationPicture {
  readonly hash: string;
  readonly type: string;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  readonly url: string;
  readonly thumbnail?: string;
  readonly seed?: number;
  /** The words its provider made it from, in its own terms. */
  readonly revised_prompt?: string;
  readonly suspect?: readonly { readonly code: string; readonly detail?: string }[];
  readonly converted_from?: { readonly type: string; readonly url: string };
  /** Which of the generation's `sent` made it. */
  readonly sent?: number;
}

export interface FailureWords {
  readonly kind: string;
  readonly certainty: string;
  readonly message: string;
  readonly code?: string;
  readonly status?: number;
  readonly request_id?: string;
  readonly billed: Billed;
  readonly advice: string;
  readonly answer: { readonly status: number; readonly type: string; readonly code: string };
  readonly not_before?: number;
}

export interface AdaptedField {
  readonly field: string;
  readonly action: 'kept' | 'mapped' | 'dropped' | 'impossible';
  readonly from?: string;
  readonly to?: string;
  readonly reason?: string;
}

export interface Timing {
  readonly connect_ms?: number;
  readonly first_byte_ms?: number;
  readonly body_ms?: number;
  readonly verify_ms?: number;
}

/** One event of the journal; `ms` counts from the request's arrival, `run` is there where there are several. */
export interface TimelineEvent {
  readonly type: string;
  readonly at: number;
  readonly ms: number;
  readonly run?: number;
  readonly attempt?: number;
  readonly target?: string;
  readonly credential?: string;
  readonly free?: boolean;
  readonly status?: number;
  readonly request_id?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timing?: Timing;
  readonly ok?: boolean;
  readonly failure?: FailureWords;
  readonly images?: readonly string[];
  readonly missing?: readonly FailureWords[];
  readonly until?: number;
  readonly reason?: string;
  readonly kind?: string;
  readonly clock?: string;
  readonly progress?: number;
  readonly stage?: string;
  readonly index?: number;
  readonly rung?: string;
}

export interface LedgerLine {
  readonly run: number;
  readonly attempt: number;
  readonly started_at: number;
  readonly ended_at?: number;
  readonly target: string;
  readonly role: string;
  readonly images: number;
  readonly possible_images: number;
  readonly priced: string;
  readonly kind?: string;
  readonly certainty?: string;
  readonly code?: string;
  readonly status?: number;
  readonly provider_request_id?: string;
  readonly spent_usd: number | null;
  readonly possible_usd: number | null;
  readonly saved_usd?: number;
}

/** What a request asked for, as its provider or its caller told it. */
export interface AskedFields {
  readonly operation?: string;
  readonly prompt?: string;
  readonly n?: number;
  readonly size?: string;
  readonly aspect_ratio?: string;
  readonly resolution?: string;
  readonly quality?: string;
  readonly output_format?: string;
  readonly output_compression?: number;
  readonly background?: string;
  readonly moderation?: string;
  readonly seed?: number;
  readonly negative_prompt?: string;
  readonly images?: readonly string[];
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** `GET /v1/generations/{id}`. */
export interface GenerationDetail extends GenerationRow {
  readonly request: AskedFields;
  readonly policy: Readonly<Record<string, unknown>>;
  readonly targets: readonly string[];
  readonly passed_over?: readonly { readonly target: string; readonly reason: string }[];
  readonly deadline_at: number;
  readonly task?: boolean;
  readonly cancel_requested_at?: number;
  readonly attempts: number;
  readonly paid_attempts: number;
  readonly price_basis?: string;
  readonly possible_charges?: number;
  readonly adapted?: readonly AdaptedField[];
  readonly regenerated_from?: string;
  readonly sent?: readonly ({
    readonly provider: string;
    readonly model: string;
    readonly request: AskedFields;
    readonly seed_drawn?: boolean;
    readonly provider_request_id?: string;
  } | null)[];
  readonly images?: readonly GenerationPicture[];
  readonly set_aside?: readonly GenerationPicture[];
  readonly warnings?: readonly unknown[];
  readonly request_id?: string;
  readonly ledger?: readonly LedgerLine[];
  readonly again_usd?: number | null;
  readonly failure?: FailureWords;
  /** Of chat. */
  readonly usage?: Readonly<Record<string, unknown>>;
  readonly timeline: readonly TimelineEvent[];
}

export interface GenerationFilter {
  readonly caller?: string | undefined;
  readonly model?: string | undefined;
  readonly target?: string | undefined;
  readonly status?: string | undefined;
  readonly code?: string | undefined;
  readonly makes?: string | undefined;
  readonly text?: string | undefined;
  readonly unknown?: string | undefined;
  /** One of ours, or one of a provider's; alone. */
  readonly request_id?: string | undefined;
  readonly after?: string | undefined;
}

export interface GenerationList {
  readonly data: readonly GenerationRow[];
  readonly next: string | null;
}

const LIST_EVERY_MS = 2_500;
const LOOK_EVERY_MS = 1_500;

/** One page of the list, newest first, looked at again every few seconds. */
export function useGenerations(filter: GenerationFilter, limit: number) {
  return useQuery({
    queryKey: ['generations', filter, limit],
    queryFn: ({ signal }) => json<GenerationList>(withQuery('/v1/generations', { ...filter, limit }), { signal }),
    refetchInterval: LIST_EVERY_MS,
    placeholderData: keepPreviousData,
  });
}

export function isOver({ status }: Pick<GenerationRow, 'status'>): boolean {
  return status !== 'pending' && status !== 'processing';
}

export function readGeneration(id: string, signal?: AbortSignal): Promise<GenerationDetail> {
  return json<GenerationDetail>(`/v1/generations/${encodeURIComponent(id)}`, { ...(signal && { signal }) });
}

/**
 * A generation with its timeline. While it runs its events are listened to, and it is looked at now and then all the
 * same: not everything that is written into a journal is told there.
 */
export function useGeneration(id: string, { lookEveryMs = LOOK_EVERY_MS }: { readonly lookEveryMs?: number } = {}) {
  const queries = useQueryClient();
  const query = useQuery({
    queryKey: ['generation', id],
    queryFn: ({ signal }) => readGeneration(id, signal),
    refetchInterval: ({ state }) => (state.data && !isOver(state.data) ? lookEveryMs : false),
  });
  const isRunning = query.data !== undefined && !isOver(query.data);
  useEffect(() => {
    if (!isRunning) return;
    const stop = new AbortController();
    const look = () => void queries.invalidateQueries({ queryKey: ['generation', id] });
    void listen(`/v1/tasks/${encodeURIComponent(id)}/events`, { signal: stop.signal, onEvent: look });
    return () => stop.abort();
  }, [id, isRunning, queries]);
  return query;
}

export interface UpstreamRequest {
  readonly method: string;
  readonly url: string;
  readonly run: number;
  readonly attempt: number;
  readonly target: string;
  /** For a shell. */
  readonly curl?: string;
}

export function readUpstream(id: string): Promise<UpstreamRequest> {
  return json<UpstreamRequest>(`/v1/generations/${encodeURIComponent(id)}/upstream`);
}

export interface SettleWish {
  readonly id: string;
  readonly verdict: 'charged' | 'free';
  readonly usd?: number;
}

/** Ends an outcome nobody knows by what was found out at the provider. */
export function useSettle() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: SettleWish) =>
      json<GenerationDetail>(`/v1/generations/${encodeURIComponent(id)}/settle`, { method: 'POST', body }),
    onSuccess: (_, { id }) => afterChange(queries, id),
  });
}

/** Cancels as far as that is possible still; what it came to stands in the answer. */
export function useCancel() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      json<{ readonly status: string; readonly onetake?: { readonly cancel?: string } }>(
        `/v1/tasks/${encodeURIComponent(id)}`,
        { method: 'DELETE' },
      ),
    onSettled: (_data, _error, id) => afterChange(queries, id),
  });
}

function afterChange(queries: ReturnType<typeof useQueryClient>, id: string): void {
  void queries.invalidateQueries({ queryKey: ['generation', id] });
  void queries.invalidateQueries({ queryKey: ['generations'] });
}

/** `<png 512x512 44589 B sha256:a341…>`, as a journal names a picture; undefined for anything else. */
export function pictureOfLine(
  line: string,
): { readonly type: string; readonly hash: string; readonly link: string } | undefined {
  const [, type, hash] = /^<(\w+) \d+x\d+ \d+ B sha256:([0-9a-f]{64})>/.exec(line) ?? [];
  return type === undefined || hash === undefined ? undefined : { type, hash, link: `/v1/assets/${hash}.${type}` };
}
