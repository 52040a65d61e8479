import type { Event, Io } from '@onetake/core';
import type { Store } from '../store/store.ts';
import { webhookId } from './journal.ts';
import type { AnyLive } from './running.ts';

const MIN_BETWEEN_PROGRESS_MS = 1_000;

/** Puts a running task's news in the outbox, where its webhook asked for them; its end is written with its journal. */
export function announce(
  live: AnyLive,
  { store, io, onError }: { store: Pick<Store, 'notify'>; io: Pick<Io, 'now'>; onError: (error: unknown) => void },
): void {
  const wanted = live.webhook?.events ?? [];
  if (!wanted.includes('task.processing') && !wanted.includes('task.progress')) return;
  let started = false;
  let lastProgressAt = 0;
  const tell = (type: string, at: number) => {
    if (wanted.includes(type)) store.notify(live.id, { id: webhookId(), type, at }).catch(onError);
  };
  live.watch((event) => {
    const now = io.now();
    if (event.type === 'attempt-started' && !started) {
      started = true;
      tell('task.processing', now);
    } else if (isProgress(event) && now - lastProgressAt >= MIN_BETWEEN_PROGRESS_MS) {
      lastProgressAt = now;
      tell('task.progress', now);
    }
  });
}

function isProgress(event: Event): boolean {
  if (event.type === 'partial-sent') return true;
  return (event.type === 'polled' || event.type === 'handle-received') && event.progress !== undefined;
}
