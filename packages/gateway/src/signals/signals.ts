import type { Event } from '@onetake/core';
import type { Logger } from 'pino';
import type { Summary } from '../store/store.ts';
import { summaryOf } from '../tasks/journal.ts';
import type { AnyLive } from '../tasks/running.ts';

/**
 * What happens in this process, for whoever only watches: metrics, traces, alerts, the page. Everything is told from the
 * journal, so nobody who watches keeps a state machine of a generation's own.
 */
export type Signal =
  /** It runs here from now on; one that was taken up again has events already. */
  | { readonly type: 'started'; readonly live: AnyLive }
  | { readonly type: 'event'; readonly live: AnyLive; readonly event: Event }
  /** Its last run finished, and that is durable; of chat it may still be on its way to the store. */
  | { readonly type: 'ended'; readonly live: AnyLive; readonly summary: Summary };

export interface Signals {
  /** Calls back for every signal, at once and in order; returns the unsubscribe function. */
  on(listener: (signal: Signal) => void): () => void;
  /** Tells of this generation until it ends. */
  watch(live: AnyLive): void;
}

/** A listener that throws is a fault of ours that must not end a run: it is logged. */
export function createSignals(log: Pick<Logger, 'error'>): Signals {
  const listeners = new Set<(signal: Signal) => void>();
  const tell = (signal: Signal) => {
    for (const listener of [...listeners]) {
      try {
        listener(signal);
      } catch (err) {
        log.error({ err, generation: signal.live.id }, 'a generation could not be observed');
      }
    }
  };
  return {
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    watch(live) {
      tell({ type: 'started', live });
      live.watch((event) => {
        tell({ type: 'event', live, event });
        const summary = event.type === 'finished' ? summaryOf(live, live.journals) : undefined;
        if (summary) tell({ type: 'ended', live, summary });
      });
    },
  };
}
