import type { Check } from '../check.ts';
import { BASE_URL } from './base-url.ts';
import { CLOCK } from './clock.ts';
import { FRONT } from './front.ts';
import { KEY } from './key.ts';
import { LIMITS } from './limits.ts';
import { LOCAL } from './local.ts';
import { MODEL_ACCESS } from './model-access.ts';
import { PROXY } from './proxy.ts';
import { REACH } from './reach.ts';
import { SPEND } from './spend.ts';
import { STATUS } from './status.ts';
import { THROUGH } from './through.ts';

/** What is asked of the network, in the order it is told: what stands in the way of everything else first. */
export const NETWORK_CHECKS: readonly Check[] = [
  CLOCK,
  BASE_URL,
  PROXY,
  REACH,
  LOCAL,
  KEY,
  MODEL_ACCESS,
  LIMITS,
  STATUS,
  FRONT,
  THROUGH,
  SPEND,
];
