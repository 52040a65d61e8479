import type { Failure } from '../failure.ts';
import type { Health } from '../health.ts';
import type { GeneratedImage, Outcome, Run } from '../journal.ts';
import type { PlannedTarget, Policy, RunPlan } from '../plan.ts';
import type { ImageRequest } from '../request.ts';
import { DRAWN_SEEDS } from '../seed.ts';
import type { SuspicionCode } from '../suspects.ts';
import { isPaymentLeft, paidBeforeFree } from './budget.ts';
import { unbilled } from './free.ts';

/** What another seed may cure; asked again, the same model makes the same wrong size and type again. */
const CURED_BY_SEED: ReadonlySet<SuspicionCode> = new Set([
  'uniform',
  'black',
  'transparent',
  'placeholder',
  'flagged',
  'undecodable',
]);
/** Far from the seeds of the same request's other pictures, which count up; a prime, so that it never leads back at once. */
export const SEED_STEP = 997;

/** A target that is asked once more, because nothing it made for this run can be used; undefined where that is not to be. */
export function targetToAskAgain(plan: RunPlan, run: Run, health: Health, now: number): PlannedTarget | undefined {
  const last = run.attempts.at(-1);
  const { suspect, maxPaidAttempts, retry } = plan.policy;
  if (suspect !== 'retry_new_seed' || run.partialSent || !isCurable(last?.outcome)) return undefined;
  if (!isPaymentLeft(run, plan.policy)) return undefined;
  // What bills nothing is bounded too.
  const tries = run.attempts.filter(({ target }) => target === last?.target).length;
  if (pictureTries(run) >= maxPaidAttempts || tries >= retry.maxFreeAttempts) return undefined;
  if (now >= plan.deadlineAt || run.attempts.some(({ overdue }) => overdue)) return undefined;
  const target = plan.targets.find(({ id }) => id === last?.target);
  const gate = target && health[target.id];
  // There is a picture already: nobody waits for long for a better one.
  const soon = gate?.by === 'limit' ? Math.min(now + retry.maxWaitBeforeFallbackMs, plan.deadlineAt - 1) : now;
  return gate === undefined || gate.until <= soon ? target : undefined;
}

function isCurable(outcome: Outcome | undefined): boolean {
  if (!outcome?.ok || outcome.missing || outcome.images.length === 0) return false;
  return outcome.images.every(({ suspect = [] }) => suspect.some(({ code }) => CURED_BY_SEED.has(code)));
}

function pictureTries({ attempts }: Run): number {
  return attempts.filter(({ outcome }) => outcome?.ok).length;
}

/** A picture that was paid for and doubted; whatever becomes of a second try, it is the answer where that brings none. */
export function pictureAtHand({ attempts }: Run): Outcome | undefined {
  return attempts.findLast(({ outcome }) => outcome?.ok)?.outcome;
}

/** The request with another seed after each try that was doubted; the same object where it has none or there was none. */
export function withOtherSeed(request: ImageRequest, run: Run, target: PlannedTarget): ImageRequest {
  const before = run.attempts.slice(0, -1).filter((one) => one.outcome?.ok && one.target === target.id).length;
  if (before === 0 || request.seed === undefined) return request;
  const seeds = (target.maxSeed ?? DRAWN_SEEDS - 1) + 1;
  return { ...request, seed: Math.abs(request.seed + before * SEED_STEP) % seeds };
}

/** The outcome that its caller is told: under `fail` a picture that is doubted counts as missing. */
export function withoutSuspects(outcome: Outcome, { policy }: RunPlan, run: Run): Outcome {
  if (!outcome.ok) return outcome;
  const isMissing = (image: GeneratedImage) => (image.suspect ?? []).some(({ code }) => fails(code, policy));
  const [doubted, images] = [outcome.images.filter(isMissing), outcome.images.filter((one) => !isMissing(one))];
  const [first, ...others] = doubted.map(suspectFailure);
  if (first === undefined) return outcome;
  const missing = [first, ...others, ...(outcome.missing ?? [])];
  const left: Outcome =
    images.length > 0
      ? { ...outcome, images, missing }
      : { ok: false, failure: first, ...(missing.length > 1 && { missing }) };
  return run.attempts.at(-1)?.free ? paidBeforeFree(run, unbilled(left)) : left;
}

function fails(code: SuspicionCode, { suspect, outputMismatch }: Policy): boolean {
  if (code === 'wrong_type' && outputMismatch !== undefined) return outputMismatch === 'fail';
  return suspect === 'fail';
}

function suspectFailure({ asset, suspect = [] }: GeneratedImage): Failure {
  const reasons = suspect.map(({ code, detail }) => `${code}: ${detail}`).join('; ');
  const message = `the picture that was made, ${asset.hash}, is not what was asked for (${reasons})`;
  return { kind: 'suspect', certainty: 'completed', message, classifiedBy: `suspect: ${suspect[0]?.code}` };
}
