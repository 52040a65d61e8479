import type { Maker } from './maker.ts';

/** What is looked at when somebody asks, and stands until the next look. */
export function standingMetrics({ gauge }: Maker) {
  return {
    build: gauge('build_info', 'Always 1; what runs here.', 'version', 'node'),
    running: gauge('running', 'Generations of this process with an attempt.', 'makes'),
    waiting: gauge('queue_waiting', 'Requests that wait for their first turn at a target.', 'target'),
    breaker: gauge(
      'breaker_state',
      '1 for the state that a target is in: closed, half_open or open.',
      ...(['target', 'state'] as const),
    ),
    keysRefused: gauge(
      'keys_refused',
      'Keys of a target that its provider refuses now: wrong, or without quota or balance.',
      'target',
    ),
    drained: gauge('target_drained', '1 for a target that an operator took out.', 'target'),
    limitAllowed: gauge(
      'limit_allowed',
      'What a target allows in a window, over all its keys; window is in_flight for concurrency.',
      ...(['target', 'dimension', 'window'] as const),
    ),
    limitUsed: gauge('limit_used', 'What of limit_allowed is used now.', 'target', 'dimension', 'window'),
    spentToday: gauge('spent_today_usd', 'US dollars certainly spent this day of UTC, by all nodes together.'),
    unpricedToday: gauge('unpriced_today', 'Attempts of this day at a price nobody knows; not in spent_today_usd.'),
    heldUsd: gauge('held_usd', 'US dollars that running requests hold of budgets.'),
    heldImages: gauge('held_images', 'Pictures that running requests hold of budgets.'),
    budgetUsed: gauge(
      'budget_used_ratio',
      'Spent and held of a key’s budget, from 0; at most 100 keys.',
      ...(['key', 'unit'] as const),
    ),
    unknownOutcomes: gauge('unknown_outcomes', 'Outcomes nobody knows and nobody settled; counted to 1,000.'),
    undelivered: gauge(
      'undelivered_results',
      'Results that reached nobody for 10 s, kept for their callers; counted to 1,000.',
    ),
    webhooks: gauge('webhooks', 'Deliveries that wait or were given up; counted to 1,000 each.', 'state'),
    storedBytes: gauge('stored_bytes', 'Bytes of the pictures that generations hold.'),
    storeUp: gauge('store_up', '1 while the store answered the last look, else 0: what it tells is then as it was.'),
  };
}

export type StandingMetrics = ReturnType<typeof standingMetrics>;
