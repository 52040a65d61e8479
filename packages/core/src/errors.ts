import type { Failure } from './failure.ts';
import { adviceFor, httpAnswer } from './http-answer.ts';
import type { Event } from './journal.ts';
import { type RefusalReport, refusalReport, type SuggestionContext } from './suggestions.ts';

/** What the library throws: the failure, what was done about it, and what to do next. */
export class OnetakeError extends Error {
  override readonly name = 'OnetakeError';
  readonly failure: Failure;
  /** OpenAI's words for it, such as `outcome_unknown`. */
  readonly code: string;
  readonly advice: string;
  /** Of a `content_policy_violation`: what was refused, why, and what could be asked instead. */
  readonly refusal: RefusalReport | undefined;
  /** The journals of the request's runs: every attempt, wait and clock. */
  readonly journals: readonly (readonly Event[])[];

  constructor(failure: Failure, journals: readonly (readonly Event[])[] = [], context: SuggestionContext = {}) {
    super(failure.message);
    this.failure = failure;
    this.code = httpAnswer(failure).code;
    this.advice = adviceFor(failure);
    this.refusal = refusalReport(failure, context);
    this.journals = journals;
  }
}
