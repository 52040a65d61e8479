import type { Change } from '../store.ts';

/** Tells listeners what a batch changed, when it is durable: each distinct change once, however often it happened. */
export interface BatchChanges {
  note(change: Change): void;
  /** The batch is over. */
  flush(): void;
  subscribe(listener: (change: Change) => void): () => void;
}

export function createBatchChanges(): BatchChanges {
  const listeners = new Set<(change: Change) => void>();
  const noted = new Map<string, Change>();

  return {
    note(change) {
      if (listeners.size > 0) noted.set(distinction(change), change);
    },

    flush() {
      if (noted.size === 0) return;
      const changes = [...noted.values()];
      noted.clear();
      for (const change of changes) for (const listener of listeners) listener(change);
    },

    subscribe(listener) {
      const own = (change: Change) => listener(change);
      listeners.add(own);
      return () => listeners.delete(own);
    },
  };
}

function distinction(change: Change): string {
  if (change.kind === 'waiting') return `waiting ${change.queue}`;
  if (change.kind === 'cell') return `cell ${change.key}`;
  return change.kind === 'webhook' ? 'webhook' : `${change.kind} ${change.id}`;
}
