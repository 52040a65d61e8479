import { prepare, type WorkDeps } from './line-work.ts';
import { type Action, nextAction, type Selection } from './manifest.ts';
import type { Gate } from './patience.ts';

export interface DriverDeps extends Omit<WorkDeps, 'gate' | 'halt'> {
  readonly selection: Selection;
  /** Lines open at once. */
  readonly concurrency: number;
}

export interface DriverResult {
  /** A line did not fit under the cap. */
  readonly capped: boolean;
  /** Why it ended before its time. */
  readonly stopped?: unknown;
}

/**
 * Works through a batch: first the lines that are open from an earlier session, then new ones in their order. What a
 * line is about to do is on the disk before it does it; a process that dies anywhere is followed by one that repeats
 * nothing under another key.
 */
export async function drive(deps: DriverDeps): Promise<DriverResult> {
  const halt = new AbortController();
  const gate: Gate = { notBefore: 0 };
  const queue = planned(deps);
  let next = 0;
  let open = 0;
  let capped = false;
  let stopped: unknown;
  let bell = Promise.withResolvers<void>();

  /** The next line's work; undefined when there is no more to begin. Waits while open lines hold what the cap leaves. */
  async function take(): Promise<(() => Promise<void>) | undefined> {
    while (!deps.signal.aborted && !halt.signal.aborted && !capped) {
      const action = queue[next];
      if (action === undefined) return undefined;
      const work = prepare(action, { ...deps, gate, halt: halt.signal });
      if (work !== undefined) {
        next += 1;
        open += 1;
        return work;
      }
      if (open === 0) capped = true;
      else await bell.promise;
    }
    return undefined;
  }

  async function runner(): Promise<void> {
    for (let work = await take(); work !== undefined; work = await take()) {
      try {
        await work();
      } catch (error) {
        stopped ??= error;
        halt.abort();
      }
      open -= 1;
      bell.resolve();
      bell = Promise.withResolvers<void>();
    }
  }

  await Promise.all(Array.from({ length: Math.min(deps.concurrency, queue.length) }, runner));
  return { capped, ...(stopped !== undefined && { stopped }) };
}

function planned({ manifest, batch, selection, clock }: DriverDeps): readonly Action[] {
  const now = clock.now();
  const actions: Action[] = [];
  for (const state of manifest.lines()) {
    const action = nextAction(state, batch, selection, now);
    if (action) actions.push(action);
  }
  return [...actions.filter(({ kind }) => kind !== 'start'), ...actions.filter(({ kind }) => kind === 'start')];
}
