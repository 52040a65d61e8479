import type { Generation } from './generation.ts';
import type { Attempt, Outcome } from './journal.ts';
import { isObject, type JsonObject, numberAt } from './json.ts';
import type { Plan, PlannedTarget } from './plan.ts';

/** What a generation cost; what nobody knows is `unknown`, never 0. */
export interface Cost {
  readonly usd: number | undefined;
  /** `none` when every attempt provably did no work. */
  readonly basis: 'none' | 'per-image' | 'usage' | 'unknown';
  /** Attempts that may have been billed without a picture to show for it. */
  readonly possibleCharges: number;
  /** What those would cost; undefined when there are none, or a price is unknown. */
  readonly possibleUsd: number | undefined;
}

/** Adds up the attempts that a provider bills or may bill. */
export function costOf(plan: Plan, generation: Generation): Cost {
  const attempts = generation.runs.flatMap((one) => one.attempts).filter((one) => !didNoWork(one.outcome));
  const perCall = Math.ceil(plan.request.n / generation.runs.length);
  const unknown = attempts.filter((one) => isUnknown(one.outcome));
  const possible = {
    possibleCharges: unknown.length,
    possibleUsd: unknown.length === 0 ? undefined : sumOf(unknown.map((one) => possiblePrice(one, plan, perCall))),
  };
  const certain = attempts.filter((one) => !isUnknown(one.outcome));
  if (attempts.length === 0) return { usd: 0, basis: 'none', ...possible };
  const usd = certain.length === 0 ? undefined : sumOf(certain.map((one) => priceOfAttempt(one, plan)));
  const price = priceOf(certain[0], plan);
  if (usd === undefined || price === undefined) return { usd: undefined, basis: 'unknown', ...possible };
  return { usd, basis: 'perImageUsd' in price ? 'per-image' : 'usage', ...possible };
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
  const price = priceOf(attempt, plan);
  if (price === undefined) return undefined;
  const outcome = attempt.outcome;
  if ('perImageUsd' in price) return price.perImageUsd * (outcome?.ok ? picturesMade(outcome) : 1);
  return outcome?.ok && outcome.usage ? priceOfTokens(outcome.usage, price.perMillionTokensUsd) : undefined;
}

/** A picture that does not open was made, and billed, like the others of its call. */
function picturesMade({ images, missing = [] }: Outcome & { ok: true }): number {
  return images.length + missing.filter((failure) => failure.kind === 'corrupt').length;
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
