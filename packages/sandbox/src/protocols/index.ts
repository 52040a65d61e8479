import { automatic1111 } from './automatic1111.ts';
import { azure } from './azure.ts';
import { bfl } from './bfl.ts';
import { comfyui } from './comfyui.ts';
import { evolink } from './evolink.ts';
import { fal } from './fal.ts';
import { foxapi } from './foxapi.ts';
import { google } from './google.ts';
import { leonardo } from './leonardo.ts';
import { midjourney } from './midjourney.ts';
import { openai } from './openai.ts';
import type { Protocol } from './protocol.ts';
import { replicate } from './replicate.ts';
import { stability } from './stability.ts';

/** Every imitation there is. */
export const PROTOCOLS: readonly Protocol[] = [
  openai,
  azure,
  bfl,
  stability,
  leonardo,
  replicate,
  fal,
  google,
  foxapi,
  evolink,
  midjourney,
  automatic1111,
  comfyui,
];
