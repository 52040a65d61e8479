import {
  fieldsFor,
  type Generation,
  type ImageRequest,
  type Plan,
  type PlannedTarget,
  type Run,
  splitPlan,
  splitTarget,
  targetInForce,
} from '@onetake/core';
import { targetOf } from './adapted.ts';

/** What one run asked of the provider that ended it, in the terms it was sent in. */
export interface Sent {
  readonly provider: string;
  readonly model: string;
  readonly request: ImageRequest;
  /** The seed in `request` was drawn here. */
  readonly seedDrawn?: true;
  /** The provider's own id of the exchange. */
  readonly providerRequestId?: string;
}

/** What was sent last, per run, also where a ladder had changed it; undefined for a run that sent nothing. */
export function sentByRun(plan: Plan, { runs }: Generation): readonly (Sent | undefined)[] {
  const children = splitPlan(plan);
  return runs.map(untilPicture).map((run, index) => {
    const attempt = run.attempts.at(-1);
    const child = children[index];
    const target = child?.targets.find(({ id }) => id === attempt?.target);
    if (child === undefined || target === undefined) return undefined;
    const { requestId } = attempt ?? {};
    return {
      ...splitTarget(target.id),
      request: fieldsFor(child, targetInForce(child, run, target)),
      ...(target.seedDrawn && { seedDrawn: target.seedDrawn }),
      ...(requestId !== undefined && { providerRequestId: requestId }),
    };
  });
}

/** Where a try for a better picture brought none, an earlier attempt made what was handed over. */
function untilPicture(run: Run): Run {
  const made = run.attempts.findLastIndex(({ outcome }) => outcome?.ok);
  return made < 0 ? run : { ...run, attempts: run.attempts.slice(0, made + 1) };
}

/** Which run made each picture, in the order they are handed over. */
export function runsOfPictures({ runs }: Generation): readonly number[] {
  return runs.flatMap(({ finished }, run) => (finished?.ok ? finished.images.map(() => run) : []));
}

/**
 * The whole request as its target was sent it, before it was split into calls, with the seed that is known of the only
 * picture; undefined where no target is left in the plan.
 */
export function effectiveRequest(
  plan: Plan,
  generation: Generation,
): { readonly target: PlannedTarget; readonly request: ImageRequest } | undefined {
  const target = targetOf(plan, generation) ?? plan.targets[0];
  if (target === undefined) return undefined;
  const [run] = generation.runs.map(untilPicture);
  const inForce = run ? targetInForce(plan, run, target) : target;
  const { stream: _stream, partialImages: _previews, ...request } = fieldsFor(plan, inForce);
  const images = generation.outcome?.ok ? generation.outcome.images : [];
  // What a cache answered was made with another seed than the one drawn for it.
  const own = request.n === 1 && request.source === undefined ? images[0]?.seed : undefined;
  const seed = own ?? request.seed;
  return { target, request: { ...request, ...(seed !== undefined && { seed }) } };
}
