import { CHAT_ENDPOINTS, type ChatEndpoint, isObject, type JsonObject, type JsonValue } from '@onetake/core';
import type { Batch, BatchUsage } from './batch.ts';

/** What of chat the lines of a batch ask for; undefined for pictures. */
export function chatEndpointOf({ endpoint }: Pick<Batch, 'endpoint'>): ChatEndpoint | undefined {
  return CHAT_ENDPOINTS.find((one) => endpoint === `/v1/${one}`);
}

export const NO_USAGE: BatchUsage = {
  input_tokens: 0,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 0,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 0,
};

/** With one more answer; `usage` is shaped like that of the Responses API, and what it does not tell is nothing. */
export function plusUsage(sum: BatchUsage, usage: JsonObject): BatchUsage {
  const { input_tokens_details: input, output_tokens_details: output } = sum;
  return {
    input_tokens: sum.input_tokens + tokens(usage, 'input_tokens'),
    input_tokens_details: { cached_tokens: input.cached_tokens + tokens(usage.input_tokens_details, 'cached_tokens') },
    output_tokens: sum.output_tokens + tokens(usage, 'output_tokens'),
    output_tokens_details: {
      reasoning_tokens: output.reasoning_tokens + tokens(usage.output_tokens_details, 'reasoning_tokens'),
    },
    total_tokens: sum.total_tokens + tokens(usage, 'total_tokens'),
  };
}

function tokens(usage: JsonValue | undefined, key: string): number {
  const value = isObject(usage) ? usage[key] : undefined;
  return typeof value === 'number' ? value : 0;
}
