import { imageModelReason, isImageModel } from '../chat-models.ts';
import type { Connection } from '../environment.ts';
import type { Failure } from '../failure.ts';
import { type Catalogue, type PolicySettings, splitTarget } from '../model-names.ts';
import type { PassedOver, PlannedTarget, Policy } from '../plan.ts';
import { reachOf } from '../plan-target.ts';
import { allowedPaidAttempts } from '../policy/budget.ts';
import { RETRY_POLICY } from '../policy/retry.ts';
import type { Price } from '../price.ts';
import type { ChatModel } from '../providers/provider.ts';
import type { ChatPlan, ChatRequest } from './chat.ts';
import { chatModelOf, knownModel, resolveChat, unknownChatModel } from './chat-names.ts';
import type { ChatEndpoint } from './endpoints.ts';
import { isReasoningModel } from './reasoning-models.ts';
import { CHAT_TIMEOUTS } from './timeouts.ts';

export type PlannedChat =
  | { readonly ok: true; readonly plan: ChatPlan }
  | { readonly ok: false; readonly failure: Failure };

/** Attempts the provider may bill: tokens are cheap to send again, and what is lost was not seen by anybody. */
const MAX_PAID_ATTEMPTS = 5;

/**
 * No total clock bounds chat unless it is asked for, so what failed attempts may cost its caller is bounded here: two
 * clocks of a first token (60 s each), or one of the longer ones. See `isTooMuchLost`.
 */
const MAX_LOST_MS = 150_000;
/** How long one wait may be, and a queue; longer ones are told to the caller. Not for a total clock that was asked for. */
const PATIENCE = { maxWaitMs: 60_000, maxQueueMs: 600_000 };

/**
 * Fixes what a request of chat will be held to; `now` in epoch ms. Fails, before anything is sent, for a name nobody
 * answers to and for models that only make pictures. Settings about pictures are not read.
 */
export function planChat(
  request: ChatRequest,
  name: string | undefined,
  catalogue: Catalogue,
  settings: PolicySettings,
  now: number,
): PlannedChat {
  const asked = name || (request.endpoint === 'embeddings' ? undefined : catalogue.defaultChatModel);
  if (asked === undefined) return { ok: false, failure: noDefault(request.endpoint) };
  const found = resolveChat(asked, catalogue);
  if ('kind' in found) return { ok: false, failure: found };
  const set = { ...found.policy, ...settings };
  const ids = found.targets.slice(0, set.fallback === false ? 1 : undefined);
  const wanted: Wanted = { request, name: asked, firstByteTimeoutMs: set.firstByteTimeoutMs };
  const { targets, passedOver } = planTargets(ids, wanted, catalogue);
  if (targets.length === 0) return { ok: false, failure: nobodyCan(asked, passedOver, catalogue) };
  const reasons = ({ id, model }: PlannedTarget) => thinks(wanted, model, chatModelOf(id, catalogue));
  const policy = policyOf(set, targets.some(reasons));
  return {
    ok: true,
    plan: {
      route: asked,
      targets,
      ...(passedOver.length > 0 && { passedOver }),
      policy,
      createdAt: now,
      deadlineAt: now + policy.timeout.totalMs,
      chat: request,
    },
  };
}

/** What is asked of each target. */
interface Wanted {
  readonly request: ChatRequest;
  /** As it was asked for: a target's, or a route's, which many call after a model. */
  readonly name: string;
  readonly firstByteTimeoutMs: number | undefined;
}

function planTargets(ids: readonly string[], wanted: Wanted, catalogue: Catalogue) {
  const targets: PlannedTarget[] = [];
  const passedOver: PassedOver[] = [];
  for (const id of ids) {
    const planned = planTarget(id, wanted, catalogue);
    if ('reason' in planned) passedOver.push({ target: id, at: targets.length, ...planned });
    else targets.push(planned);
  }
  const [own, ...others] = targets;
  if (wanted.firstByteTimeoutMs === undefined && own?.free && others.length === 0) targets[0] = unhurried(own);
  return { targets, passedOver };
}

/** A machine of one's own may first have to load the model, and nobody else could answer sooner. */
function unhurried(target: PlannedTarget): PlannedTarget {
  return { ...target, firstByteMs: Math.max(target.firstByteMs, CHAT_TIMEOUTS.reasoningFirstTokenMs) };
}

type Unfit = Pick<PassedOver, 'kind' | 'reason'>;

function planTarget(id: string, wanted: Wanted, { connections }: Catalogue): PlannedTarget | Unfit {
  const { request, firstByteTimeoutMs } = wanted;
  const { provider, model } = splitTarget(id);
  const connection = connections.find((one) => one.id === provider);
  if (connection === undefined || model === '')
    return { kind: 'not_found', reason: 'model: no provider here answers to it' };
  const known = knownModel(connection, model);
  const reason = unfitFor(request.endpoint, connection, model, known);
  if (reason !== undefined) return { kind: 'capability', reason };
  const reach = reachOf(id, connection, model);
  const price = known?.price ?? connection.provider.chat?.price ?? (reach.free && FREE);
  return {
    ...reach,
    streams: true,
    maxImagesPerCall: 1,
    firstByteMs: firstByteTimeoutMs ?? firstByteMs(request, thinks(wanted, model, known)),
    ...(price && { price }),
  };
}

const FREE: Price = { perMillionTokensUsd: { textInput: 0, imageInput: 0, output: 0 } };

/** Why a target has no answer to this; undefined where it may have one. */
function unfitFor(
  endpoint: ChatEndpoint,
  { id, provider, baseUrl }: Connection,
  model: string,
  known: ChatModel | undefined,
): string | undefined {
  if (provider.chat === undefined) return `model: ${id} makes pictures and has no chat`;
  if (known && !known.endpoints.includes(endpoint))
    return `model: ${model} is not for /v1/${endpoint}, but for /v1/${known.endpoints.join(' and /v1/')}`;
  if (known === undefined && (isImageModel(model) || provider.models.some((one) => one.id === model)))
    return imageModelReason(model);
  if (provider.chat.url(endpoint, { baseUrl, model }) !== undefined) return undefined;
  const other = endpoint === 'responses' ? '; send it to /v1/chat/completions' : '';
  return `model: ${id} has no /v1/${endpoint}${other}`;
}

/** Whether its first token takes long: the request says so or not, or what is known of the model, or else a name. */
function thinks({ request, name }: Wanted, model: string, known: ChatModel | undefined): boolean {
  return request.reasoning ?? known?.reasoning ?? (isReasoningModel(model) || isReasoningModel(name));
}

function firstByteMs({ endpoint, stream }: ChatRequest, isSlow: boolean): number {
  if (endpoint === 'embeddings') return CHAT_TIMEOUTS.embeddingsFirstByteMs;
  if (!stream) return CHAT_TIMEOUTS.firstByteMs;
  return isSlow ? CHAT_TIMEOUTS.reasoningFirstTokenMs : CHAT_TIMEOUTS.firstTokenMs;
}

function policyOf(set: PolicySettings, reasons: boolean): Policy {
  const payment = set.payment ?? 'available';
  return {
    payment,
    maxPaidAttempts: allowedPaidAttempts(payment, set.maxPaidAttempts ?? MAX_PAID_ATTEMPTS),
    fallback: set.fallback ?? true,
    retry: {
      ...RETRY_POLICY,
      maxPaidAttemptsBeforeFallback: 1,
      maxLostMs: MAX_LOST_MS,
      // A total clock that was asked for says how long its caller waits.
      ...(set.totalTimeoutMs === undefined && PATIENCE),
    },
    timeout: {
      connectMs: set.connectTimeoutMs ?? CHAT_TIMEOUTS.connectMs,
      idleMs: set.idleTimeoutMs ?? (reasons ? CHAT_TIMEOUTS.reasoningIdleMs : CHAT_TIMEOUTS.idleMs),
      totalMs: set.totalTimeoutMs ?? CHAT_TIMEOUTS.totalMs,
      harvestMs: 0,
    },
  };
}

function noDefault(endpoint: ChatEndpoint): Failure {
  const message =
    endpoint === 'embeddings'
      ? 'model: none was given, and embeddings of another model could not be compared; send one of GET /v1/models'
      : 'model: none was given and no default_chat_model is configured; send one of GET /v1/models';
  return { kind: 'invalid', certainty: 'not_sent', message, param: 'model', code: 'missing_required_parameter' };
}

const MAX_REASON_CHARS = 300;

/** Every target was passed over: with the reason of each. */
function nobodyCan(name: string, passedOver: readonly PassedOver[], catalogue: Catalogue): Failure {
  const [first, ...others] = passedOver;
  if (first === undefined || passedOver.every(({ kind }) => kind === 'not_found'))
    return unknownChatModel(first?.target ?? name, catalogue);
  const reasons = passedOver.map(({ target, reason }) => `${target}: ${reason.slice(0, MAX_REASON_CHARS)}`).join('; ');
  const message =
    others.length === 0
      ? `${first.reason} (${first.target})`
      : `model: no target of "${name.slice(0, 200)}" can serve this request (${reasons})`;
  return { kind: 'capability', certainty: 'not_sent', message, param: 'model', code: 'capability_missing' };
}
