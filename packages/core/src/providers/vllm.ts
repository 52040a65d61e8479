/**
 * vLLM: chat, responses and embeddings on OpenAI's paths; a key only where it was started with one.
 * Facts: docs.vllm.ai, online serving, 0.32, read 2026-11.
 */
import { localChat } from './local-chat.ts';

export const vllm = localChat('vllm', {
  baseUrl: 'http://127.0.0.1:8000/v1',
  keyVariables: ['VLLM_API_KEY'],
  baseUrlVariables: ['VLLM_BASE_URL'],
});
