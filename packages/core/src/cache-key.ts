import { createHash } from 'node:crypto';
import { isObject, type JsonValue } from './json.ts';
import type { Plan, PlannedTarget } from './plan.ts';
import type { ImageRequest } from './request.ts';
import { fieldsFor } from './request-for.ts';

/** Whose pictures a key finds, and of what. */
export interface CacheScope {
  /** Keys of two callers never meet. */
  readonly caller: string;
  /** What the target makes may change while its name stays: a digest of its workflow or address, where it has one. */
  readonly version?: string;
}

/** Changes when the same fields begin to mean another picture, so that what was kept before is found no more. */
const SCHEME = 'onetake-cache-1';

/**
 * SHA-256, in lower-case hex, of all that decides what a target makes of a plan: caller, provider, model, version, into
 * how many calls it is split, whether pictures are looked at, and the request as that target is sent it, with pictures and mask by their hashes. Two
 * routes that send a target the same have the same key. Undefined where the plan does not have the target.
 */
export function cacheKey(plan: Plan, target: PlannedTarget, { caller, version }: CacheScope): string | undefined {
  if (!plan.targets.some(({ id }) => id === target.id)) return undefined;
  const { provider, model, maskPolarity = 'alpha' } = target;
  const request = requestedOf(plan, target);
  return digest([
    SCHEME,
    caller,
    [provider, model, version ?? null],
    picturesPerCall(plan),
    // Who has pictures looked at must not be given one that was not.
    plan.policy.suspect ? 'looked at' : null,
    request.mask ? maskPolarity : null,
    canonical(request),
  ]);
}

/**
 * Which requests may be answered by one generation while it runs: those of one caller whose targets would be sent the
 * same in the same order, under the same policy. Undefined where a target has no key.
 */
export function shareKey(
  plan: Plan,
  caller: string,
  versionOf: (target: PlannedTarget) => string | undefined = () => undefined,
): string | undefined {
  const keys = plan.targets.map((target) => {
    const version = versionOf(target);
    return cacheKey(plan, target, { caller, ...(version !== undefined && { version }) });
  });
  const known = keys.filter((key) => key !== undefined);
  if (known.length < keys.length || known.length === 0) return undefined;
  return digest([SCHEME, 'share', known, canonicalValue(plan.policy as unknown as JsonValue) ?? null]);
}

/** What was said of caching, each only where somebody said it. */
export interface CacheWishes {
  /** `x-onetake-cache`. */
  readonly request?: 'on' | 'off' | undefined;
  /** The route's `cache`. */
  readonly route?: 'on' | 'off' | undefined;
}

/**
 * Whether a request takes part in the cache. The request's own word wins, then the route's. Without either a seed turns
 * it on, since it asks for the same picture again; but only where it reaches a model that is known to take seeds: a
 * seed that was dropped promises nothing, and each picture would have been another. Who has a generation made once more
 * means to have it made.
 */
export function wantsCache(plan: Plan, { request, route }: CacheWishes): boolean {
  const said = request ?? (plan.regeneratedFrom === undefined ? route : 'off');
  if (said !== undefined) return said === 'on';
  const [first] = plan.targets;
  return first?.maxSeed !== undefined && requestedOf(plan, first).seed !== undefined;
}

/** A seed that nobody asked for is another each time, and says nothing of what was wanted. */
function requestedOf(plan: Plan, target: PlannedTarget): ImageRequest {
  const { seed, ...request } = fieldsFor(plan, target);
  return seed === undefined || target.seedDrawn ? request : { ...request, seed };
}

/** Seeds count up over the calls of a split request, so how it is split decides which pictures come. */
function picturesPerCall({ request: { n }, targets }: Plan): number {
  return Math.min(n, ...targets.map(({ maxImagesPerCall }) => maxImagesPerCall));
}

/**
 * The fields that decide what the picture is. How it is handed over says nothing of it: a stream, its previews. In the
 * request's own terms `auto` and silence both leave a choice to the model.
 */
function canonical({ stream: _stream, partialImages: _partial, ...request }: ImageRequest): JsonValue {
  const { images = [], mask, source, extra, size, quality, background, moderation, ...rest } = request;
  const fields = {
    ...rest,
    size: chosen(size),
    quality: chosen(quality),
    background: chosen(background),
    moderation: chosen(moderation),
    images: images.map(({ hash }) => hash),
    mask: mask?.hash,
    source: source && { ...source },
    extra: extra && Object.keys(extra).length > 0 ? extra : undefined,
  };
  return canonicalValue(fields) ?? null;
}

function chosen(value: string | undefined): string | undefined {
  return value === 'auto' ? undefined : value;
}

/** Without what is absent, and with the names of objects in order. */
function canonicalValue(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return ['array', ...value.map((one) => canonicalValue(one) ?? null)];
  if (!isObject(value)) return value;
  const entries = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  // Pairs, not an object: names such as `1` would be put in another order, and `__proto__` would be lost.
  return ['object', ...entries.map(([key, one]) => [key, canonicalValue(one) ?? null])];
}

function digest(value: JsonValue): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
