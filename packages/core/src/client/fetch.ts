import { CHAT_ENDPOINTS } from '../chat/endpoints.ts';
import { type Asking, readAsking } from './asking.ts';
import type { Engine } from './engine.ts';
import { errorAnswer } from './error-answer.ts';
import { fetchChat } from './fetch-chat.ts';
import { fetchImages } from './fetch-images.ts';
import { brokenOff } from './interrupted.ts';
import { passOn } from './pass-on.ts';

/** `fetch` for SDKs of OpenAI's API; what it does with which path is told by `Client`. */
export function createFetch(engine: Engine): typeof globalThis.fetch {
  return async (input, init) => {
    const read = await readAsking(input, init);
    if (!read.ok) return errorAnswer(read.failure, 'chat', engine.io.now());
    const { signal, method, url } = read.asking;
    const path = method === 'POST' ? url.pathname : '';
    try {
      return await answerTo(engine, path, read.asking);
    } catch (error) {
      signal?.throwIfAborted();
      // Thrown, it would be a connection that failed, which SDKs repeat and pay for again.
      const asked = /\/images\/(?:generations|edits)$/.test(path) ? 'images' : 'chat';
      return errorAnswer(brokenOff(error).failure, asked, engine.io.now());
    }
  };
}

function answerTo(engine: Engine, path: string, asking: Asking): Promise<Response> {
  const endpoint = CHAT_ENDPOINTS.find((one) => path.endsWith(`/${one}`));
  if (endpoint) return fetchChat(engine, endpoint, asking);
  if (path.endsWith('/images/generations')) return fetchImages(engine, 'generate', asking);
  if (path.endsWith('/images/edits')) return fetchImages(engine, 'edit', asking);
  return passOn(engine, asking);
}
