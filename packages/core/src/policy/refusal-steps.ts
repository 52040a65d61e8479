import type { Health } from '../health.ts';
import { type Attempt, paidAttempts, type Run } from '../journal.ts';
import type { Plan, PlannedTarget, RunPlan } from '../plan.ts';
import type { ImageRequest } from '../request.ts';
import { fieldsFor } from '../request-for.ts';
import { categoriesOf } from '../suggestions.ts';
import { permitsAnother } from './budget.ts';
import {
  type Climbed,
  type Ladder,
  type LadderOffers,
  type LadderStep,
  type LaxerSetting,
  nextRung,
  type Refusal,
  refusalOf,
} from './refusal-ladder.ts';
import { SEED_STEP, withOtherSeed } from './suspect-steps.ts';
import type { TakenRung } from './taken-rung.ts';

/**
 * What the plan's ladder does about the refusal that the run's last attempt ended with: undefined without a ladder, for
 * any other failure, once it is answered, and where money or the caller's stream forbids it. Whatever the ladder says,
 * no more is paid for than `maxPaid` and the policy's `maxPaidAttempts` allow, nor after a failure of another kind that
 * the policy does not pay for again.
 */
export function rungAfter(
  plan: RunPlan & Pick<Plan, 'rewrite'> & Partial<Pick<Plan, 'request'>>,
  run: Run,
  health: Health,
  now: number,
): TakenRung | undefined {
  const ladder = plan.policy.refusals;
  const last = run.attempts.at(-1);
  const refusal = last && refusalIn(last);
  if (ladder === undefined || last === undefined || refusal === undefined) return undefined;
  if (run.partialSent || standingRung(run)) return undefined;
  if (paidAttempts(run) + 1 > Math.min(ladder.maxPaid, plan.policy.maxPaidAttempts)) return undefined;
  if (!run.attempts.every((one) => one === last || isAnswered(run, one) || mayFollow(one, plan))) return undefined;
  const at = plan.targets.findIndex(({ id }) => id === last.target);
  const step = nextRung(ladder, refusal, historyOf(run), {
    ...laxerAt(plan.targets[at], run),
    ...(plan.rewrite && { rewrite: plan.rewrite }),
    ...rewriterOf(ladder, plan.request),
    ...nextAfter(at, plan, health, now),
  });
  return step && takenRung(step, last);
}

/** What goes on from a picture has no words of its own. */
function rewriterOf({ rewriter }: Ladder, request: ImageRequest | undefined): Pick<LadderOffers, 'rewriter'> {
  const isWorded = request?.operation === 'generate' || request?.operation === 'edit';
  return rewriter !== undefined && isWorded ? { rewriter } : {};
}

function refusalIn({ outcome }: Attempt): Refusal | undefined {
  if (outcome === undefined || outcome.ok) return undefined;
  return refusalOf(outcome.failure, categoriesOf(outcome.failure));
}

function mayFollow({ outcome }: Attempt, { policy }: RunPlan): boolean {
  return outcome?.ok === false && permitsAnother(outcome.failure, policy);
}

function historyOf({ attempts, rungs = [] }: Run): readonly Climbed[] {
  return rungs.flatMap(({ attempt, rung, index, failed }) => {
    const refused = attempts.find((one) => one.attempt === attempt);
    const said = refused && refusalIn(refused);
    // No attempt came of it, so its refusal is counted with the rung after it.
    const after = said && failed !== undefined ? { ...said, isBilled: false } : said;
    return after ? [{ index, rung, after }] : [];
  });
}

function laxerAt(target: PlannedTarget | undefined, { rungs = [] }: Run): { readonly laxer?: LaxerSetting } {
  const isUsed = rungs.some((one) => one.setting !== undefined && one.target === target?.id);
  return target?.laxer && !isUsed ? { laxer: target.laxer } : {};
}

/** One that its breaker or its key keeps closed is no way out. */
function nextAfter(at: number, { targets, policy }: RunPlan, health: Health, now: number): { nextTarget?: string } {
  if (at < 0 || !policy.fallback) return {};
  const next = targets.slice(at + 1).find(({ id }) => {
    const gate = health[id];
    return gate === undefined || gate.until <= now || gate.by === 'limit' || gate.by === 'hint';
  });
  return next ? { nextTarget: next.id } : {};
}

function takenRung(step: LadderStep, { attempt, target }: Attempt): TakenRung {
  const { index, told } = step;
  return {
    attempt,
    rung: step.do,
    index,
    target: step.do === 'next_target' ? step.target : target,
    told,
    ...(step.do === 'laxer_setting' && { setting: step.setting }),
    ...(step.do === 'rewrite' && ('by' in step ? { by: step.by } : { changes: step.rewrite.changes })),
  };
}

/** A rung that was taken and whose attempt was not made yet. */
export function standingRung({ attempts, rungs = [] }: Run): TakenRung | undefined {
  const last = rungs.at(-1);
  return last?.failed === undefined && last?.attempt === attempts.at(-1)?.attempt ? last : undefined;
}

/** A refusal that the ladder went on after: what it may have cost was allowed for there. */
export function isAnswered({ rungs = [] }: Run, { attempt }: Pick<Attempt, 'attempt'>): boolean {
  return rungs.some((one) => one.attempt === attempt && one.failed === undefined);
}

/** The picture was asked for in other words than the caller's. */
export function isRewritten(run: Run): boolean {
  return rewriteOf(run) !== undefined;
}

/** The rung that changed the words; at most one per run does. */
export function rewriteOf({ rungs = [] }: Run): TakenRung | undefined {
  return rungs.find(({ rung, failed }) => rung === 'rewrite' && failed === undefined);
}

/** The target with what it is sent after the rungs taken, and the pictures doubted, so far; the same object where they change nothing. */
export function targetInForce(plan: Plan, run: Run, target: PlannedTarget): PlannedTarget {
  const { rungs = [] } = run;
  const planned = fieldsFor(plan, target);
  const climbed = rungs.reduce((before, taken) => changedBy(taken, before, plan, target), planned);
  const request = withOtherSeed(climbed, run, target);
  const isSame = request === climbed && !rungs.some((taken) => changes(taken, target));
  return isSame ? target : { ...target, request };
}

function changes({ rung, setting, target: at, failed }: TakenRung, target: PlannedTarget): boolean {
  if (failed !== undefined) return false;
  if (rung === 'same_again') return at === target.id && target.seedDrawn === true;
  return rung === 'rewrite' || (setting !== undefined && at === target.id);
}

function changedBy(taken: TakenRung, request: ImageRequest, plan: Plan, target: PlannedTarget): ImageRequest {
  if (!changes(taken, target)) return request;
  const { setting } = taken;
  if (setting) return withSetting(request, setting);
  if (taken.rung === 'rewrite') {
    const prompt = taken.prompt ?? plan.rewrite?.prompt;
    return prompt === undefined ? request : { ...request, prompt };
  }
  // With the seed that was drawn for it the same picture would be made, and withheld, again.
  const { seed = 0 } = request;
  return { ...request, seed: (seed + SEED_STEP) % ((target.maxSeed ?? 0) + 1) };
}

function withSetting(request: ImageRequest, { field, value }: LaxerSetting): ImageRequest {
  if (field === 'moderation') return { ...request, moderation: String(value) };
  return { ...request, extra: { ...request.extra, [field]: value } };
}
