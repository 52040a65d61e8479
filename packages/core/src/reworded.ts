import type { RunEnvironment } from './environment.ts';
import type { Run } from './journal.ts';
import type { Plan } from './plan.ts';
import { MAX_REWRITABLE_CHARS, type MilderWords } from './policy/milder-words.ts';
import { targetInForce } from './policy/refusal-steps.ts';
import type { TakenRung } from './policy/taken-rung.ts';

/**
 * The rung as it is journaled: one whose words a chat model is to find has them, or says why there are none. Undefined
 * when the run was canceled or parked meanwhile, which leaves everything as it was.
 */
export async function reworded(
  rung: TakenRung,
  plan: Plan,
  run: Run,
  { rewriteWith, cancel, park }: Pick<RunEnvironment, 'rewriteWith' | 'cancel' | 'park'>,
): Promise<TakenRung | undefined> {
  const { by } = rung;
  if (by === undefined) return rung;
  const outcome = run.attempts.find(({ attempt }) => attempt === rung.attempt)?.outcome;
  const target = plan.targets.find(({ id }) => id === rung.target);
  if (rewriteWith === undefined || outcome?.ok !== false || target === undefined)
    return withWords(rung, { ok: false, why: 'there is no chat model to ask any more' });
  const prompt = targetInForce(plan, run, target).request?.prompt ?? plan.request.prompt;
  if (prompt.length > MAX_REWRITABLE_CHARS)
    return withWords(rung, { ok: false, why: `the prompt is longer than ${MAX_REWRITABLE_CHARS} characters` });
  const asked = { model: by, plan, prompt, failure: outcome.failure, attempt: rung.attempt };
  const signal = AbortSignal.any([cancel, park]);
  const words = await rewriteWith(asked, signal);
  return signal.aborted && !words.ok ? undefined : withWords(rung, words);
}

function withWords({ by, ...rung }: TakenRung, words: MilderWords): TakenRung {
  const told = words.ok ? `the prompt is said otherwise by ${by}` : `no milder words from ${by}: ${words.why}`;
  return {
    ...rung,
    ...(by !== undefined && { by }),
    told,
    ...(words.generation !== undefined && { generation: words.generation }),
    ...(words.ok ? { prompt: words.prompt } : { failed: words.why }),
  };
}
