import type { Failure } from './failure.ts';
import {
  type Event,
  foldRun,
  type GeneratedImage,
  gravest,
  missingOf,
  type Outcome,
  paidAttempts,
  type Run,
} from './journal.ts';
import { isObject, type JsonObject, type JsonValue } from './json.ts';

/** A whole request folded from the journals of its runs, in their order. */
export interface Generation {
  readonly runs: readonly Run[];
  /** Undefined while any run goes on. */
  readonly outcome: Outcome | undefined;
  readonly attempts: number;
  readonly paidAttempts: number;
  /** Targets that made the pictures, or were tried last; the first run's first. */
  readonly targets: readonly string[];
  /** The failure that ended the caller's wait while an attempt stays open. */
  readonly overdue: Failure | undefined;
}

export function foldGeneration(journals: readonly (readonly Event[])[]): Generation {
  const runs = journals.map((events) => foldRun(events));
  const targets = runs.map((one) => one.attempts.at(-1)?.target).filter((target) => target !== undefined);
  return {
    runs,
    outcome: foldOutcomes(runs),
    attempts: runs.reduce((sum, one) => sum + one.attempts.length, 0),
    paidAttempts: runs.reduce((sum, one) => sum + paidAttempts(one), 0),
    targets: [...new Set(targets)],
    overdue: runs.flatMap((one) => one.attempts).find((attempt) => attempt.overdue && !attempt.outcome)?.overdue,
  };
}

/** Verified pictures in order; what is missing is listed beside them; only when there is none is it a failure. */
function foldOutcomes(runs: readonly Run[]): Outcome | undefined {
  const outcomes = runs.map((one) => one.finished);
  if (outcomes.includes(undefined)) return undefined;
  const finished = outcomes.filter((one) => one !== undefined);
  const [only] = finished;
  if (finished.length === 1) return only;
  const images: GeneratedImage[] = finished.flatMap((one) => (one.ok ? one.images : []));
  const missing = finished.flatMap(missingOf);
  const [failure] = missing;
  if (images.length === 0 && failure) return { ok: false, failure: gravest(missing, failure), missing };
  const usages = finished.map((one) => (one.ok ? one.usage : undefined)).filter((usage) => usage !== undefined);
  return {
    ok: true,
    images,
    ...(missing.length > 0 && { missing }),
    ...(usages.length > 0 && { usage: addUsage(usages) }),
  };
}

/** Adds counts at every depth; what is no number is taken from the first. */
function addUsage(usages: readonly JsonObject[]): JsonObject {
  const sum: Record<string, JsonValue> = {};
  for (const [key, value] of usages.flatMap((usage) => Object.entries(usage))) {
    if (value !== undefined) sum[key] = added(sum[key], value);
  }
  return sum;
}

function added(before: JsonValue | undefined, value: JsonValue): JsonValue {
  if (before === undefined) return value;
  if (typeof before === 'number' && typeof value === 'number') return before + value;
  return isObject(before) && isObject(value) ? addUsage([before, value]) : before;
}
