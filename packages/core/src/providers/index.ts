import { automatic1111 } from './automatic1111.ts';
import { azure } from './azure.ts';
import { bedrock } from './bedrock.ts';
import { bfl } from './bfl.ts';
import { comfyui } from './comfyui.ts';
import { deepinfra } from './deepinfra.ts';
import { evolink } from './evolink.ts';
import { fal } from './fal.ts';
import { fireworks } from './fireworks.ts';
import { foxapi } from './foxapi.ts';
import { google } from './google.ts';
import { ideogram } from './ideogram.ts';
import { leonardo } from './leonardo.ts';
import { lmstudio } from './lmstudio.ts';
import { localai } from './localai.ts';
import { luma } from './luma.ts';
import { midjourney } from './midjourney.ts';
import { ollama } from './ollama.ts';
import { openai, openaiCompatible } from './openai.ts';
import { openaiResponses } from './openai-responses.ts';
import type { Provider } from './provider.ts';
import { recraft } from './recraft.ts';
import { replicate } from './replicate.ts';
import { stability } from './stability.ts';
import { stableDiffusionCpp } from './stable-diffusion-cpp.ts';
import { together } from './together.ts';
import { vllm } from './vllm.ts';
import { xai } from './xai.ts';

/** Every protocol that is spoken natively. A bare model name goes to the first configured one that lists it. */
export const PROVIDERS: readonly Provider[] = [
  openai,
  openaiResponses,
  openaiCompatible,
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
  stableDiffusionCpp,
  localai,
  together,
  fireworks,
  deepinfra,
  xai,
  ideogram,
  recraft,
  luma,
  bedrock,
  ollama,
  vllm,
  lmstudio,
];
