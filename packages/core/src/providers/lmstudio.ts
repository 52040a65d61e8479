/**
 * LM Studio: chat, responses and embeddings on OpenAI's paths; a token only where its owner asks for one.
 * Facts: lmstudio.ai/docs, OpenAI compatible endpoints and authentication, read 2026-11.
 */
import { localChat } from './local-chat.ts';

export const lmstudio = localChat('lmstudio', {
  baseUrl: 'http://127.0.0.1:1234/v1',
  keyVariables: ['LM_API_TOKEN'],
  baseUrlVariables: ['LMSTUDIO_BASE_URL'],
});
