import type { Stored } from '../stored.ts';

/** A store that answers, and holds nothing. */
export const NOTHING_STORED: Stored = {
  today: async () => ({ microUsd: 0, unpriced: 0 }),
  budgets: async () => [],
  failures: async () => [],
  unknownOutcomes: async () => 0,
  undelivered: async () => 0,
  webhooks: async () => ({ waiting: 0, givenUp: 0 }),
  queues: async () => [],
  storedBytes: async () => 0,
  isUp: () => true,
};
