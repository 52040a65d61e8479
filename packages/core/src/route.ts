import type { Connection } from './environment.ts';
import type { Failure } from './failure.ts';
import { nearMatches } from './near-matches.ts';
import type { Payment, Plan, PlannedTarget, Policy } from './plan.ts';
import { allowedPaidAttempts } from './policy/budget.ts';
import { RETRY_POLICY } from './policy/retry.ts';
import { firstByteMs, TIMEOUTS } from './policy/timeout.ts';
import type { Model } from './providers/provider.ts';
import type { Limits } from './rate.ts';
import type { ImageRequest } from './request.ts';

/** What a route, a key or a request may set; the request wins over the route, the route over the defaults. */
export interface PolicySettings {
  readonly payment?: Payment;
  readonly maxPaidAttempts?: number;
  readonly fallback?: boolean;
  readonly totalTimeoutMs?: number;
  readonly firstByteTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  readonly harvestMs?: number;
}

/** A public model name: the targets to try in order, each `provider/model`. */
export interface Route {
  readonly targets: readonly string[];
  readonly policy?: PolicySettings;
}

/** Everything a model name can mean. */
export interface Catalogue {
  /** In the order of the configuration: a bare model name goes to the first that lists it. */
  readonly connections: readonly Connection[];
  readonly routes: Readonly<Record<string, Route>>;
  readonly defaultModel: string | undefined;
  /** Plays every name that nothing else answers to; set when no provider has a key. */
  readonly understudy?: string;
}

export type Planned = { readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly failure: Failure };

/** Fixes what a request will be held to. Fails, before anything is spent, for a name nobody answers to. */
export function planImage(
  request: ImageRequest,
  name: string | undefined,
  catalogue: Catalogue,
  settings: PolicySettings,
  now: number,
): Planned {
  const route = name || catalogue.defaultModel;
  if (route === undefined) return { ok: false, failure: noDefault() };
  const found = findRoute(route, catalogue);
  if (found === undefined) return { ok: false, failure: unknownModel(route, catalogue) };
  const set = { ...found.policy, ...settings };
  const targets = found.targets.map((id) => plannedTarget(id, request, catalogue, set));
  const usable = targets.filter((target) => 'id' in target);
  const [wrong] = targets.filter((target) => 'kind' in target);
  if (usable.length === 0) return { ok: false, failure: wrong ?? unknownModel(route, catalogue) };
  const policy = policyOf(set);
  const plan = { request, route, targets: usable, policy, createdAt: now, deadlineAt: now + policy.timeout.totalMs };
  return { ok: true, plan };
}

function policyOf(set: PolicySettings): Policy {
  const payment = set.payment ?? 'standard';
  return {
    payment,
    maxPaidAttempts: allowedPaidAttempts(payment, set.maxPaidAttempts),
    fallback: set.fallback ?? true,
    retry: RETRY_POLICY,
    timeout: {
      connectMs: set.connectTimeoutMs ?? TIMEOUTS.connectMs,
      idleMs: set.idleTimeoutMs ?? TIMEOUTS.idleMs,
      totalMs: set.totalTimeoutMs ?? TIMEOUTS.totalMs,
      harvestMs: set.harvestMs ?? TIMEOUTS.harvestMs,
    },
  };
}

/** A configured route by its name; else one made of the single target a model name stands for. */
function findRoute(name: string, catalogue: Catalogue): Route | undefined {
  const route = Object.hasOwn(catalogue.routes, name) ? catalogue.routes[name] : undefined;
  if (route) return route;
  const target = findTarget(name, catalogue);
  return target === undefined ? undefined : { targets: [target] };
}

/** `provider/model` split at the first slash, a bare name by who lists it, anything by the understudy. */
function findTarget(name: string, catalogue: Catalogue): string | undefined {
  const { provider, model } = splitTarget(name);
  const named = catalogue.connections.find((one) => one.id === provider);
  if (named) return model !== '' && named.provider.model(model) ? name : undefined;
  const lists = catalogue.connections.find((one) => one.provider.models.some((listed) => listed.id === name));
  if (lists) return `${lists.id}/${name}`;
  return catalogue.understudy === undefined ? undefined : `${catalogue.understudy}/${model}`;
}

export function splitTarget(id: string): { provider: string; model: string } {
  const slash = id.indexOf('/');
  return slash < 0 ? { provider: '', model: id } : { provider: id.slice(0, slash), model: id.slice(slash + 1) };
}

function plannedTarget(
  id: string,
  request: ImageRequest,
  catalogue: Catalogue,
  set: PolicySettings,
): PlannedTarget | Failure {
  const full = findTarget(id, catalogue) ?? id;
  const { provider, model: modelId } = splitTarget(full);
  const connection = catalogue.connections.find((one) => one.id === provider);
  const model = connection?.provider.model(modelId);
  if (connection === undefined || model === undefined) return unknownModel(id, catalogue);
  if (!model.operations.includes(request.operation)) return cannot(full, request.operation);
  return {
    id: full,
    provider,
    model: modelId,
    credential: connection.provider.credentialPerModel ? full : provider,
    ...(connection.pool && { credentials: Object.keys(connection.pool) }),
    streams: model.streams,
    maxImagesPerCall: model.maxImagesPerCall,
    firstByteMs: firstByteMs(model.fast, set.firstByteTimeoutMs),
    ...(model.price && { price: model.price }),
  };
}

/**
 * The child plans of a request for more pictures than one call makes, each with its own journal and payment bound;
 * the plan itself when one call does. Every target of the plan can serve every child.
 */
export function splitPlan(plan: Plan): readonly Plan[] {
  const { n } = plan.request;
  const perCall = Math.min(n, ...plan.targets.map((target) => target.maxImagesPerCall));
  if (perCall >= n) return [plan];
  const children = Math.ceil(n / perCall);
  return Array.from({ length: children }, (_, index) => {
    const share = Math.min(perCall, n - index * perCall);
    return { ...plan, request: childRequest(plan.request, share, index) };
  });
}

/** Equal seeds would make equal pictures. */
function childRequest(request: ImageRequest, n: number, index: number): ImageRequest {
  return { ...request, n, ...(request.seed !== undefined && { seed: request.seed + index }) };
}

/** Every public name, routes first, for listings and near matches. */
export function modelNames(catalogue: Catalogue): readonly string[] {
  const targets = catalogue.connections.flatMap((one) => one.provider.models.map((model) => `${one.id}/${model.id}`));
  return [...Object.keys(catalogue.routes), ...targets];
}

export function modelOf(target: string, catalogue: Catalogue): Model | undefined {
  const { provider, model } = splitTarget(target);
  return model === '' ? undefined : catalogue.connections.find((one) => one.id === provider)?.provider.model(model);
}

/** The credentials an attempt at this target may go with; undefined when the catalogue has no such target (any more). */
export function keysOf(target: string, catalogue: Catalogue): readonly string[] | undefined {
  const { provider } = splitTarget(target);
  const connection = catalogue.connections.find((one) => one.id === provider);
  if (connection === undefined) return undefined;
  if (connection.pool) return Object.keys(connection.pool);
  return [connection.provider.credentialPerModel ? target : provider];
}

/** What is allowed at a target: configured for it, or for all of its provider's models, else what its model is known for. */
export function limitsOf(
  target: string,
  configured: Readonly<Record<string, Limits>>,
  catalogue: Catalogue,
): Limits | undefined {
  const own = Object.hasOwn(configured, target) ? configured[target] : undefined;
  const all = `${splitTarget(target).provider}/*`;
  return own ?? (Object.hasOwn(configured, all) ? configured[all] : undefined) ?? modelOf(target, catalogue)?.limits;
}

function unknownModel(name: string, catalogue: Catalogue): Failure {
  const near = nearMatches(name, modelNames(catalogue));
  const hint =
    near.length > 0 ? `did you mean ${near.map((one) => `"${one}"`).join(' or ')}?` : 'GET /v1/models lists them';
  const message = `model: no provider or route here answers to "${name.slice(0, 200)}"; ${hint}`;
  return { kind: 'not_found', certainty: 'not_sent', message, param: 'model' };
}

function noDefault(): Failure {
  const message = 'model: none was given and no default_model is configured; send one of GET /v1/models';
  return { kind: 'invalid', certainty: 'not_sent', message, param: 'model', code: 'missing_required_parameter' };
}

function cannot(target: string, operation: ImageRequest['operation']): Failure {
  const message = `model: ${target} cannot ${operation} images; choose another model`;
  return { kind: 'capability', certainty: 'not_sent', message, param: 'model', code: 'capability_missing' };
}
