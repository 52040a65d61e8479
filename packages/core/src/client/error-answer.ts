import { chatAdvice, chatHttpAnswer, chatMayRepeat } from '../chat/http-answer.ts';
import type { Failure } from '../failure.ts';
import { adviceFor, billed, callerMayRepeat, httpAnswer } from '../http-answer.ts';
import type { JsonObject } from '../json.ts';
import { requestIdHeader } from './answer-headers.ts';

/** What was asked for, which decides what a failure's status and words are. */
export type Asked = 'images' | 'chat';

/**
 * A failure as an answer in OpenAI's envelope, from which SDKs make their own errors. They are told not to repeat it:
 * everything that may be repeated was; Retry-After says when another try has a chance.
 */
export function errorAnswer(failure: Failure, asked: Asked, now: number, told: JsonObject = {}): Response {
  const { status, type, code } = asked === 'chat' ? chatHttpAnswer(failure) : httpAnswer(failure);
  const mayRepeat = asked === 'chat' ? chatMayRepeat(failure) : callerMayRepeat(failure);
  const waitMs = Math.max(0, (failure.notBefore ?? now) - now);
  const error = { message: failure.message, type, code, param: failure.param ?? null };
  const headers = {
    'x-should-retry': 'false',
    ...(mayRepeat && {
      'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))),
      'retry-after-ms': String(waitMs),
    }),
    ...requestIdHeader(failure.requestId),
  };
  return Response.json({ error, onetake: { ...failureFacts(failure, asked, now), ...told } }, { status, headers });
}

/** What is told of a failure beside OpenAI's envelope. */
export function failureFacts(failure: Failure, asked: Asked, now: number): JsonObject {
  const { kind, certainty, requestId, notBefore, status } = failure;
  return {
    kind,
    certainty,
    billed: billed(failure),
    ...(status !== undefined && { provider_status: status }),
    ...(requestId !== undefined && { provider_request_id: requestId }),
    ...(notBefore !== undefined && { retry_after_ms: Math.max(0, notBefore - now) }),
    advice: asked === 'chat' ? chatAdvice(failure) : adviceFor(failure),
  };
}
