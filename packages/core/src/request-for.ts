import type { RunEnvironment } from './environment.ts';
import type { Failure } from './failure.ts';
import { repaintMask } from './images/mask.ts';
import type { Event } from './journal.ts';
import { messageOf } from './message-of.ts';
import type { Plan, PlannedTarget } from './plan.ts';
import type { ImageRequest } from './request.ts';

interface Asking {
  readonly plan: Plan;
  readonly target: PlannedTarget;
  readonly attempt: number;
  readonly environment: Pick<RunEnvironment, 'assets' | 'io'>;
  readonly append: (event: Event) => Promise<void>;
}

type Wanted = { readonly request: ImageRequest } | { readonly failure: Failure };

/** What an attempt asks of its target, with the mask as that target reads masks; a failure is always `not_sent`. */
export async function requestFor(asking: Asking): Promise<Wanted> {
  const request = fieldsFor(asking.plan, asking.target);
  const { mask } = request;
  const { maskPolarity: mark = 'alpha' } = asking.target;
  if (mask === undefined || mark === 'alpha') return { request };
  const { assets, io } = asking.environment;
  const done = await repaintMask(mask, mark, assets).catch(notStored);
  if ('failure' in done) return done;
  const { asset } = done;
  // Who keeps the journal keeps the pictures that it speaks of.
  await asking.append({ type: 'mask-converted', at: io.now(), attempt: asking.attempt, mark, asset });
  return { request: { ...request, mask: asset } };
}

/** Unknown fields are for the target they were written for: the first. A target that cannot stream is not asked to. */
export function fieldsFor(plan: Plan, target: PlannedTarget): ImageRequest {
  const { extra, stream, ...request } = target.request ?? plan.request;
  return {
    ...request,
    ...(extra && (target.request !== undefined || target.id === plan.targets[0]?.id) && { extra }),
    ...(stream && target.streams && { stream }),
  };
}

function notStored(error: unknown): { readonly failure: Failure } {
  const message = `mask: it could not be read or stored in this model's terms: ${messageOf(error)}`;
  return { failure: { kind: 'storage', certainty: 'not_sent', message, param: 'mask' } };
}
