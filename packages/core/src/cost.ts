import type { Generation } from './generation.ts';
import type { Attempt, Outcome } from './journal.ts';
import { isObject, type JsonObject, numberAt } from './json.ts';
import type { Plan } from './plan.ts';

/** What a generation cost; what nobody knows is `unknown`, never 0. */
export interface Cost {
  readonly usd: number | undefined;
  /** `none` when every attempt provably did no work. */
  readonly basis: 'none' | 'per-image' | 'usage' | 'unknown';
  /** Attempts that may have been billed without a picture to show for it. */
  readonly possibleCharges: number;
}

/** Adds up the attempts that a provider bills or may bill. */
export function costOf(plan: Plan, generation: Generation): Cost {
  const attempts = generation.runs.flatMap((one) => one.attempts).filter((one) => !didNoWork(one.outcome));
  const possibleCharges = attempts.filter((one) => isUnknown(one.outcome)).length;
  const certain = attempts.filter((one) => !isUnknown(one.outcome));
  if (certain.length === 0) {
    return possibleCharges === 0
      ? { usd: 0, basis: 'none', possibleCharges }
      : { usd: undefined, basis: 'unknown', possibleCharges };
  }
  const prices = certain.map((one) => priceOfAttempt(one, plan));
  const usd = prices.reduce<number | undefined>(
    (sum, price) => (sum === undefined || price === undefined ? undefined : sum + price),
    0,
  );
  const price = plan.targets.find((target) => target.id === certain[0]?.target)?.price;
  if (usd === undefined || price === undefined) return { usd: undefined, basis: 'unknown', possibleCharges };
  return { usd: Math.round(usd * 1e6) / 1e6, basis: 'perImageUsd' in price ? 'per-image' : 'usage', possibleCharges };
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
  const price = plan.targets.find((target) => target.id === attempt.target)?.price;
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
