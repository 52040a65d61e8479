import { type Chat, createChat } from './client/chat.ts';
import { type ClientConfig, createEngine } from './client/engine.ts';
import { createFetch } from './client/fetch.ts';
import { type GenerateParams, generate, type ImageResult } from './client/images.ts';

export interface Client {
  readonly images: { generate(params: GenerateParams): Promise<ImageResult> };
  readonly chat: Chat;
  /**
   * `fetch` as SDKs for OpenAI's API take it, `new OpenAI({ fetch: client.fetch, maxRetries: 0 })`: chat, responses,
   * embeddings and pictures go through the engine, everything else to a provider as it is. Failures are answers, which
   * SDKs turn into their own errors; it is rejected only by the caller's own signal.
   */
  readonly fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}

/**
 * The engine in your process: evidence-based retries, fallback, breakers, verified pictures and chats that end properly,
 * without a server. What does not end in a picture that opens, or an answer, throws the `OnetakeError` of its cause.
 */
export function createClient(config: ClientConfig): Client {
  const engine = createEngine(config);
  return {
    images: { generate: (params) => generate(engine, params) },
    chat: createChat(engine),
    fetch: createFetch(engine),
    close: engine.close,
  };
}
