import { isChatPlan } from './chat/chat.ts';
import { type Attempt, missingOf, type Outcome } from './journal.ts';
import { numberAt } from './json.ts';
import type { Plan, PlannedTarget, RunPlan } from './plan.ts';
import {
  microUsdOf,
  type Price,
  picturesAheadMicroUsd,
  picturesMicroUsd,
  type Sides,
  tokensMicroUsd,
} from './price.ts';

/** What one attempt cost. Money is in whole millionths of a US dollar; null where nobody knows it. */
export interface AttemptCost {
  /** `nothing` is billed, it is `certain` that it is, or `possible`: nobody knows. */
  readonly standing: 'nothing' | 'certain' | 'possible';
  readonly microUsd: number | null;
  /** Pictures that are billed, or may be; 0 of chat. */
  readonly images: number;
  /** As in `LedgerLine`. */
  readonly priced: string;
}

const NOTHING: AttemptCost = { standing: 'nothing', microUsd: 0, images: 0, priced: 'none' };

/** `pictures` is how many its call was for. */
export function costOfAttempt(attempt: Attempt, plan: RunPlan, pictures: number): AttemptCost {
  if (attempt.free || didNoWork(attempt.outcome)) return NOTHING;
  const target = plan.targets.find(({ id }) => id === attempt.target);
  const standing = isUnknown(attempt.outcome) ? 'possible' : 'certain';
  const images = picturesOf(attempt.outcome, standing, plan, pictures);
  const money = moneyFor(attempt.outcome, target, plan, standing === 'possible' ? pictures : undefined);
  return { standing, images, ...(money ?? { microUsd: null, priced: 'unknown' }) };
}

type Money = Pick<AttemptCost, 'microUsd' | 'priced'>;

/** `asked`: of an attempt whose end nobody knows, for how many pictures it was. */
function moneyFor(
  outcome: Outcome | undefined,
  target: PlannedTarget | undefined,
  plan: RunPlan,
  asked: number | undefined,
): Money | undefined {
  if (outcome?.ok && outcome.costUsd !== undefined)
    return { microUsd: microUsdOf(outcome.costUsd), priced: 'reported' };
  const price = target?.price;
  if (target === undefined || price === undefined) return undefined;
  if ('perMillionTokensUsd' in price) return byTokens(outcome, price, target, plan, asked);
  if (!isPicturePlan(plan)) return undefined;
  const made = asked === undefined ? sidesMade(outcome) : new Array(asked).fill(undefined);
  const microUsd = picturesMicroUsd(price, requestAt(target, plan), made);
  return microUsd === undefined ? undefined : { microUsd, priced: tableOf(price) };
}

function byTokens(
  outcome: Outcome | undefined,
  price: Extract<Price, { perMillionTokensUsd: unknown }>,
  target: PlannedTarget,
  plan: RunPlan,
  asked: number | undefined,
): Money | undefined {
  const { usage } = outcome ?? {};
  const told = usage && tokensMicroUsd(usage, price.perMillionTokensUsd);
  if (told !== undefined)
    return { microUsd: Math.round(told), priced: usage?.estimated === true ? 'estimated' : 'usage' };
  if (!isPicturePlan(plan)) return undefined;
  const ahead = picturesAheadMicroUsd(price, requestAt(target, plan), asked ?? sidesMade(outcome).length);
  return ahead === undefined ? undefined : { microUsd: ahead, priced: 'estimated' };
}

function tableOf({ asOf }: Price): string {
  return asOf === undefined ? 'table' : `table@${asOf}`;
}

/** The plan of a request for pictures; plans of chat have no request. */
export function isPicturePlan(plan: RunPlan): plan is Plan {
  return !isChatPlan(plan) && 'request' in plan;
}

/** What a target is sent, as far as its price goes by it. */
export function requestAt(target: PlannedTarget, plan: Plan): Plan['request'] {
  return target.request ?? plan.request;
}

function picturesOf(
  outcome: Outcome | undefined,
  standing: AttemptCost['standing'],
  plan: RunPlan,
  pictures: number,
): number {
  if (!isPicturePlan(plan)) return 0;
  return standing === 'possible' ? pictures : sidesMade(outcome).length;
}

/**
 * A picture that does not open, or was lost on its way, was made and billed like the others of its call; one that was
 * refused, or of which nothing came, was not.
 */
function sidesMade(outcome: Outcome | undefined): readonly (Sides | undefined)[] {
  if (outcome === undefined) return [undefined];
  const lost = missingOf(outcome).filter(({ certainty, kind }) => certainty === 'completed' && kind !== 'empty');
  if (!outcome.ok) return new Array(Math.max(1, lost.length)).fill(undefined);
  return [...outcome.images.map(({ asset, original }) => original ?? asset), ...lost.map(() => undefined)];
}

function didNoWork(outcome: Outcome | undefined): boolean {
  return (
    outcome?.ok === false && (outcome.failure.certainty === 'not_sent' || outcome.failure.certainty === 'rejected')
  );
}

/**
 * Whether nobody knows if it is billed. An answer that broke off is: its provider made the tokens that came, or told
 * what it used. Where nothing came and the use was only estimated, the charge is a possible one.
 */
function isUnknown(outcome: Outcome | undefined): boolean {
  if (outcome === undefined) return true;
  if (outcome.ok || outcome.failure.certainty === 'completed') return false;
  const { usage } = outcome;
  return usage === undefined || (usage.estimated === true && !((numberAt(usage, 'output_tokens') ?? 0) > 0));
}
