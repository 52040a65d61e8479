import { isChatPlan } from './chat/chat.ts';
import type { Generation } from './generation.ts';
import { type Attempt, missingOf, type Outcome } from './journal.ts';
import { isObject, type JsonObject, numberAt } from './json.ts';
import type { Plan, PlannedTarget, RunPlan } from './plan.ts';
import type { Price } from './price.ts';

/** What a generation cost; what nobody knows is `unknown`, never 0. */
export interface Cost {
  readonly usd: number | undefined;
  /**
   * `none` when every attempt provably did no work, or was made where nothing is billed; `reported` where the answer told
   * the price, `usage` where it told what was used; `estimated` where some of that was counted here.
   */
  readonly basis: 'none' | 'reported' | 'per-image' | 'usage' | 'estimated' | 'unknown';
  /** Attempts that may have been billed without a picture, or an answer, to show for it. */
  readonly possibleCharges: number;
  /** What those would cost; undefined when there are none, or a price is unknown. */
  readonly possibleUsd: number | undefined;
}

/** Adds up the attempts that a provider bills or may bill. */
export function costOf(plan: RunPlan, generation: Generation): Cost {
  const every = generation.runs.flatMap((one) => one.attempts);
  const attempts = every.filter((one) => !one.free && !didNoWork(one.outcome));
  const perCall = picturesPerCall(plan, generation);
  const unknown = attempts.filter((one) => isUnknown(one.outcome));
  const possible = {
    possibleCharges: unknown.length,
    possibleUsd: unknown.length === 0 ? undefined : sumOf(unknown.map((one) => possiblePrice(one, plan, perCall))),
  };
  const certain = attempts.filter((one) => !isUnknown(one.outcome));
  const isMadeForNothing = certain.length === 0 && every.some((one) => one.free && one.outcome?.ok);
  if (attempts.length === 0 || isMadeForNothing) return { usd: 0, basis: 'none', ...possible };
  const usd = certain.length === 0 ? undefined : sumOf(certain.map((one) => priceOfAttempt(one, plan)));
  return { usd, basis: usd === undefined ? 'unknown' : basisOf(certain, plan), ...possible };
}

/** Pictures that one call was for; undefined of chat. */
function picturesPerCall(plan: RunPlan, { runs }: Generation): number | undefined {
  return isPicturePlan(plan) ? Math.ceil(plan.request.n / runs.length) : undefined;
}

function isPicturePlan(plan: RunPlan): plan is Plan {
  return !isChatPlan(plan) && 'request' in plan;
}

function basisOf(certain: readonly Attempt[], plan: RunPlan): 'reported' | 'per-image' | 'usage' | 'estimated' {
  if (certain.some(({ outcome }) => reportedUsd(outcome) === undefined && isEstimated(outcome))) return 'estimated';
  const [first] = certain;
  if (reportedUsd(first?.outcome) !== undefined) return 'reported';
  const price = priceOf(first, plan);
  return price && 'perImageUsd' in price ? 'per-image' : 'usage';
}

function reportedUsd(outcome: Outcome | undefined): number | undefined {
  return outcome?.ok ? outcome.costUsd : undefined;
}

function isEstimated(outcome: Outcome | undefined): boolean {
  return outcome?.usage?.estimated === true;
}

/** Millionths are kept; undefined as soon as one price is. */
function sumOf(prices: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const price of prices) {
    if (price === undefined) return undefined;
    sum += price;
  }
  return Math.round(sum * 1e6) / 1e6;
}

function priceOf(attempt: Attempt | undefined, plan: RunPlan): PlannedTarget['price'] {
  return plan.targets.find((target) => target.id === attempt?.target)?.price;
}

/** What it cost if it is billed: of an answer nobody has seen only a price per picture tells it, or an estimate of its use. */
function possiblePrice(attempt: Attempt, plan: RunPlan, pictures: number | undefined): number | undefined {
  const price = priceOf(attempt, plan);
  if (price === undefined) return undefined;
  if ('perImageUsd' in price) return pictures === undefined ? undefined : price.perImageUsd * pictures;
  return attempt.outcome?.usage && priceOfTokens(attempt.outcome.usage, price.perMillionTokensUsd);
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
  return usage === undefined || (isEstimated(outcome) && !((numberAt(usage, 'output_tokens') ?? 0) > 0));
}

function priceOfAttempt(attempt: Attempt, plan: RunPlan): number | undefined {
  const outcome = attempt.outcome;
  const reported = reportedUsd(outcome);
  if (reported !== undefined) return reported;
  const price = priceOf(attempt, plan);
  if (price === undefined) return undefined;
  if (!('perImageUsd' in price)) return outcome?.usage && priceOfTokens(outcome.usage, price.perMillionTokensUsd);
  return isPicturePlan(plan) ? price.perImageUsd * (outcome ? picturesMade(outcome) : 1) : undefined;
}

/**
 * A picture that does not open, or was lost on its way, was made and billed like the others of its call; one that was
 * refused, or of which nothing came, was not.
 */
function picturesMade(outcome: Outcome): number {
  const lost = missingOf(outcome).filter(({ certainty, kind }) => certainty === 'completed' && kind !== 'empty');
  return outcome.ok ? outcome.images.length + lost.length : Math.max(1, lost.length);
}

type TokenPrices = Extract<Price, { perMillionTokensUsd: unknown }>['perMillionTokensUsd'];

/**
 * OpenAI's `usage`: input tokens split by kind where the split is given, else taken for text that was in no cache. Of
 * embeddings, which put nothing out, only the total beside the input is told.
 */
function priceOfTokens(usage: JsonObject, prices: TokenPrices): number | undefined {
  const input = numberAt(usage, 'input_tokens');
  const total = numberAt(usage, 'total_tokens');
  if (input === undefined) return undefined;
  const output = numberAt(usage, 'output_tokens') ?? (total === undefined ? undefined : Math.max(0, total - input));
  if (output === undefined) return undefined;
  const details = isObject(usage.input_tokens_details) ? usage.input_tokens_details : {};
  const pictures = numberAt(details, 'image_tokens') ?? 0;
  const cached = Math.min(numberAt(details, 'cached_tokens') ?? 0, Math.max(0, input - pictures));
  const { textInput, cachedInput = textInput, imageInput } = prices;
  const text = input - pictures - cached;
  return (text * textInput + cached * cachedInput + pictures * imageInput + output * prices.output) / 1e6;
}
