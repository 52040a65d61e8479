import type { Generation } from './generation.ts';
import { type Attempt, missingOf, type Outcome } from './journal.ts';
import { isObject, type JsonObject, numberAt } from './json.ts';
import type { Plan, PlannedTarget } from './plan.ts';

/** What a generation cost; what nobody knows is `unknown`, never 0. */
export interface Cost {
  readonly usd: number | undefined;
  /** `none` when every attempt provably did no work, or was made where nothing is billed; `reported` where the answer told the price. */
  readonly basis: 'none' | 'reported' | 'per-image' | 'usage' | 'unknown';
  /** Attempts that may have been billed without a picture to show for it. */
  readonly possibleCharges: number;
  /** What those would cost; undefined when there are none, or a price is unknown. */
  readonly possibleUsd: number | undefined;
}

/** Adds up the attempts that a provider bills or may bill. */
export function costOf(plan: Plan, generation: Generation): Cost {
  const every = generation.runs.flatMap((one) => one.attempts);
  const attempts = every.filter((one) => !one.free && !didNoWork(one.outcome));
  const perCall = Math.ceil(plan.request.n / generation.runs.length);
  const unknown = attempts.filter((one) => isUnknown(one.outcome));
  const possible = {
    possibleCharges: unknown.length,
    possibleUsd: unknown.length === 0 ? undefined : sumOf(unknown.map((one) => possiblePrice(one, plan, perCall))),
  };
  const certain = attempts.filter((one) => !isUnknown(one.outcome));
  const isMadeForNothing = certain.length === 0 && every.some((one) => one.free && one.outcome?.ok);
  if (attempts.length === 0 || isMadeForNothing) return { usd: 0, basis: 'none', ...possible };
  const usd = certain.length === 0 ? undefined : sumOf(certain.map((one) => priceOfAttempt(one, plan)));
  return { usd, basis: usd === undefined ? 'unknown' : basisOf(certain[0], plan), ...possible };
}

function basisOf(attempt: Attempt | undefined, plan: Plan): 'reported' | 'per-image' | 'usage' {
  if (attempt?.outcome?.ok && attempt.outcome.costUsd !== undefined) return 'reported';
  const price = priceOf(attempt, plan);
  return price && 'perImageUsd' in price ? 'per-image' : 'usage';
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

function priceOf(attempt: Attempt | undefined, plan: Plan): PlannedTarget['price'] {
  return plan.targets.find((target) => target.id === attempt?.target)?.price;
}

/** Only a price per picture tells the cost of an answer nobody has seen. */
function possiblePrice(attempt: Attempt, plan: Plan, pictures: number): number | undefined {
  const price = priceOf(attempt, plan);
  return price && 'perImageUsd' in price ? price.perImageUsd * pictures : undefined;
}

function didNoWork(outcome: Outcome | undefined): boolean {
  return (
    outcome?.ok === false && (outcome.failure.certainty === 'not_sent' || outcome.failure.certainty === 'rejected')
  );
}

function isUnknown(outcome: Outcome | undefined): boolean {
  return outcome === undefined || (!outcome.ok && outcome.failure.certainty !== 'completed');
}

function priceOfAttempt(attempt: Attempt, plan: Plan): number | undefined {
  const outcome = attempt.outcome;
  if (outcome?.ok && outcome.costUsd !== undefined) return outcome.costUsd;
  const price = priceOf(attempt, plan);
  if (price === undefined) return undefined;
  if ('perImageUsd' in price) return price.perImageUsd * (outcome ? picturesMade(outcome) : 1);
  return outcome?.ok && outcome.usage ? priceOfTokens(outcome.usage, price.perMillionTokensUsd) : undefined;
}

/**
 * A picture that does not open, or was lost on its way, was made and billed like the others of its call; one that was
 * refused, or of which nothing came, was not.
 */
function picturesMade(outcome: Outcome): number {
  const lost = missingOf(outcome).filter(({ certainty, kind }) => certainty === 'completed' && kind !== 'empty');
  return outcome.ok ? outcome.images.length + lost.length : Math.max(1, lost.length);
}

/** OpenAI's `usage`: input tokens split by kind where the split is given, else taken for text. */
function priceOfTokens(
  usage: JsonObject,
  prices: { textInput: number; imageInput: number; output: number },
): number | undefined {
  const input = numberAt(usage, 'input_tokens');
  const output = numberAt(usage, 'output_tokens');
  if (input === undefined || output === undefined) return undefined;
  const details = isObject(usage.input_tokens_details) ? usage.input_tokens_details : {};
  const imageInput = numberAt(details, 'image_tokens') ?? 0;
  return ((input - imageInput) * prices.textInput + imageInput * prices.imageInput + output * prices.output) / 1e6;
}
