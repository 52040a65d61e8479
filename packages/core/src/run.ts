import { submitAttempt } from './attempt.ts';
import type { AttemptWork } from './conversation.ts';
import type { RunEnvironment } from './environment.ts';
import { cancelAttempt, pollAttempt } from './job.ts';
import type { Journal, Outcome } from './journal.ts';
import { loop, PARKED } from './loop.ts';
import type { Modality, RunWork } from './modality.ts';
import type { Plan } from './plan.ts';
import { targetInForce } from './policy/refusal-steps.ts';
import { reworded } from './reworded.ts';

export { PARKED };

/** Makes the pictures of a plan: the loop over its journal until it is finished, from wherever the journal ends. */
export function run(
  runId: string,
  plan: Plan,
  journal: Journal,
  environment: RunEnvironment,
): Promise<Outcome | typeof PARKED> {
  return loop(runId, plan, journal, environment, pictures(plan, environment));
}

function pictures(plan: Plan, environment: RunEnvironment): Modality {
  const { n } = plan.request;
  const own = (work: RunWork): AttemptWork => ({ ...work, plan });
  return {
    claim: { images: n },
    words: ({ request = plan.request }) =>
      [plan.request, request].flatMap(({ prompt, negativePrompt = '' }) => [prompt, negativePrompt]),
    inForce: (state, target) => targetInForce(plan, state, target),
    climb: (state, rung) => reworded(rung, plan, state, environment),
    submit: (work) => submitAttempt(own(work)),
    poll: (work, attempt) => pollAttempt(own(work), attempt),
    cancel: (work, attempt) => cancelAttempt(own(work), attempt),
    finished: (outcome) => forAll(outcome, n),
  };
}

/** A run that failed leaves all of its pictures missing. */
function forAll(outcome: Outcome, pictures: number): Outcome {
  return outcome.ok || outcome.missing || pictures === 1 ? outcome : { ...outcome, pictures };
}
