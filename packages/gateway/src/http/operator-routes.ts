import type { FastifyInstance } from 'fastify';
import { ADMIN } from './admin.ts';
import { addAlertRoutes } from './alerts.ts';
import { assetList } from './asset-list.ts';
import type { AppDeps } from './deps.ts';
import { type TargetRequest, targetRoutes } from './targets.ts';

/** What those who run a gateway ask of it and do to it. */
export function addOperatorRoutes(app: FastifyInstance, deps: AppDeps): void {
  const targets = targetRoutes(deps);
  app.get('/v1/targets', targets.list);
  app.get('/v1/assets', assetList(deps.store, deps.assetsUrl));
  app.post<TargetRequest>('/v1/targets/*', ADMIN, targets.act);
  addAlertRoutes(app, deps);
}
