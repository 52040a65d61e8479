import type { Capabilities } from './capabilities.ts';
import type { GeneratedImage } from './journal.ts';
import type { Plan, PlannedTarget } from './plan.ts';
import type { ImageRequest } from './request.ts';
import { fieldsFor } from './request-for.ts';

/** Seeds are drawn below this: every provider known to take seeds takes 31 bits, but for those that say less. */
export const DRAWN_SEEDS = 2 ** 31;

/**
 * The request with a seed where its caller gave none and the model takes them, so that the picture can be made again;
 * undefined where it stays without. `drawn` is a whole number from 0, taken round where the model's seeds end below it.
 * A variation goes on from a job of the provider, whose seed it is.
 */
export function withDrawnSeed(
  request: ImageRequest,
  capabilities: Capabilities | undefined,
  drawn: number | undefined,
): ImageRequest | undefined {
  const maxSeed = capabilities?.maxSeed;
  const isMadeAnew = request.operation === 'generate' || request.operation === 'edit';
  if (drawn === undefined || maxSeed === undefined || request.seed !== undefined || !isMadeAnew) return undefined;
  return { ...request, seed: maxSeed >= DRAWN_SEEDS ? drawn : drawn % (maxSeed + 1) };
}

/**
 * The one picture of a call with the seed that was sent, where the provider does not say which it used. Of several it
 * is not known how the provider counts on, so only its own word is told.
 */
export function withSentSeed(
  images: readonly GeneratedImage[],
  plan: Plan,
  target: PlannedTarget,
): readonly GeneratedImage[] {
  const [image, ...others] = images;
  const { seed, n } = fieldsFor(plan, target);
  const isToldOf = target.maxSeed !== undefined && seed !== undefined && n === 1;
  if (!isToldOf || image === undefined || others.length > 0 || image.seed !== undefined) return images;
  return [{ ...image, seed }];
}
