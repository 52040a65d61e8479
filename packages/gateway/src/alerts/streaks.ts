import { type FailureKind, withoutWords } from '@onetake/core';
import { attemptOf } from '../signals/attempts.ts';
import type { Signal } from '../signals/signals.ts';
import { failureFingerprint, masked } from '../store/failure-fingerprint.ts';
import { promptOf } from '../store/plan-kind.ts';
import type { Streak } from './readings.ts';

/** What its caller alone can mend, what passes by itself, and what no provider said: no reason to wake anybody. */
const PASSED_OVER: ReadonlySet<FailureKind> = new Set<FailureKind>([
  ...(['policy', 'capability', 'too_large', 'image_url', 'image_format', 'canceled', 'throttled'] as const),
  ...(['budget', 'queue_full', 'unavailable', 'suspect', 'storage'] as const),
]);

const MAX_TARGETS = 500;
const MAX_WORDS = 160;

interface Entry extends Streak {
  readonly fingerprint: string;
  /** Several attempts of one request are one request; empty after one that worked. */
  readonly generation: string;
}

/** Counts the same failure of a target in a row, as the journals tell of it. What worked in between ends the row. */
export function createStreaks() {
  const streaks = new Map<string, Entry>();

  function countOf({ target, fingerprint, generation }: Omit<Entry, 'count'>): number {
    const known = streaks.get(target);
    if (known === undefined || known.fingerprint !== fingerprint) return 1;
    return known.count + (known.generation === generation ? 0 : 1);
  }

  function keep(entry: Entry): void {
    streaks.delete(entry.target);
    streaks.set(entry.target, entry);
    const [oldest] = streaks.keys();
    if (streaks.size > MAX_TARGETS && oldest !== undefined) streaks.delete(oldest);
  }

  return {
    listen(signal: Signal): void {
      if (signal.type !== 'event' || signal.event.type !== 'attempt-ended') return;
      const { live, event } = signal;
      const target = attemptOf(live, event)?.target;
      if (target === undefined) return;
      if (event.outcome.ok) keep({ target, count: 0, fingerprint: '', generation: '', lastAt: event.at, failure: '' });
      else {
        const { kind, code, message: said } = event.outcome.failure;
        if (PASSED_OVER.has(kind)) return;
        const message = withoutWords(said, [promptOf(live.plan)]);
        const fingerprint = failureFingerprint({ target, kind, message, ...(code !== undefined && { code }) });
        const failure = `${kind}: ${masked(message)}`.slice(0, MAX_WORDS);
        const entry = { target, fingerprint, generation: live.id, lastAt: event.at, failure };
        keep({ ...entry, count: countOf(entry) });
      }
    },
    report: (): readonly Streak[] => [...streaks.values()],
  };
}
