import {
  adviceFor,
  callerMayRepeat,
  chatAdvice,
  chatHttpAnswer,
  chatMayRepeat,
  type Failure,
  type HttpAnswer,
  httpAnswer,
  isChatPlan,
} from '@onetake/core';
import type { AnyPlan } from './store/plan-kind.ts';

/** How a failure is told over HTTP. */
export interface FailureAnswers {
  readonly answer: (failure: Failure) => HttpAnswer;
  readonly advice: (failure: Failure) => string;
  /** Whether a client's own retry loop may run. */
  readonly mayRepeat: (failure: Failure) => boolean;
}

export const PICTURE_ANSWERS: FailureAnswers = { answer: httpAnswer, advice: adviceFor, mayRepeat: callerMayRepeat };

/** Tokens are cheap to send again: a failure has the status that every client of chat knows. */
export const CHAT_ANSWERS: FailureAnswers = {
  answer: chatHttpAnswer,
  advice: chatAdvice,
  mayRepeat: chatMayRepeat,
};

export function answersFor(plan: AnyPlan): FailureAnswers {
  return isChatPlan(plan) ? CHAT_ANSWERS : PICTURE_ANSWERS;
}
