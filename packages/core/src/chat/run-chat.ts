import type { RunEnvironment } from '../environment.ts';
import type { Journal, Outcome } from '../journal.ts';
import { loop, type PARKED } from '../loop.ts';
import type { Modality } from '../modality.ts';
import { type ChatAsked, submitChat } from './attempt.ts';
import type { ChatPlan, ChatRequest } from './chat.ts';

export type { ChatAsked };

/**
 * Gets an answer of chat: the loop over its journal until it is finished. What was asked is not in the plan, so a run
 * whose process is gone is not taken up: its journal ends as interrupted.
 */
export function runChat(
  runId: string,
  plan: ChatPlan,
  journal: Journal,
  environment: RunEnvironment,
  asked: ChatAsked,
): Promise<Outcome | typeof PARKED> {
  return loop(runId, plan, journal, environment, chat(plan, asked));
}

function chat(plan: ChatPlan, asked: ChatAsked): Modality {
  return {
    claim: { images: 0, tokens: claimedTokens(plan.chat) },
    words: () => [plan.chat.excerpt],
    inForce: (_run, target) => target,
    submit: (work) => submitChat(work, plan, asked),
    poll: noJobs,
    cancel: noJobs,
    finished: (outcome) => outcome,
  };
}

/** What an answer that nobody bounded takes of a limit until its usage is told. */
const USUAL_OUTPUT_TOKENS = 1_000;

/** Providers count what may come out against the limit when a request arrives. */
function claimedTokens({ endpoint, inputTokens, maxOutputTokens, answers = 1 }: ChatRequest): number {
  return inputTokens + (endpoint === 'embeddings' ? 0 : (maxOutputTokens ?? USUAL_OUTPUT_TOKENS * answers));
}

function noJobs(): never {
  throw new Error('an answer of chat is never a job that is looked at');
}
