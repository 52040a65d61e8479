import assert from 'node:assert/strict';
import { createMemoryCells } from '../cells.ts';
import type { Outcome } from '../journal.ts';
import { createPacer, type PacerOptions } from '../pacer.ts';
import type { Cells, Turn } from '../pacing.ts';
import { createVirtualClock } from './virtual-clock.ts';

export const NOW = 1_000_000;
export const DONE: Outcome = { ok: true, images: [] };
export const REFUSED: Outcome = {
  ok: false,
  failure: {
    kind: 'throttled',
    certainty: 'rejected',
    message: 'Too many concurrent requests.',
    throttle: 'concurrency',
  },
};

/** Cells like a cluster's: every change takes a moment, and another node's changes are told. */
export function sharedCells() {
  const memory = createMemoryCells();
  const nodes: Set<(key: string) => void>[] = [];
  return {
    open(): Cells {
      const listeners = new Set<(key: string) => void>();
      nodes.push(listeners);
      return {
        async update(key, change) {
          await new Promise((resolve) => setImmediate(resolve));
          const result = await memory.update(key, change);
          for (const node of nodes) if (node !== listeners) for (const listener of node) listener(key);
          return result;
        },
        peek: memory.peek,
        onChange(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      };
    },
  };
}

/** Lets everything that is ready run. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

export function createPacerRig(options: Partial<PacerOptions> = {}) {
  const clock = createVirtualClock(NOW);
  const pacer = createPacer({ limits: () => undefined, cells: createMemoryCells(), io: clock, ...options });
  const given: string[] = [];
  /** Asks for a turn; `name` is noted when it comes. */
  const ask = (name: string, { tag = 0, caller = name, keys = ['key'], images = 1, signal }: Asked = {}) => {
    const turn = pacer
      .take({
        target: 't',
        credentials: () => keys,
        claim: { images },
        ticket: { caller, tag },
        ...(signal && { signal }),
      })
      .then(([first]) => {
        if (first) given.push(name);
        return first;
      });
    return turn;
  };
  return { clock, pacer, given, ask };
}

export interface Asked {
  readonly tag?: number;
  readonly caller?: string;
  readonly keys?: readonly string[];
  readonly images?: number;
  readonly signal?: AbortSignal;
}

export async function taken(turn: Promise<Turn | undefined>): Promise<Turn> {
  const found = await turn;
  assert.ok(found);
  return found;
}
