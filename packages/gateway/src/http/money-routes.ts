import type { Io } from '@onetake/core';
import type { FastifyInstance } from 'fastify';
import type { Store } from '../store/store.ts';
import { ADMIN } from './admin.ts';
import { readCosts } from './costs.ts';
import { listFailures } from './failures.ts';
import { type SettleRequest, settleGeneration } from './settle.ts';

export interface MoneyRouteDeps {
  readonly store: Pick<Store, 'costs' | 'failures' | 'settle' | 'read'>;
  readonly io: Pick<Io, 'now'>;
  readonly assetsUrl: () => string;
}

/** What was spent and what went wrong, of one key or of all; and what became of a charge that nobody knew of. */
export function addMoneyRoutes(app: FastifyInstance, deps: MoneyRouteDeps): void {
  app.get('/v1/costs', readCosts(deps));
  app.get('/v1/failures', listFailures(deps));
  app.post<SettleRequest>('/v1/generations/:id/settle', ADMIN, settleGeneration(deps));
}
