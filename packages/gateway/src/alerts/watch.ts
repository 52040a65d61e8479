import type { Io, JsonObject, JsonValue } from '@onetake/core';
import { isObject } from '@onetake/core';
import type { SharedState } from '../store/cells.ts';
import { noteOf } from './message.ts';
import { advance, EMPTY_ALERTS, type SharedAlerts, silence } from './nodes.ts';
import type { Outlet } from './outlet.ts';
import type { OverReading, Reading } from './reading.ts';
import type { AlertPolicy, IsUnknown, Silence } from './state.ts';

export interface Look {
  readonly readings: readonly Reading[];
  readonly isUnknown?: IsUnknown;
}

export interface WatchOptions {
  readonly cells: Pick<SharedState, 'readCell' | 'swapCell'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** The same after a restart where one process owns the store, so that what it found before is not taken for another's. */
  readonly node: string;
  /** What the rules find now, and of what they could find nothing yet. */
  readonly look: () => Promise<Look>;
  readonly policy: AlertPolicy;
  readonly everyMs: number;
  readonly outlet: Pick<Outlet, 'tell'>;
  readonly pageUrl: () => string | undefined;
  readonly onError: (error: unknown) => void;
}

/** Looks again and again, and tells what changed. */
export interface Watch {
  /** What was found last here, over or not. */
  readings(): readonly Reading[];
  /** As it was known at the last look. */
  known(): SharedAlerts;
  /** As it is stored now. */
  read(): Promise<SharedAlerts>;
  silence(wanted: Silence): Promise<SharedAlerts>;
  stop(): Promise<void>;
}

const CELL = 'alerts/state';
const MAX_SWAPS = 20;
const MIN_STALE_MS = 60_000;

export function startWatch(options: WatchOptions): Watch {
  const { io, node, look, policy, everyMs, outlet, pageUrl, onError } = options;
  let readings: readonly Reading[] = [];
  let known = EMPTY_ALERTS;
  let isStopped = false;
  let stopTimer = later(0);
  let working: Promise<void> | undefined;

  function later(ms: number): () => void {
    return io.timer(io.now() + ms, () => {
      working = round()
        .catch(onError)
        .finally(() => {
          if (!isStopped) stopTimer = later(everyMs);
        });
    });
  }

  /**
   * The state is written before anything is sent: of several nodes, and of a process before and after its restart,
   * one alone makes each change, and it alone tells of it. What is paid for that: a process that dies between the
   * two tells nobody, and the channels hear of it by the first reminder, or in the page.
   */
  async function round(): Promise<void> {
    const { isUnknown = () => false, ...looked } = await look();
    readings = looked.readings;
    const over = readings.filter(({ isOver }) => isOver).map(overOf);
    const staleMs = Math.max(MIN_STALE_MS, 4 * everyMs);
    const messages = await change((stored, now) => {
      const { shared, messages: due } = advance(stored, { node, over, staleMs, isUnknown }, now, policy);
      return { shared, result: due };
    });
    for (const message of messages) outlet.tell(noteOf(message, pageUrl()));
  }

  async function change<Result>(
    make: (stored: SharedAlerts, now: number) => { readonly shared: SharedAlerts; readonly result: Result },
  ): Promise<Result> {
    for (let swaps = 0; swaps < MAX_SWAPS; swaps += 1) {
      const cell = await options.cells.readCell(CELL);
      const stored = storedAlerts(cell?.value);
      const { shared, result } = make(stored, io.now());
      const isSame = JSON.stringify(shared) === JSON.stringify(stored);
      if (isSame || (await options.cells.swapCell(CELL, cell?.version ?? 0, wireOf(shared)))) {
        known = shared;
        return result;
      }
    }
    throw new Error(`the state of the alerts changed ${MAX_SWAPS} times while it was being written`);
  }

  return {
    readings: () => readings,
    known: () => known,
    read: async () => storedAlerts((await options.cells.readCell(CELL))?.value),
    silence: (wanted) =>
      change((stored, now) => {
        const shared = silence(stored, wanted, now);
        return { shared, result: shared };
      }),
    async stop() {
      isStopped = true;
      stopTimer();
      await working;
    },
  };
}

function overOf({ isOver: _isOver, ...over }: Reading): OverReading {
  return over;
}

function wireOf(shared: SharedAlerts): JsonObject {
  return JSON.parse(JSON.stringify(shared));
}

/** A cell is read as it was written, by `change` alone; what lacks its parts is none. */
function storedAlerts(value: JsonValue | undefined): SharedAlerts {
  if (!isObject(value) || !Array.isArray(value.rows) || !Array.isArray(value.silences)) return EMPTY_ALERTS;
  return value as unknown as SharedAlerts;
}
