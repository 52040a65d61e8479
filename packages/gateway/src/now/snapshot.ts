import { foldGeneration, type Io, type JsonObject, type LimitReport } from '@onetake/core';
import { progressOf } from '../http/task-view.ts';
import { usdOf } from '../money/usd.ts';
import type { FailureGroup } from '../store/ledger.ts';
import { makesPictures, promptOf } from '../store/plan-kind.ts';
import type { AnyLive } from '../tasks/running.ts';
import { limitUses } from './limit-uses.ts';
import { MINUTE_MS, type Recent, type RecentMinute } from './recent.ts';
import type { BudgetUse, Stored } from './stored.ts';
import { standingOf } from './waiting.ts';

export interface SnapshotParts {
  readonly recent: Recent;
  readonly stored: Stored;
  /** What this process works on. */
  readonly lives: () => readonly AnyLive[];
  readonly limits: () => readonly LimitReport[];
  /** When so many pictures more of this queue would have begun. */
  readonly etaMs: (queue: string, pictures: number) => number | undefined;
  /** The rows of `GET /v1/targets`, as administrators see them. */
  readonly targets: () => readonly JsonObject[];
  readonly failureView: (group: FailureGroup) => JsonObject;
  /** The rows of `GET /v1/alerts` that are not ok. */
  readonly alerts: () => Promise<readonly JsonObject[]>;
  readonly io: Pick<Io, 'now'>;
}

const WINDOW_MS = 15 * MINUTE_MS;
/** Of pictures a minute: long enough to be steady, short enough to be held against a limit of one minute. */
const PACE_MS = 5 * MINUTE_MS;
const MOST_ROWS = 50;
const PROMPT_CHARS = 200;

/** `GET /v1/now`: what runs and waits, how it went in the last minutes, and what stands in the way. */
export function createSnapshot(parts: SnapshotParts): () => Promise<JsonObject> {
  const { recent, stored, io } = parts;
  return async () => {
    const [queues, today, budgets, failures, unknown, undelivered, alerts] = await Promise.all([
      ...([stored.queues(), stored.today(), stored.budgets(), stored.failures()] as const),
      ...([stored.unknownOutcomes(), stored.undelivered(), parts.alerts()] as const),
    ]);
    const now = io.now();
    const { running, waiting } = standingOf(parts.lives(), queues);
    return {
      ...{ object: 'now', at: now, since: recent.since, window_ms: WINDOW_MS },
      running: running.slice(0, MOST_ROWS).map(runningRow),
      running_count: running.length,
      waiting: [...waiting]
        .toSorted(([, one], [, other]) => other - one)
        .slice(0, MOST_ROWS)
        .map(([queue, count]) => ({ queue, waiting: count, eta_ms: parts.etaMs(queue, count) ?? null })),
      waiting_count: [...waiting.values()].reduce((sum, count) => sum + count, 0),
      ...recentFields(recent, now),
      limits: limitUses(parts.limits())
        .slice(0, MOST_ROWS)
        .map(({ windowMs, ...use }) => ({ ...use, window_ms: windowMs ?? null })),
      spend_today_usd: usdOf(today.microUsd),
      unpriced_today: today.unpriced,
      budgets: budgets.map(budgetRow),
      targets: parts.targets(),
      failures: failures.map(parts.failureView),
      unknown_outcomes: unknown,
      undelivered,
      alerts,
    };
  };
}

function recentFields(recent: Recent, now: number): JsonObject {
  const { ended, completed, failed, refused, canceled, p50Ms, p95Ms } = recent.window(WINDOW_MS, now);
  const pace = recent.window(PACE_MS, now);
  // In whole minutes but for the one that goes on, and never longer than anything was counted.
  const countedMs = Math.min(PACE_MS - MINUTE_MS + (now % MINUTE_MS), now - recent.since);
  const judged = completed + failed;
  return {
    requests: {
      ...{ ended, completed, failed, refused, canceled },
      success_rate: judged === 0 ? null : completed / judged,
    },
    latency_ms: p50Ms === undefined || p95Ms === undefined ? null : { p50: p50Ms, p95: p95Ms },
    images_per_minute: round((pace.images * MINUTE_MS) / Math.max(MINUTE_MS, countedMs)),
    series: recent.series(now).map(minuteRow),
  };
}

function minuteRow({ at, ended, failed, images, p50Ms, p95Ms, usd }: RecentMinute): JsonObject {
  return { at, ended, failed, images, p50_ms: p50Ms ?? null, p95_ms: p95Ms ?? null, usd };
}

function runningRow(live: AnyLive): JsonObject {
  const { id, caller, plan, journals } = live;
  const { runs, attempts } = foldGeneration(journals);
  const open = runs.find(({ finished }) => finished === undefined) ?? runs[0];
  const last = open?.attempts.at(-1);
  const told = runs.some((run) => run.attempts.some(({ progress }) => progress !== undefined));
  return {
    ...{ id, caller, route: plan.route, prompt: promptOf(plan).slice(0, PROMPT_CHARS) },
    makes: makesPictures(live) ? 'pictures' : 'chat',
    target: last?.target ?? null,
    attempt: attempts,
    created_at: plan.createdAt,
    stage: last?.stage ?? null,
    progress: told ? progressOf({ status: 'processing', journals, plan }) : null,
  };
}

function budgetRow({ key, window, use }: BudgetUse): JsonObject {
  const inUsd = window.unit === 'micro_usd';
  const amount = inUsd ? usdOf : (count: number) => count;
  return {
    ...{ key, name: window.name, unit: inUsd ? 'usd' : 'images' },
    ...{ most: amount(window.most), spent: amount(use.spent), held: amount(use.held) },
    until: window.until ?? null,
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
