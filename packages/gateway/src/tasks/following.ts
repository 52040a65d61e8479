import type { StoredGeneration } from '../store/store.ts';

/** A generation as it stands, wherever it runs: what is durable of it now. */
export type Snapshot = StoredGeneration;

/** One generation watched until it is finished; it may run here, on another node, or wait. */
export interface Followed {
  readonly snapshot: () => Snapshot;
  /** Calls back after every change of the snapshot; returns the unsubscribe function. */
  onChange(callback: () => void): () => void;
  /** Whoever follows owes this. */
  close(): void;
}

export interface QueuePosition {
  /** 1 is next. */
  readonly position: number;
  /** Undefined when nothing is known of how long the ones before take. */
  readonly etaMs: number | undefined;
}

export type Cancellation =
  | { readonly kind: 'unknown' }
  /** It was over before. */
  | { readonly kind: 'finished' }
  /** Ended; `confirmed` when nothing had been sent or the provider said that it gave the job up. */
  | { readonly kind: 'canceled'; readonly confirmed: boolean }
  /** Asked for; its end is not in sight yet. */
  | { readonly kind: 'asked' };

/** What the task endpoints stand on. */
export interface Tasks {
  /** Undefined when there is none of this id, or it is another caller's. */
  read(id: string, caller: string): Promise<Snapshot | undefined>;
  follow(id: string, caller: string): Promise<Followed | undefined>;
  /** Where it waits; undefined when it does not. */
  position(snapshot: Snapshot): Promise<QueuePosition | undefined>;
  /** Waits at most `waitMs` to see how the cancellation ends. */
  cancel(id: string, caller: string, waitMs: number): Promise<Cancellation>;
}
