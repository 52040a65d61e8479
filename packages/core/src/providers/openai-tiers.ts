import type { Limits } from '../rate.ts';

const MINUTE_MS = 60_000;
/**
 * Pictures a minute by usage tier, 1 to 5, as users report them: OpenAI shows an account's own limits in its console and
 * answers do not tell them. They are where learning starts, no promise.
 */
const IMAGES_PER_MINUTE: Readonly<Record<string, readonly number[]>> = { 'gpt-image-2': [5, 20, 50, 150, 250] };

export const OPENAI_TIERS = 5;

/** What an account of this tier starts from, by model; undefined where nothing is known of the model. */
export function openaiTierLimits(model: string, tier: number): Limits | undefined {
  const base = Object.keys(IMAGES_PER_MINUTE).find((known) => model === known || model.startsWith(`${known}-`));
  const count = base === undefined ? undefined : IMAGES_PER_MINUTE[base]?.[tier - 1];
  return count === undefined ? undefined : { images: [{ count, windowMs: MINUTE_MS }] };
}
