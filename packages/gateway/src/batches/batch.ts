import type { LineFault } from './request-line.ts';

export type BatchStatus =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

export interface BatchCounts {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
}

/** Tokens of all answers together. */
export interface BatchUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

/** A batch as its cell in the store holds it: plain JSON, instants in epoch ms. */
export interface Batch {
  readonly id: string;
  readonly caller: string;
  /** Asked for by a page of another origin: its lines may raise nothing. */
  readonly fromBrowser: boolean;
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly idempotencyKey?: string;
  /** How long its output is kept. */
  readonly outputMs: number;
  readonly status: BatchStatus;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly inProgressAt?: number;
  readonly finalizingAt?: number;
  readonly cancellingAt?: number;
  /** When it came to its last status. */
  readonly endedAt?: number;
  readonly faults?: readonly LineFault[];
  readonly counts: BatchCounts;
  /** Of chat: what its answers used, as OpenAI tells it. */
  readonly usage?: BatchUsage;
  /** Every line before this many is over; so many of those completed. */
  readonly settled: { readonly lines: number; readonly completed: number };
  /** What its files are, or will be, called: chosen before they are written, so that writing them again replaces them. */
  readonly files?: { readonly output: string; readonly error: string };
  /** Of `files`, those that have a line in them. */
  readonly written?: readonly ('output' | 'error')[];
  /** Who works on it. */
  readonly lease?: { readonly worker: string; readonly until: number };
}

/** OpenAI's one completion window. */
export const WINDOW_MS = 24 * 3_600_000;

export function isOver({ status }: Pick<Batch, 'status'>): boolean {
  return status === 'completed' || status === 'failed' || status === 'expired' || status === 'cancelled';
}

/** What it becomes when somebody asks for its end; what is over or about to be stays. */
export function cancelling(batch: Batch, now: number): Batch {
  if (isOver(batch) || batch.status === 'finalizing' || batch.status === 'cancelling') return batch;
  return { ...batch, status: 'cancelling', cancellingAt: now };
}
