import type { Plan } from './plan.ts';

/** How many pictures each run of a request is for, in their order; one run where one call makes them all. */
export function pictureShares({ request: { n }, targets }: Pick<Plan, 'request' | 'targets'>): readonly number[] {
  const perCall = Math.min(n, ...targets.map((target) => target.maxImagesPerCall));
  if (perCall >= n) return [n];
  return Array.from({ length: Math.ceil(n / perCall) }, (_, index) => Math.min(perCall, n - index * perCall));
}
