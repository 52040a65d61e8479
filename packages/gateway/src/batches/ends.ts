import type { Io } from '@onetake/core';
import type { Store } from '../store/store.ts';

/** Tells when tasks are over, wherever they run. */
export interface Ends {
  /** Calls back once; `completed` is false also for what the store does not know any more. Returns the unsubscribe function. */
  watch(id: string, onEnd: (completed: boolean) => void): () => void;
  stop(): void;
}

export interface EndsOptions {
  readonly store: Pick<Store, 'read' | 'onChange'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
}

/** News may be missed. */
const LOOK_EVERY_MS = 5_000;
const LOOKS_AT_ONCE = 16;

export function createEnds({ store, io }: EndsOptions): Ends {
  const watched = new Map<string, (completed: boolean) => void>();
  const toLook = new Set<string>();
  let looking = 0;

  function look(ids: Iterable<string>): void {
    for (const id of ids) toLook.add(id);
    while (looking < LOOKS_AT_ONCE && toLook.size > 0) {
      looking += 1;
      void work().finally(() => {
        looking -= 1;
      });
    }
  }

  async function work(): Promise<void> {
    for (const id of toLook) {
      toLook.delete(id);
      if (!watched.has(id)) continue;
      // A store that cannot be read is read again.
      const status = await store.read(id).then(
        (found) => found?.status ?? 'failed',
        () => 'pending',
      );
      if (status === 'pending' || status === 'processing') continue;
      const onEnd = watched.get(id);
      watched.delete(id);
      onEnd?.(status === 'completed');
    }
  }

  const stopListening = store.onChange((change) => {
    if (change.kind === 'finished' && watched.has(change.id)) look([change.id]);
  });
  let stopTimer = lookLater();
  function lookLater(): () => void {
    return io.timer(io.now() + LOOK_EVERY_MS, () => {
      look(watched.keys());
      stopTimer = lookLater();
    });
  }

  return {
    watch(id, onEnd) {
      watched.set(id, onEnd);
      look([id]);
      return () => watched.delete(id);
    },
    stop() {
      stopListening();
      stopTimer();
      watched.clear();
    },
  };
}
