import {
  type Asset,
  type Cost,
  costOf,
  type Failure,
  type GeneratedImage,
  type Generation,
  httpAnswer,
  IMAGE_TYPES,
  type JsonObject,
  type Plan,
  type RunPlan,
  splitTarget,
} from '@onetake/core';
import { adaptedFields, adaptedHeader, fallbackHeader, targetOf, warningHeader } from './adapted.ts';
import { refusalFields, rewrittenHeader } from './refused.ts';
import type { Segment } from './segments.ts';

/** One generation as an answer tells it; everything in it comes from the journal, so a replay is identical. */
export interface Telling {
  readonly id: string;
  readonly plan: Plan;
  readonly generation: Generation;
  /** Where the request took part in the cache: found there, made for another at the same time, or made for it. */
  readonly cache?: 'hit' | 'shared' | 'miss';
}

/** How pictures are handed over: inside the JSON, or as links below this address. */
export type Delivery = { readonly form: 'b64_json' } | { readonly form: 'url'; readonly assetsUrl: string };

/** OpenAI's image answer, with what Onetake knows beyond it under `onetake`; `degraded` where they are no result. */
export function imagesBody(
  telling: Telling,
  images: readonly GeneratedImage[],
  missing: readonly Failure[],
  delivery: Delivery,
  degraded?: JsonObject,
): readonly Segment[] {
  const { plan, generation } = telling;
  const usage = generation.outcome?.ok ? generation.outcome.usage : undefined;
  const rest = JSON.stringify({
    ...resolvedFields(telling, images[0]),
    ...(usage && { usage }),
    onetake: extension(telling, images, missing, degraded),
  });
  const data = images.flatMap((image, index) => [index === 0 ? '' : ',', ...imageItem(image, delivery)]);
  return [`{"created":${Math.floor(plan.createdAt / 1000)},"data":[`, ...data, `],${rest.slice(1)}`];
}

/** One picture of an answer's `data`. */
export function imageItem(image: GeneratedImage, delivery: Delivery): readonly Segment[] {
  const extra = { ...(image.revisedPrompt !== undefined && { revised_prompt: image.revisedPrompt }) };
  if (delivery.form === 'url') return [JSON.stringify(imageLink(image, delivery.assetsUrl))];
  const tail = JSON.stringify(extra);
  return ['{"b64_json":"', image.asset, tail === '{}' ? '"}' : `",${tail.slice(1)}`];
}

export function imageLink({ asset, revisedPrompt }: GeneratedImage, assetsUrl: string) {
  return { url: assetUrl(asset, assetsUrl), ...(revisedPrompt !== undefined && { revised_prompt: revisedPrompt }) };
}

/** Where a picture is read; `assetsUrl` is what the links begin with. */
export function assetUrl({ hash, type }: Asset, assetsUrl: string): string {
  return `${assetsUrl}/${hash}.${IMAGE_TYPES[type].extension}`;
}

/** What the provider settled on, told as OpenAI tells it; the format and size are those of the true bytes. */
export function resolvedFields(
  { plan, generation }: Pick<Telling, 'plan' | 'generation'>,
  image: GeneratedImage | undefined,
) {
  const request = targetOf(plan, generation)?.request ?? plan.request;
  const background = image?.resolved?.background ?? request.background;
  const quality = image?.resolved?.quality ?? request.quality;
  return {
    ...(background !== undefined && { background }),
    ...(image && { output_format: image.asset.type }),
    ...(quality !== undefined && { quality }),
    ...(image && { size: `${image.asset.width}x${image.asset.height}` }),
  };
}

function extension(
  telling: Telling,
  images: readonly GeneratedImage[],
  missing: readonly Failure[],
  degraded: JsonObject | undefined,
) {
  const { id, plan, generation } = telling;
  const made = splitTarget(generation.targets[0] ?? '');
  return {
    generation: id,
    provider: made.provider,
    model: made.model,
    attempts: generation.attempts,
    paid_attempts: generation.paidAttempts,
    ...(telling.cache && { cache: telling.cache }),
    // Whoever asked first has it on their bill.
    ...priceFields(telling.cache === 'shared' ? NOTHING : costOf(plan, generation)),
    ...adaptedFields(plan, generation),
    ...pictureFields(images, missing),
    ...(degraded && { degraded }),
  };
}

const NOTHING: Cost = { usd: 0, basis: 'none', possibleCharges: 0, possibleUsd: undefined };

/** What is known of the pictures made, and of those that were not. */
export function pictureFields(images: readonly GeneratedImage[], missing: readonly Failure[]) {
  return {
    images: images.map(({ asset, seed, flagged, suspect }) => ({
      sha256: asset.hash,
      bytes: asset.bytes,
      width: asset.width,
      height: asset.height,
      type: asset.type,
      ...(seed !== undefined && { seed }),
      ...(flagged !== undefined && { flagged }),
      ...(suspect && { suspect: suspect.map(({ code, detail }) => ({ code, detail })) }),
    })),
    ...(missing.length > 0 && { missing: missing.map(missingItem) }),
  };
}

export function priceFields(cost: Cost) {
  return {
    price_usd: cost.usd ?? null,
    price_basis: cost.basis,
    ...(cost.possibleCharges > 0 && {
      possible_charges: cost.possibleCharges,
      possible_usd: cost.possibleUsd ?? null,
    }),
  };
}

function missingItem(failure: Failure) {
  const { type, code } = httpAnswer(failure);
  const { message, kind, certainty } = failure;
  return { message, type, code, kind, certainty, ...refusalFields(failure) };
}

/** The `x-onetake-*` headers of an answer, failed or not. */
export function tellingHeaders(telling: Telling): Record<string, string> {
  const { plan, generation } = telling;
  return { ...runHeaders(telling), ...adaptedHeader(plan, generation), ...rewrittenHeader(generation) };
}

/** Those that any generation has, whatever it makes. */
export function runHeaders({
  id,
  plan,
  generation,
}: {
  readonly id: string;
  readonly plan: RunPlan;
  readonly generation: Generation;
}): Record<string, string> {
  const target = generation.targets[0];
  const first = generation.runs[0]?.attempts[0];
  return {
    'x-onetake-generation': id,
    'x-onetake-attempts': String(generation.attempts),
    'x-onetake-paid-attempts': String(generation.paidAttempts),
    ...(target !== undefined && providerHeaders(target)),
    ...(first && { 'x-onetake-queued-ms': String(first.startedAt - plan.createdAt) }),
    ...fallbackHeader(plan, generation),
    ...warningHeader(plan),
  };
}

function providerHeaders(target: string): Record<string, string> {
  const { provider, model } = splitTarget(target);
  return { 'x-onetake-provider': provider, 'x-onetake-model': encodeURI(model) };
}

/** The closing events of a streamed answer, one per picture, in OpenAI's shape. */
export function completedEvents(
  telling: Telling,
  images: readonly GeneratedImage[],
  missing: readonly Failure[],
  degraded?: JsonObject,
): readonly Segment[] {
  const { plan, generation } = telling;
  const type = plan.request.operation === 'edit' ? 'image_edit.completed' : 'image_generation.completed';
  return images.flatMap((image, index) => {
    const usage = generation.outcome?.ok ? generation.outcome.usage : undefined;
    const rest = JSON.stringify({
      created_at: Math.floor(plan.createdAt / 1000),
      ...resolvedFields(telling, image),
      ...(usage && index === images.length - 1 && { usage }),
      onetake: extension(telling, [image], index === images.length - 1 ? missing : [], degraded),
    });
    return [`event: ${type}\ndata: {"type":"${type}","b64_json":"`, image.asset, `",${rest.slice(1)}\n\n`];
  });
}
