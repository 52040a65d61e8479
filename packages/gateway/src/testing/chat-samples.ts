import { type ChatBody, type ChatPlan, type Connection, openaiCompatible } from '@onetake/core';
import { samplePlan } from '../store/contract/samples.ts';

/** A plan of chat for `here/m`, created at 1,000, that estimates 10 tokens to go in. */
export function sampleChatPlan(change: Partial<ChatPlan['chat']> = {}): ChatPlan {
  const { request: _, ...common } = samplePlan();
  const target = {
    ...{ id: 'here/m', provider: 'here', model: 'm', credential: 'here' },
    ...{ streams: true, maxImagesPerCall: 1, firstByteMs: 60_000 },
  };
  return {
    ...common,
    route: 'here/m',
    targets: [target],
    policy: { ...common.policy, payment: 'available', maxPaidAttempts: 5 },
    deadlineAt: Number.MAX_SAFE_INTEGER,
    chat: { endpoint: 'chat/completions', stream: true, excerpt: 'hello', inputTokens: 10, ...change },
  };
}

export function sampleChatBody(): ChatBody {
  const value = { model: 'here/m', stream: true, messages: [{ role: 'user', content: 'hello' }] };
  return { bytes: Buffer.from(JSON.stringify(value)), value };
}

export function sampleConnection(baseUrl: string): Connection {
  return { id: 'here', provider: openaiCompatible, baseUrl, secret: 'k' };
}
