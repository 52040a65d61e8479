import {
  type Asset,
  type Catalogue,
  type ImageRequest,
  type Io,
  type JsonObject,
  type JsonValue,
  type Plan,
  type Planned,
  planImage,
} from '@onetake/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { REFERENCE_LIMITS } from '../assets/reference-image.ts';
import { planMembers } from '../candidates/members.ts';
import type { Config } from '../config.ts';
import { readWebhook } from '../webhooks/request.ts';
import { adaptationItem } from './adapted.ts';
import { readControls } from './controls.ts';
import { noImage } from './edit-references.ts';
import { takeAllowed } from './image-routes.ts';
import { objectBody, readImageWire } from './image-wire.ts';
import { priceAhead } from './price-ahead.ts';
import { FailureProblem, invalidValue } from './problem.ts';
import { warningFields } from './refused.ts';

export interface EstimateDeps {
  readonly config: Pick<Config, 'webhooks'>;
  readonly catalogue: Catalogue;
  readonly io: Pick<Io, 'now'>;
}

type Asked = Pick<FastifyRequest, 'body' | 'headers' | 'key' | 'fromBrowser'>;

/** What a request would be, for those who write one. */
export function addEstimates(app: FastifyInstance, deps: EstimateDeps): void {
  app.post('/v1/estimates', estimate(deps));
}

/**
 * `POST /v1/estimates`: what `POST /v1/images/generations` would make of this body: whom it would ask for what, and what
 * that costs. Of an edit `reference_images` says how many pictures there are, and `mask` whether one goes with them.
 * Nothing is sent or kept, and what could not be made is refused as there.
 */
export function estimate({ config, catalogue, io }: EstimateDeps) {
  return (request: Asked): JsonObject => {
    const { operation, pictures, rest } = takePictures(objectBody(request.body));
    const read = readImageWire(operation, rest);
    const { wire, asked } = takeAllowed(request, { wire: read, model: read.model ?? catalogue.defaultModel });
    const { settings, webhook } = readControls(request.headers, wire.controlsBody, request);
    readWebhook(webhook, { allowPrivate: config.webhooks.allowPrivate, configured: undefined });
    const plan = (one: ImageRequest, model: string | undefined): Planned =>
      planImage(one, model, catalogue, settings, io.now(), 0);
    const whole = { ...wire.request, ...pictures };
    if (asked === undefined) return estimateOf([plannedOf(plan(whole, wire.model))]);
    const planned = planMembers({ request: whole, model: wire.model, asked: asked.members, plan });
    if (planned.ok) return estimateOf(planned.members.map((member) => member.plan));
    const { failure } = planned.planned;
    throw new FailureProblem({ ...failure, message: `candidate ${planned.index}: ${failure.message}` });
  };
}

function plannedOf(planned: Planned): Plan {
  if (planned.ok) return planned.plan;
  throw new FailureProblem(planned.failure);
}

/** Several plans are those of candidates: the first says what becomes of the request, and all what it costs. */
function estimateOf(plans: readonly Plan[]): JsonObject {
  const [plan] = plans;
  const [target, ...fallbacks] = plan?.targets ?? [];
  const prices = plans.map((one) => priceAhead(one));
  const usd = prices.reduce<number | null>((sum, one) => (sum === null || one.usd === null ? null : sum + one.usd), 0);
  return {
    object: 'estimate',
    route: plan?.route ?? null,
    target: target?.id ?? null,
    fallbacks: fallbacks.map(({ id }) => id),
    images: plans.reduce((sum, { request }) => sum + request.n, 0),
    calls: prices.reduce((sum, { calls }) => sum + calls, 0),
    usd: usd === null ? null : Math.round(usd * 1e6) / 1e6,
    basis: usd === null ? 'unknown' : [...new Set(prices.map(({ basis }) => basis))].join(', '),
    adapted: (target?.adapted ?? []).map(adaptationItem),
    passed_over: (plan?.passedOver ?? []).map(({ target: passed, reason }) => ({ target: passed, reason })),
    warnings: (plan && warningFields(plan).warnings) ?? [],
    ...(plans.length > 1 && {
      candidates: plans.map((one, at) => ({ target: one.targets[0]?.id ?? null, usd: prices[at]?.usd ?? null })),
    }),
  };
}

interface AskedPictures {
  readonly operation: 'generate' | 'edit';
  readonly pictures: Pick<ImageRequest, 'images' | 'mask'>;
  readonly rest: JsonObject;
}

/** A picture that any model could work from stands for those that are not sent. */
const SAMPLE: Asset = {
  ...{ hash: '0'.repeat(64), type: 'png', bytes: 1, width: 1024, height: 1024, animated: false, alpha: false },
};

function takePictures(body: JsonObject): AskedPictures {
  const { operation: named, reference_images: given, mask: withMask, ...rest } = body;
  for (const field of ['image', 'images']) {
    if (isGiven(rest[field])) throw invalidValue(field, 'no picture is needed here; say "reference_images", how many');
  }
  const count = countOf(given);
  const hasMask = maskOf(withMask);
  const operation = named ?? (count > 0 || hasMask ? 'edit' : 'generate');
  if (operation !== 'generate' && operation !== 'edit')
    throw invalidValue('operation', 'it is neither "generate" nor "edit"; the others go on from a picture made here');
  if (operation === 'generate' && (count > 0 || hasMask))
    throw invalidValue('operation', 'a generation has no pictures to work from; say "edit", or leave it out');
  if (operation === 'generate') return { operation, pictures: {}, rest };
  if (count === 0) throw noImage('say "reference_images": how many it works from');
  const images = Array.from({ length: count }, () => SAMPLE);
  return { operation, pictures: { images, ...(hasMask && { mask: { ...SAMPLE, alpha: true } }) }, rest };
}

function countOf(value: JsonValue | undefined): number {
  const count = isGiven(value) ? value : 0;
  const { maxImages } = REFERENCE_LIMITS;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= maxImages) return count;
  throw invalidValue('reference_images', `it is not a whole number from 0 to ${maxImages}`);
}

function maskOf(value: JsonValue | undefined): boolean {
  if (!isGiven(value)) return false;
  if (typeof value === 'boolean') return value;
  throw invalidValue('mask', 'no picture is needed here; say true, or leave it out');
}

function isGiven(value: JsonValue | undefined): value is JsonValue {
  return value !== undefined && value !== null;
}
