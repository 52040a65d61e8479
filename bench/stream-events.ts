/** Tokens a second of one stream: what a chat model speaks slowly. */
export const PER_SECOND = 5;

function event(delta: object, finishReason: string | null = null): Buffer {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }];
  const chunk = { id: 'chatcmpl-Bench0000000000000000000000', object: 'chat.completion.chunk', created: 1_790_000_000 };
  const more = { model: 'tokens', service_tier: 'default', system_fingerprint: 'fp_0000000000', choices };
  return Buffer.from(`data: ${JSON.stringify({ ...chunk, ...more })}\n\n`);
}

export const FIRST_EVENT = event({ role: 'assistant', content: '', refusal: null });
export const TOKEN_EVENT = event({ content: ' harbour' });
export const LAST_EVENTS = Buffer.concat([event({}, 'stop'), Buffer.from('data: [DONE]\n\n')]);

export function bytesOf(tokens: number): number {
  return FIRST_EVENT.length + tokens * TOKEN_EVENT.length + LAST_EVENTS.length;
}
