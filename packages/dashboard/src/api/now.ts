import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { AlertRow } from './alerts.ts';
import { json } from './client.ts';
import { listen } from './event-stream.ts';
import type { FailureGroup } from './failures.ts';
import type { Target } from './targets.ts';

export interface RunningGeneration {
  readonly id: string;
  readonly caller: string;
  readonly route: string;
  readonly prompt: string;
  readonly makes: 'pictures' | 'chat';
  readonly target: string | null;
  readonly attempt: number;
  readonly created_at: number;
  readonly stage: string | null;
  /** 0 to 1. */
  readonly progress: number | null;
}

export interface WaitingQueue {
  readonly queue: string;
  readonly waiting: number;
  readonly eta_ms: number | null;
}

export interface EndedRequests {
  readonly ended: number;
  readonly completed: number;
  readonly failed: number;
  readonly refused: number;
  readonly canceled: number;
  readonly success_rate: number | null;
}

/** What ended in one minute. */
export interface Minute {
  readonly at: number;
  readonly ended: number;
  readonly failed: number;
  readonly images: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly usd: number;
}

export interface LimitUse {
  readonly target: string;
  readonly dimension: 'images' | 'requests' | 'tokens' | 'concurrency';
  readonly count: number;
  readonly window_ms: number | null;
  readonly used: number;
  readonly share: number;
  readonly waiting: number;
}

/** One window of what a key may spend or make. */
export interface BudgetUse {
  readonly key: string;
  readonly name: string;
  readonly unit: 'usd' | 'images';
  readonly most: number;
  readonly spent: number;
  readonly held: number;
  /** Epoch ms: it begins anew; null for one that never does. */
  readonly until: number | null;
}

export interface Now {
  readonly at: number;
  readonly since: number;
  readonly window_ms: number;
  readonly running: readonly RunningGeneration[];
  readonly running_count: number;
  readonly waiting: readonly WaitingQueue[];
  readonly waiting_count: number;
  readonly requests: EndedRequests;
  readonly latency_ms: { readonly p50: number; readonly p95: number } | null;
  readonly images_per_minute: number;
  readonly series: readonly Minute[];
  readonly limits: readonly LimitUse[];
  readonly spend_today_usd: number;
  readonly unpriced_today: number;
  readonly budgets: readonly BudgetUse[];
  readonly targets: readonly Target[];
  readonly failures: readonly FailureGroup[];
  readonly unknown_outcomes: number;
  readonly undelivered: number;
  readonly alerts: readonly AlertRow[];
}

const NOW = ['now'];
const readNow = () => json<Now>('/v1/now');

/** Whether news arrive: `down` says that what is shown grows old. */
export type Line = 'opening' | 'open' | 'down';

/** How things stand, kept up to date by events. Parts that did not change stay the same objects. */
export function useNow() {
  const queries = useQueryClient();
  const [line, setLine] = useState<Line>('opening');
  const query = useQuery({ queryKey: NOW, queryFn: readNow, refetchOnWindowFocus: false });
  useEffect(() => {
    const leaving = new AbortController();
    listen('/v1/now/events', {
      signal: leaving.signal,
      onEvent: ({ event, data }) => event === 'now' && takeNews(queries, data),
      onState: (isOpen) => setLine(isOpen ? 'open' : 'down'),
    });
    return () => leaving.abort();
  }, [queries]);
  return { query, line };
}

function takeNews(queries: QueryClient, data: string): void {
  queries.setQueryData<Now>(NOW, JSON.parse(data) as Now);
}

/** The gateway looks as often. */
const BUDGETS_MS = 5_000;

/** What keys have spent and hold of their budgets; the gateway tells the first 100 windows. */
export function useBudgets({ isHeld = false }: { readonly isHeld?: boolean } = {}) {
  return useQuery({
    ...{ queryKey: NOW, queryFn: readNow, enabled: !isHeld, refetchInterval: BUDGETS_MS },
    select: ({ budgets }: Now) => budgets,
  });
}
