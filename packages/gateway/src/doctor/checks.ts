import type { Check } from './check.ts';
import { ACCESS } from './checks/access.ts';
import { ASSETS } from './checks/assets.ts';
import { BUDGETS } from './checks/budgets.ts';
import { CONFIG } from './checks/config.ts';
import { DATA } from './checks/data.ts';
import { DATABASE } from './checks/database.ts';
import { ENVIRONMENT } from './checks/environment.ts';
import { GATEWAY } from './checks/gateway.ts';
import { KEYS } from './checks/keys.ts';
import { MODELS } from './checks/models.ts';
import { PORTS } from './checks/ports.ts';
import { PROMPT } from './checks/prompt.ts';
import { ROUTES } from './checks/routes.ts';
import { WEBHOOKS } from './checks/webhooks.ts';
import { NETWORK_CHECKS } from './network/checks.ts';

/** What needs no provider. */
export const LOCAL_CHECKS: readonly Check[] = [
  CONFIG,
  KEYS,
  ROUTES,
  MODELS,
  ENVIRONMENT,
  DATA,
  DATABASE,
  ASSETS,
  PORTS,
  ACCESS,
  WEBHOOKS,
  GATEWAY,
  BUDGETS,
  PROMPT,
];

/** Everything the doctor looks at, in the order it is told: what stands in the way of everything else first. */
export const CHECKS: readonly Check[] = [...LOCAL_CHECKS, ...NETWORK_CHECKS];
