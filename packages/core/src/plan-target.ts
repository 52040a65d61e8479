import type { Adaptation } from './capabilities.ts';
import { chatModelReason, isChatModel } from './chat-models.ts';
import { type Connection, poolOf } from './environment.ts';
import type { PlannedTarget } from './plan.ts';
import { type AdaptOptions, adapt } from './policy/adapt.ts';
import { STALL_MS } from './policy/free.ts';
import { type WithNegative, withDefaultNegative } from './policy/negative-prompt.ts';
import { laxerSetting, strictnessOf } from './policy/refusal-ladder.ts';
import { firstByteMs } from './policy/timeout.ts';
import type { Model } from './providers/provider.ts';
import type { ImageRequest } from './request.ts';
import { joinAdaptations } from './retired.ts';
import { withDrawnSeed } from './seed.ts';

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

interface PlanTargetOptions extends Omit<AdaptOptions, 'links' | 'isFree'> {
  readonly firstByteTimeoutMs: number | undefined;
  readonly stallTimeoutMs: number | undefined;
  /** For a model that takes seeds, where the caller gave none; a whole number from 0 to 2^31 - 1. */
  readonly seed?: number | undefined;
  /** `default` adds the list that ships to what the caller wants left out; not where strict allows no difference. */
  readonly negativePrompt?: 'default' | undefined;
  /** A ladder may be in need of the model's less strict setting. */
  readonly laxer?: boolean;
}

/** Fixes what a target is sent, or says why it cannot be asked. */
export function planTarget(found: FoundTarget, asked: Asked, options: PlanTargetOptions): PlannedTarget | Unfit {
  const { id, connection, model } = found;
  if (isUnlistedChatModel(found)) return { reason: chatModelReason(model.id), field: 'model' };
  const listed = withList(asked.request, model, options);
  const adapted = adapt(listed.request, model, {
    ...options,
    links: connection.fetches === true,
    isFree: connection.provider.resubmit === 'safe',
  });
  if (!adapted.ok) return { reason: adapted.reason, field: adapted.field };
  const adaptations = joinAdaptations(asked.adaptations, joinAdaptations(listed.adaptations, adapted.adaptations));
  const { capabilities } = model;
  const seeded = connection.provider.drawsSeeds
    ? undefined
    : withDrawnSeed(adapted.request, capabilities, options.seed);
  const request = seeded ?? adapted.request;
  return {
    ...reachOf(id, connection, model.id),
    streams: model.streams,
    maxImagesPerCall: model.maxImagesPerCall,
    firstByteMs: firstByteMs(model, options.firstByteTimeoutMs),
    ...(connection.provider.resubmit === 'safe' && { stallMs: options.stallTimeoutMs ?? STALL_MS }),
    ...(request !== asked.original && { request }),
    ...(seeded && { seedDrawn: true }),
    ...(capabilities?.mask && { maskPolarity: capabilities.mask }),
    ...(capabilities?.maxSeed !== undefined && { maxSeed: capabilities.maxSeed }),
    ...(adaptations.length > 0 && { adapted: adaptations }),
    ...(options.laxer && laxerOf(model, request)),
    ...(model.price && { price: model.price }),
  };
}

function laxerOf({ capabilities }: Model, request: ImageRequest): Pick<PlannedTarget, 'laxer'> {
  const laxer = capabilities && laxerSetting(strictnessOf(capabilities), request);
  return laxer ? { laxer } : {};
}

function withList(request: ImageRequest, { capabilities }: Model, options: PlanTargetOptions): WithNegative {
  const isWanted = options.negativePrompt === 'default' && !options.strict;
  return isWanted ? withDefaultNegative(request, capabilities) : { request, adaptations: [] };
}

type Reach = Pick<PlannedTarget, 'id' | 'provider' | 'model' | 'credential' | 'credentials' | 'free'>;

/** How attempts at a target go, whatever they ask for. */
export function reachOf(id: string, connection: Connection, model: string): Reach {
  const { provider } = connection;
  const credentials = poolOf(connection);
  return {
    id,
    provider: connection.id,
    model,
    credential: provider.credentialPerModel ? id : connection.id,
    ...(credentials && { credentials }),
    ...(provider.resubmit === 'safe' && { free: true }),
  };
}

/** What a provider lists it draws with, whatever its name. */
function isUnlistedChatModel({ connection, model }: FoundTarget): boolean {
  const { models, chat } = connection.provider;
  const isForChat = isChatModel(model.id) || chat?.models.some(({ id }) => id === model.id) === true;
  return isForChat && !models.some(({ id }) => id === model.id);
}
