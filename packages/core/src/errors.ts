import { chatAdvice, chatHttpAnswer } from './chat/http-answer.ts';
import type { Failure } from './failure.ts';
import { adviceFor, httpAnswer } from './http-answer.ts';
import type { Event } from './journal.ts';
import { type RefusalReport, refusalReport, type SuggestionContext } from './suggestions.ts';

export interface ErrorContext extends SuggestionContext {
  /** What was asked for, whose words `code` and `advice` are: a chat that is repeated pays for no second picture. Default `images`. */
  readonly of?: 'images' | 'chat';
  /** What made it end, such as the reason of the signal that was aborted. */
  readonly cause?: unknown;
}

/** What the library throws: the failure, what was done about it, and what to do next. Its subclasses name the cause. */
export class OnetakeError extends Error {
  override readonly name: string = 'OnetakeError';
  readonly failure: Failure;
  /** The HTTP status that the provider answered with; undefined where it did not answer. */
  readonly status: number | undefined;
  /** OpenAI's words for it, such as `outcome_unknown`. */
  readonly code: string;
  readonly advice: string;
  /** Of a `content_policy_violation`: what was refused, why, and what could be asked instead. */
  readonly refusal: RefusalReport | undefined;
  /** The journals of the request's runs: every attempt, wait and clock. */
  readonly journals: readonly (readonly Event[])[];

  constructor(failure: Failure, journals: readonly (readonly Event[])[] = [], context: ErrorContext = {}) {
    super(failure.message, context.cause === undefined ? undefined : { cause: context.cause });
    const isChat = context.of === 'chat';
    this.failure = failure;
    this.status = failure.status;
    this.code = (isChat ? chatHttpAnswer(failure) : httpAnswer(failure)).code;
    this.advice = isChat ? chatAdvice(failure) : adviceFor(failure);
    this.refusal = refusalReport(failure, context);
    this.journals = journals;
  }
}
