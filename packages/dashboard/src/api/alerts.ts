import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { json } from './client.ts';

/** What the values of a rule are: a part of 1, milliseconds, how many, or days that are left. */
export type Unit = 'share' | 'ms' | 'count' | 'days';

export type Severity = 'notice' | 'warning' | 'critical';

/** How one subject of one rule stands. */
export interface AlertRow {
  readonly rule: string;
  /** The target, key or place it is about; empty where it is about all. */
  readonly subject: string;
  readonly state: 'ok' | 'pending' | 'firing' | 'silenced';
  /** Null where all is well, as are the others. */
  readonly severity: Severity | null;
  readonly since: number | null;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly unit: Unit;
  readonly message: string | null;
  readonly advice: string | null;
  readonly notified_at: number | null;
  readonly silenced_until: number | null;
}

export interface AlertRule {
  readonly name: string;
  readonly on: boolean;
  /** On which side of its threshold it speaks. */
  readonly is: 'above' | 'below';
  /** The threshold. */
  readonly above: number;
  readonly unit: Unit;
  readonly for_ms: number;
  /** Absent where it is a standing and no stretch of time. */
  readonly window_ms?: number | null;
  readonly what: string;
}

export interface Alerts {
  readonly data: readonly AlertRow[];
  readonly channels: readonly { readonly name: string; readonly kind: string }[];
  readonly rules: readonly AlertRule[];
}

export interface ChannelTest {
  readonly channel: string;
  readonly ok: boolean;
  readonly status?: number;
  readonly error?: string;
}

export function useAlerts() {
  return useQuery({ queryKey: ['alerts'], queryFn: () => json<Alerts>('/v1/alerts'), refetchInterval: 10_000 });
}

/** Sends a message to one channel, or to all. */
export function useAlertTest() {
  return useMutation({
    mutationFn: (channel: string | undefined) =>
      json<{ readonly results: readonly ChannelTest[] }>('/v1/alerts/test', {
        method: 'POST',
        body: channel === undefined ? {} : { channel },
      }),
  });
}

export interface WantedSilence {
  readonly rule: string;
  /** Absent: every subject of the rule. */
  readonly subject?: string;
  /** 0 ends it. */
  readonly minutes: number;
}

export function useSilence() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: WantedSilence) => json('/v1/alerts/silence', { method: 'POST', body }),
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ['alerts'] }),
        queries.invalidateQueries({ queryKey: ['now'] }),
      ]),
  });
}
