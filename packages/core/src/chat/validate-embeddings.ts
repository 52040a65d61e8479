import type { JsonObject, JsonValue } from '../json.ts';
import { emptyArray, type Fault, firstFault, missing, wrongType } from './fault.ts';

const WANTED = 'a string, or an array of strings or of tokens';

/**
 * The first fault in `input` of embeddings. Passed on, because some server answers it:
 * - an empty string, which OpenAI takes alone (openai-python#576) and others in an array;
 * - objects, which multimodal models take; `messages` in place of `input`, which vLLM takes;
 * - texts beside tokens in one array, which llama.cpp takes.
 */
export function embeddingsFault({ input, messages }: JsonObject): Fault | undefined {
  if (input === undefined) return Array.isArray(messages) ? undefined : missing('input', WANTED);
  if (!Array.isArray(input)) return isContent(input) ? undefined : wrongType('input', input, WANTED);
  if (input.length === 0) return emptyArray('input', 'at least one text');
  if (input.every(isToken)) return undefined;
  return firstFault('input', input, (one, param) => {
    if (!Array.isArray(one)) return tokenFault(one, param);
    if (one.length === 0) return emptyArray(param, 'at least one token');
    return one.every(isToken) ? undefined : firstFault(param, one, tokenFault);
  });
}

function tokenFault(value: JsonValue, param: string): Fault | undefined {
  return isToken(value) ? undefined : wrongType(param, value, 'a string or a whole number');
}

function isToken(value: JsonValue): boolean {
  return Number.isInteger(value) || isContent(value);
}

function isContent(value: JsonValue): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value));
}
