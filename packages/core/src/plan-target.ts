import type { Adaptation } from './capabilities.ts';
import { chatModelReason, isChatModel } from './chat-models.ts';
import { type Connection, poolOf } from './environment.ts';
import type { PlannedTarget } from './plan.ts';
import { type AdaptOptions, adapt } from './policy/adapt.ts';
import { STALL_MS } from './policy/free.ts';
import { firstByteMs } from './policy/timeout.ts';
import type { Model } from './providers/provider.ts';
import type { ImageRequest } from './request.ts';
import { joinAdaptations } from './retired.ts';

/** A target as the catalogue has it. */
export interface FoundTarget {
  /** `provider/model`. */
  readonly id: string;
  readonly connection: Connection;
  readonly model: Model;
}

/** What is asked of every target of a plan. */
export interface Asked {
  /** As the caller sent it. */
  readonly original: ImageRequest;
  /** In words that are not retired. */
  readonly request: ImageRequest;
  /** What that changed. */
  readonly adaptations: readonly Adaptation[];
}

/** Why a target cannot serve the request; `field` is the one at fault. */
export interface Unfit {
  readonly reason: string;
  readonly field: string;
}

export interface PlanTargetOptions extends Omit<AdaptOptions, 'links'> {
  readonly firstByteTimeoutMs: number | undefined;
  readonly stallTimeoutMs: number | undefined;
}

/** Fixes what a target is sent, or says why it cannot be asked. */
export function planTarget(found: FoundTarget, asked: Asked, options: PlanTargetOptions): PlannedTarget | Unfit {
  const { id, connection, model } = found;
  if (isUnlistedChatModel(found)) return { reason: chatModelReason(model.id), field: 'model' };
  const adapted = adapt(asked.request, model, { ...options, links: connection.fetches === true });
  if (!adapted.ok) return { reason: adapted.reason, field: adapted.field };
  const adaptations = joinAdaptations(asked.adaptations, adapted.adaptations);
  const { capabilities } = model;
  return {
    id,
    provider: connection.id,
    model: model.id,
    credential: connection.provider.credentialPerModel ? id : connection.id,
    ...credentialsOf(connection),
    streams: model.streams,
    maxImagesPerCall: model.maxImagesPerCall,
    firstByteMs: firstByteMs(model, options.firstByteTimeoutMs),
    ...(connection.provider.resubmit === 'safe' && { free: true, stallMs: options.stallTimeoutMs ?? STALL_MS }),
    ...(adapted.request !== asked.original && { request: adapted.request }),
    ...(capabilities?.mask && { maskPolarity: capabilities.mask }),
    ...(capabilities?.maxSeed !== undefined && { maxSeed: capabilities.maxSeed }),
    ...(adaptations.length > 0 && { adapted: adaptations }),
    ...(model.price && { price: model.price }),
  };
}

function credentialsOf(connection: Connection): Pick<PlannedTarget, 'credentials'> {
  const credentials = poolOf(connection);
  return credentials ? { credentials } : {};
}

/** What a provider lists it draws with, whatever its name. */
function isUnlistedChatModel({ connection, model }: FoundTarget): boolean {
  return isChatModel(model.id) && !connection.provider.models.some(({ id }) => id === model.id);
}
