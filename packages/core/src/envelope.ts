import type { HttpResponse } from './http.ts';
import { isObject, type JsonObject, type JsonValue, stringAt } from './json.ts';

/** A provider's own words about a failure, wherever its error shape keeps them. */
export interface ProviderWords {
  readonly message?: string;
  readonly code?: string;
  readonly type?: string;
  readonly param?: string;
}

/**
 * Reads the shapes in use: `{error: {message, code, type, param}}`, `{error: "text"}`, `{message}`, `{detail: "text"}`,
 * and FastAPI's `{detail: [{loc, msg, input}]}`, of which `input` is what the caller sent and is left out.
 * Undefined when the answer holds no error in any of them.
 */
export function providerWords(response: HttpResponse): ProviderWords | undefined {
  const { body } = response;
  if (!isObject(body)) return undefined;
  const error = body.error;
  // Some servers put an empty error beside a good answer.
  if (isObject(error) && Object.keys(error).length > 0) return words(error);
  if (typeof error === 'string' && error !== '') return { message: error };
  if (response.status < 400) return undefined;
  const message = stringAt(body, 'detail') ?? stringAt(body, 'message');
  return message === undefined ? detailWords(body.detail) : { message };
}

function detailWords(detail: JsonValue | undefined): ProviderWords | undefined {
  const first: JsonValue | undefined = Array.isArray(detail) ? detail[0] : undefined;
  const message = stringAt(first, 'msg');
  if (message === undefined || !isObject(first)) return undefined;
  const parts: readonly JsonValue[] = Array.isArray(first.loc) ? first.loc.slice(0, MAX_PARTS) : [];
  const param = parts.filter((part, index) => index > 0 || part !== 'body').join('.');
  return param === '' ? { message } : { message: `${param}: ${message}`, param };
}

const MAX_PARTS = 8;

function words(error: JsonObject): ProviderWords {
  const read = (key: string) => stringAt(error, key);
  const [message, code, type, param] = [read('message'), read('code'), read('type'), read('param')];
  return {
    ...(message !== undefined && { message }),
    ...(code !== undefined && { code }),
    ...(type !== undefined && { type }),
    ...(param !== undefined && { param }),
  };
}
