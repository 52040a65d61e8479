import type { JsonObject } from '@onetake/core';
import type { Effective } from './effective.ts';
import type { Delivered } from './image-call.ts';
import type { VerifiedPicture } from './picture-file.ts';

/** What stands beside a picture; it never holds a key. */
export interface Sidecar {
  readonly prompt: string;
  readonly revised_prompt?: string;
  readonly model: string;
  readonly provider: string;
  readonly seed?: number;
  readonly size: string;
  readonly type: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Of the whole generation; null is unknown. */
  readonly price_usd: number | null;
  readonly price_basis?: string;
  readonly possible_charges?: number;
  readonly time_ms: number;
  readonly attempts: number;
  readonly paid_attempts: number;
  readonly generation: string;
  readonly regenerated_from?: string;
  /** Everything the provider was asked, in the terms it was sent in; references by their hashes. */
  readonly request?: JsonObject;
  /** What became of the fields that were asked for. */
  readonly adapted?: readonly JsonObject[];
  readonly provider_request_id?: string;
  readonly created: string;
}

/** What a sidecar says of the order itself. */
export interface Ordered {
  readonly prompt: string;
  readonly seed?: number;
}

export function sidecarOf(
  order: Ordered,
  delivered: Delivered,
  { asset }: VerifiedPicture,
  index: number,
  timeMs: number,
  effective: Effective | undefined,
): Sidecar {
  const { revisedPrompt, seed = order.seed } = delivered.images[index] ?? {};
  return {
    prompt: order.prompt,
    ...(revisedPrompt !== undefined && { revised_prompt: revisedPrompt }),
    model: delivered.model,
    provider: delivered.provider,
    ...(seed !== undefined && { seed }),
    size: `${asset.width}x${asset.height}`,
    type: asset.type,
    bytes: asset.bytes,
    sha256: asset.hash,
    price_usd: delivered.priceUsd ?? null,
    ...(delivered.priceBasis !== undefined && { price_basis: delivered.priceBasis }),
    ...(delivered.possibleCharges > 0 && { possible_charges: delivered.possibleCharges }),
    time_ms: timeMs,
    attempts: delivered.attempts,
    paid_attempts: delivered.paidAttempts,
    generation: delivered.generation,
    ...(effective?.regeneratedFrom !== undefined && { regenerated_from: effective.regeneratedFrom }),
    ...(effective?.request && { request: effective.request }),
    ...(effective && effective.adapted.length > 0 && { adapted: effective.adapted }),
    ...(effective?.providerRequestId !== undefined && { provider_request_id: effective.providerRequestId }),
    created: new Date().toISOString(),
  };
}
