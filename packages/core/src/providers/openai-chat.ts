/**
 * OpenAI's wire of chat as its compatible servers speak it: the bytes are the caller's and the answer's, so an adapter
 * says only where the endpoints are and what is known of the models.
 * Facts: openai 7.55 resources/chat, resources/responses and resources/embeddings.
 */
import { CHAT_ENDPOINTS, type ChatEndpoint } from '../chat/endpoints.ts';
import type { HttpResponse } from '../http.ts';
import { isObject, type JsonValue, stringAt } from '../json.ts';
import type { CatalogCall, ChatCalls, ListedModel } from './provider.ts';

/** What every server that speaks OpenAI's chat has; `responses` is OpenAI's own, which some have copied. */
export const CHAT_AND_EMBEDDINGS: readonly ChatEndpoint[] = ['chat/completions', 'embeddings'];

interface OpenaiChat extends Partial<Pick<ChatCalls, 'models' | 'owns' | 'takesAny' | 'price' | 'authorize'>> {
  /** Those it has; default all. */
  readonly endpoints?: readonly ChatEndpoint[];
  /** Where they are, from the base URL. Default: the base URL itself. */
  readonly root?: (baseUrl: string, model: string) => string;
}

/** Chat at `{root}/{endpoint}`. */
export function openaiChat({ endpoints = CHAT_ENDPOINTS, root, models = [], ...told }: OpenaiChat = {}): ChatCalls {
  return {
    url: (endpoint, { baseUrl, model }) =>
      endpoints.includes(endpoint) ? `${root?.(baseUrl, model) ?? baseUrl}/${endpoint}` : undefined,
    models,
    ...told,
  };
}

/** A base URL that may end in `/v1` or not, with it. */
export function versionOne(baseUrl: string): string {
  return baseUrl.endsWith('/v1') ? baseUrl : `${baseUrl}/v1`;
}

/** `GET /models`, which is free. */
export function openaiCatalog(root: (baseUrl: string) => string = (baseUrl) => baseUrl): CatalogCall {
  return {
    build: ({ baseUrl }) => ({
      method: 'GET',
      url: `${root(baseUrl)}/models`,
      headers: { accept: 'application/json' },
    }),
    parse: readList,
  };
}

/** `shutdown_date` stands beside those that have one; the list holds every model of the account, for whatever it is. */
function readList({ body }: HttpResponse): readonly ListedModel[] {
  const list = isObject(body) ? body.data : body;
  const models: readonly JsonValue[] = Array.isArray(list) ? list : [];
  return models.flatMap((item) => {
    const [id, shutdownDate] = [stringAt(item, 'id'), stringAt(item, 'shutdown_date')];
    return id === undefined || id === '' ? [] : [{ id, ...(shutdownDate !== undefined && { shutdownDate }) }];
  });
}
