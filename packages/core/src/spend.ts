import { costOfAttempt, isPicturePlan, requestAt } from './attempt-cost.ts';
import { isChatPlan } from './chat/chat.ts';
import type { Attempt, Run } from './journal.ts';
import type { Spend } from './ledger.ts';
import type { PlannedTarget, RunPlan } from './plan.ts';
import { picturesAheadMicroUsd } from './price.ts';

/** What an answer of chat that nobody bounds is taken to put out. */
export const UNBOUNDED_OUTPUT_TOKENS = 4_096;

/**
 * What a run may have cost until its next attempt, which goes to `target`, has ended: the attempts before as they were
 * or may have been billed, and the most that is known of the next one. `plan` is the run's own.
 */
export function spendOf(runId: string, plan: RunPlan, run: Run, target: PlannedTarget): Spend {
  const pictures = isPicturePlan(plan) ? plan.request.n : 0;
  const before = run.attempts.map((attempt) => spentBy(attempt, plan, pictures));
  const all = [...before, { microUsd: aheadOf(plan, target), images: target.free ? 0 : pictures }];
  return {
    runId,
    target: target.id,
    microUsd: sumOf(all.map(({ microUsd }) => microUsd)),
    images: all.reduce((sum, { images }) => sum + images, 0),
  };
}

function spentBy(attempt: Attempt, plan: RunPlan, pictures: number): Pick<Spend, 'microUsd' | 'images'> {
  const { microUsd, images } = costOfAttempt(attempt, plan, pictures);
  if (microUsd !== null) return { microUsd, images };
  const target = plan.targets.find(({ id }) => id === attempt.target);
  return { microUsd: target && aheadOf(plan, target), images };
}

/** What one attempt will cost at most, in millionths of a dollar; undefined where nobody knows. */
function aheadOf(plan: RunPlan, target: PlannedTarget): number | undefined {
  if (target.free) return 0;
  const { price } = target;
  if (price === undefined) return undefined;
  if (isPicturePlan(plan)) return picturesAheadMicroUsd(price, requestAt(target, plan), plan.request.n);
  if (!isChatPlan(plan) || !('perMillionTokensUsd' in price)) return undefined;
  const { endpoint, inputTokens, answers = 1, maxOutputTokens = UNBOUNDED_OUTPUT_TOKENS * answers } = plan.chat;
  const { textInput, imageInput, output } = price.perMillionTokensUsd;
  const put = endpoint === 'embeddings' ? 0 : maxOutputTokens * output;
  return Math.ceil(inputTokens * Math.max(textInput, imageInput) + put);
}

function sumOf(amounts: readonly (number | undefined)[]): number | undefined {
  return amounts.reduce<number | undefined>(
    (sum, amount) => (sum === undefined || amount === undefined ? undefined : sum + amount),
    0,
  );
}
