import type { OverReading } from '../reading.ts';
import { RULES } from '../rules.ts';
import type { AlertPolicy } from '../state.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Fires after a minute, recovers after two, reminds after one hour, four, and then every day. */
export function samplePolicy(change: Partial<AlertPolicy> = {}): AlertPolicy {
  const forMs = MINUTE;
  return {
    rules: {
      failure_rate: { ...RULES.failure_rate, forMs },
      breaker_open: { ...RULES.breaker_open, forMs },
      repeated_failure: { ...RULES.repeated_failure, forMs: 0 },
      budget: { ...RULES.budget, forMs: 0 },
    },
    recoverAfterMs: 2 * MINUTE,
    remindersMs: [HOUR, 4 * HOUR, 24 * HOUR],
    maxMessagesPerMinute: 20,
    ...change,
  };
}

export function over(change: Partial<OverReading> = {}): OverReading {
  return {
    ...{ rule: 'failure_rate', subject: '', value: 0.4, threshold: 0.2, severity: 'warning' },
    message: '40 % of 100 requests failed within 5 min',
    ...change,
  };
}
