import { chatModelOf } from './chat/chat-names.ts';
import { poolOf } from './environment.ts';
import type { Failure } from './failure.ts';
import {
  type Catalogue,
  drawsNothing,
  findTarget,
  modelOf,
  type PolicySettings,
  resolveName,
  splitTarget,
  unknownModel,
} from './model-names.ts';
import { pictureShares } from './picture-shares.ts';
import type { PassedOver, Plan, PlannedTarget, Policy } from './plan.ts';
import { judgePrompt, judgeReferences } from './plan-prompt.ts';
import { type Asked, type FoundTarget, planTarget } from './plan-target.ts';
import { allowedPaidAttempts } from './policy/budget.ts';
import { RETRY_POLICY } from './policy/retry.ts';
import { TIMEOUTS } from './policy/timeout.ts';
import type { Limits } from './rate.ts';
import type { ImageRequest } from './request.ts';
import { type Retirement, translateRetired } from './retired.ts';

export type Planned = { readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly failure: Failure };

/**
 * Fixes what a request will be held to. Fails, before anything is spent, for a name nobody answers to. `seed`, drawn by
 * who plans, from 0 to 2^31 - 1, goes to models that take seeds where the caller gave none; without it none is sent.
 */
export function planImage(
  request: ImageRequest,
  name: string | undefined,
  catalogue: Catalogue,
  settings: PolicySettings,
  now: number,
  seed?: number,
): Planned {
  const { source } = request;
  const route = source?.target ?? (name || catalogue.defaultModel);
  if (route === undefined) return { ok: false, failure: noDefault() };
  const found = resolveName(route, catalogue, settings.aliases ?? catalogue.aliases ?? true);
  if ('kind' in found) return { ok: false, failure: found };
  const set = { ...found.route.policy, ...settings };
  const retirement = source ? undefined : found.retirement;
  if (retirement && set.strict) return { ok: false, failure: strictAboutRetired(retirement) };
  const judged = judgePrompt(request, set.promptRules, catalogue.promptRules);
  if ('failure' in judged) return { ok: false, failure: judged.failure };
  const unusable = judgeReferences(request);
  if (unusable) return { ok: false, failure: unusable };
  const asked = retirement ? translateRetired(request, retirement) : { request, adaptations: [] };
  // Only who made a picture has it; and who wants no fallback wants the first target or none.
  const ids = source ? [source.target] : found.route.targets.slice(0, set.fallback === false ? 1 : undefined);
  const { targets, passedOver } = planTargets(ids, { original: request, ...asked }, catalogue, { ...set, seed });
  if (targets.length === 0) {
    const failure = nobodyCan(route, passedOver, catalogue);
    return { ok: false, failure: retirement ? tellRetired(failure, retirement) : failure };
  }
  const policy = policyOf(set);
  const plan = {
    request,
    route,
    targets,
    ...(passedOver.length > 0 && { passedOver: passedOver.map(({ field: _field, ...one }) => one) }),
    ...(retirement && { successor: successorOf(retirement) }),
    ...judged.told,
    policy,
    createdAt: now,
    deadlineAt: now + policy.timeout.totalMs,
  };
  return { ok: true, plan };
}

function successorOf({ name, successor, retiredOn }: Retirement): NonNullable<Plan['successor']> {
  return { of: name, target: successor, retiredOn };
}

/** A target that cannot serve, with the field that is at fault. */
type Passed = PassedOver & { readonly field: string };

interface PlanningSet extends PolicySettings {
  readonly seed: number | undefined;
}

function planTargets(ids: readonly string[], asked: Asked, catalogue: Catalogue, set: PlanningSet) {
  const targets: PlannedTarget[] = [];
  const passedOver: Passed[] = [];
  for (const [index, id] of ids.entries()) {
    const at = targets.length;
    const found = catalogueTarget(id, catalogue);
    if (found === undefined) {
      passedOver.push({ target: id, ...notFound(id, catalogue), at, field: 'model' });
      continue;
    }
    const { strict = false, firstByteTimeoutMs, stallTimeoutMs, seed, negativePrompt } = set;
    const times = { firstByteTimeoutMs, stallTimeoutMs };
    const laxer = set.refusals?.rungs.includes('laxer_setting') ?? false;
    const options = { isFirst: index === 0, strict, ...times, seed, negativePrompt, laxer };
    const planned = planTarget(found, asked, options);
    if ('id' in planned) targets.push(withCredentialOf(asked.request.source, planned));
    else passedOver.push({ target: found.id, kind: 'capability', at, ...planned });
  }
  return { targets, passedOver };
}

function notFound(id: string, { connections }: Catalogue): Pick<PassedOver, 'reason' | 'kind'> {
  const named = connections.find((one) => one.id === splitTarget(id).provider);
  if (named && named.provider.image === undefined) return { kind: 'capability', reason: drawsNothing(named.id) };
  return { kind: 'not_found', reason: 'model: no provider here answers to it' };
}

/** A key that is not configured any more is no reason to refuse: the provider may know the job by another. */
function withCredentialOf(source: ImageRequest['source'], target: PlannedTarget): PlannedTarget {
  const { credential = '' } = source ?? {};
  return target.credentials?.includes(credential) ? { ...target, credentials: [credential] } : target;
}

/** A target by any of its spellings. */
function catalogueTarget(id: string, catalogue: Catalogue): FoundTarget | undefined {
  const full = findTarget(id, catalogue) ?? id;
  const connection = catalogue.connections.find((one) => one.id === splitTarget(full).provider);
  const model = connection?.provider.model(splitTarget(full).model);
  return connection && model && { id: full, connection, model: { ...model, id: splitTarget(full).model } };
}

/** Strict allows no other words and no other settings than those of the request. */
function ladderOf({ refusals, strict }: PolicySettings): Pick<Policy, 'refusals'> {
  if (refusals === undefined) return {};
  const rungs = refusals.rungs.filter((rung) => !strict || rung === 'same_again' || rung === 'next_target');
  return { refusals: { ...refusals, rungs } };
}

function policyOf(set: PolicySettings): Policy {
  const payment = set.payment ?? 'standard';
  return {
    payment,
    maxPaidAttempts: allowedPaidAttempts(payment, set.maxPaidAttempts),
    fallback: set.fallback ?? true,
    ...ladderOf(set),
    ...(set.suspect && { suspect: set.suspect }),
    ...(set.outputMismatch && { outputMismatch: set.outputMismatch }),
    retry: RETRY_POLICY,
    timeout: {
      connectMs: set.connectTimeoutMs ?? TIMEOUTS.connectMs,
      idleMs: set.idleTimeoutMs ?? TIMEOUTS.idleMs,
      totalMs: set.totalTimeoutMs ?? TIMEOUTS.totalMs,
      harvestMs: set.harvestMs ?? TIMEOUTS.harvestMs,
    },
  };
}

/**
 * The child plans of a request for more pictures than one call makes, each with its own journal and payment bound;
 * the plan itself when one call does. Every target of the plan can serve every child.
 */
export function splitPlan(plan: Plan): readonly Plan[] {
  const shares = pictureShares(plan);
  if (shares.length === 1) return [plan];
  return shares.map((share, index) => {
    const request = childRequest(plan.request, share, index);
    return { ...plan, request, targets: plan.targets.map((target) => childTarget(target, plan, share, index)) };
  });
}

/** Equal seeds would make equal pictures. */
function childRequest(
  request: ImageRequest,
  n: number,
  index: number,
  maxSeed = Number.MAX_SAFE_INTEGER,
): ImageRequest {
  const { seed } = request;
  const own = seed === undefined ? undefined : seed + index > maxSeed ? seed + index - maxSeed - 1 : seed + index;
  return { ...request, n, ...(own !== undefined && { seed: own }) };
}

/** Its own request, or where the seed of the child goes beyond those it takes. */
function childTarget(target: PlannedTarget, { request }: Plan, n: number, index: number): PlannedTarget {
  const { maxSeed } = target;
  const isBeyond = maxSeed !== undefined && (request.seed ?? 0) + index > maxSeed;
  if (target.request === undefined && !isBeyond) return target;
  return { ...target, request: childRequest(target.request ?? request, n, index, maxSeed) };
}

/** The credentials an attempt at this target may go with; undefined when the catalogue has no such target (any more). */
export function keysOf(target: string, catalogue: Catalogue): readonly string[] | undefined {
  const { provider } = splitTarget(target);
  const connection = catalogue.connections.find((one) => one.id === provider);
  if (connection === undefined) return undefined;
  return poolOf(connection) ?? [connection.provider.credentialPerModel ? target : provider];
}

/** What is allowed at a target: configured for it, or for all of its provider's models, else what its model is known for. */
export function limitsOf(
  target: string,
  configured: Readonly<Record<string, Limits>>,
  catalogue: Catalogue,
): Limits | undefined {
  const own = Object.hasOwn(configured, target) ? configured[target] : undefined;
  const all = `${splitTarget(target).provider}/*`;
  const told = own ?? (Object.hasOwn(configured, all) ? configured[all] : undefined);
  return told ?? modelOf(target, catalogue)?.limits ?? chatModelOf(target, catalogue)?.limits;
}

function noDefault(): Failure {
  const message = 'model: none was given and no default_model is configured; send one of GET /v1/models';
  return { kind: 'invalid', certainty: 'not_sent', message, param: 'model', code: 'missing_required_parameter' };
}

function unfit({ reason, field }: Pick<Passed, 'reason' | 'field'>): Failure {
  return { kind: 'capability', certainty: 'not_sent', message: reason, param: field, code: 'capability_missing' };
}

function tellRetired(failure: Failure, { name, retiredOn, successor }: Retirement): Failure {
  const { message } = failure;
  return { ...failure, message: `${message}; ${name} was retired on ${retiredOn}, and ${successor} serves instead` };
}

const MAX_REASON_CHARS = 300;

/** Every target of the route was passed over: with the reason of each, and the field where there is but one. */
function nobodyCan(name: string, passedOver: readonly Passed[], catalogue: Catalogue): Failure {
  const [first, ...others] = passedOver;
  if (first === undefined || passedOver.every(({ kind }) => kind === 'not_found')) {
    return unknownModel(first?.target ?? name, catalogue);
  }
  if (others.length === 0) return unfit({ ...first, reason: `${first.reason} (${first.target})` });
  const reasons = passedOver.map(({ target, reason }) => `${target}: ${reason.slice(0, MAX_REASON_CHARS)}`).join('; ');
  return unfit({
    reason: `model: no target of "${name.slice(0, 200)}" can serve this request (${reasons})`,
    field: 'model',
  });
}

function strictAboutRetired({ name, retiredOn, successor }: Retirement): Failure {
  const reason = `model: ${name} was retired on ${retiredOn}, and strict allows no other to serve; ask for ${successor}`;
  return unfit({ reason, field: 'model' });
}
