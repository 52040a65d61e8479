import { contextOf } from './conversation.ts';
import { type Connection, connectionAt, type RunEnvironment } from './environment.ts';
import type { HttpRequest } from './http.ts';
import { type Event, foldRun } from './journal.ts';
import { messageOf } from './message-of.ts';
import type { Plan, PlannedTarget } from './plan.ts';
import { targetInForce } from './policy/refusal-steps.ts';
import type { Provider } from './providers/provider.ts';
import type { ImageRequest } from './request.ts';
import { fieldsFor } from './request-for.ts';

/** One attempt of one run, and how its provider is reached now. */
export interface UpstreamAsked {
  readonly runId: string;
  /** The run's own, as `splitPlan` gives it. */
  readonly plan: Plan;
  /** The run's journal. */
  readonly events: readonly Event[];
  /** From 1. */
  readonly attempt: number;
  readonly connection: RunEnvironment['connection'];
  readonly assetsUrl?: NonNullable<RunEnvironment['assetsUrl']>;
  readonly webhookUrl?: NonNullable<RunEnvironment['webhookUrl']>;
}

/** Where the key of a request belongs: a header that is `prefix` and then the key, as it is or in base64. */
export interface KeyPlace {
  readonly header: string;
  readonly prefix: string;
  readonly form: 'plain' | 'base64';
}

export type UpstreamRequest =
  | {
      readonly ok: true;
      /** `provider/model`. */
      readonly target: string;
      /** Names the key or the host it went with. */
      readonly credential: string;
      /** Without the header of the key. */
      readonly request: HttpRequest;
      /** Absent where it goes without a key. */
      readonly key?: KeyPlace;
      /** Texts in it that stand for names which only the answers to its uploads told; usually none. */
      readonly standIns: readonly string[];
    }
  | { readonly ok: false; readonly reason: string };

/**
 * The request of an attempt as its provider got it, built once more from plan and journal by the code that sends it:
 * of several requests the paid one. The key is never in it. `ok: false` where that cannot be told (any more), with why.
 */
export function upstreamRequest(asked: UpstreamAsked): UpstreamRequest {
  const { plan, attempt, runId } = asked;
  const at = asked.events.findIndex((event) => event.type === 'attempt-started' && event.attempt === attempt);
  const started = asked.events[at];
  if (started?.type !== 'attempt-started') return { ok: false, reason: `there was no attempt ${attempt} in this run` };
  const planned = plan.targets.find(({ id }) => id === started.target);
  const configured = planned && asked.connection(planned.provider);
  const { credential = planned?.credential ?? '' } = started;
  const connection = configured && connectionAt(configured, credential);
  if (planned === undefined || connection?.provider.image === undefined)
    return { ok: false, reason: `the configuration has no ${credential || started.target} any more` };
  const target = targetInForce(plan, foldRun(asked.events.slice(0, at + 1)), planned);
  const wanted = wantedOf(asked, target);
  if (wanted === undefined) return { ok: false, reason: 'its mask was not put into the terms of the model' };
  const { submit } = connection.provider.image;
  const context = contextOf({ runId, attempt, target, credential, environment: asked }, connection);
  try {
    const built = submit.build(wanted, context);
    const paid = built.free ? submit.paid?.(wanted, context) : { request: built, standIns: [] };
    if (paid === undefined) return { ok: false, reason: 'uploads went before it whose answers it was made of' };
    return { ok: true, target: target.id, credential, ...paid, ...withKeyPlace(paid.request, connection, credential) };
  } catch (error) {
    return { ok: false, reason: `it could not be put into this provider's terms: ${messageOf(error)}` };
  }
}

/** With the mask that the attempt was sent; undefined where it should have been converted and was not. */
function wantedOf({ plan, events, attempt }: UpstreamAsked, target: PlannedTarget): ImageRequest | undefined {
  const request = fieldsFor(plan, target);
  const { maskPolarity: mark = 'alpha' } = target;
  if (request.mask === undefined || mark === 'alpha') return request;
  const converted = events.find((event) => event.type === 'mask-converted' && event.attempt === attempt);
  return converted?.type === 'mask-converted' ? { ...request, mask: converted.asset } : undefined;
}

/** Finds the place by putting a word there that nobody's key is; of the key itself only its shape is looked at. */
function withKeyPlace(
  request: HttpRequest,
  { provider, secret, pool }: Pick<Connection, 'provider' | 'secret' | 'pool'>,
  id: string,
): { readonly request: HttpRequest; readonly key?: KeyPlace } {
  const own = pool?.[id] ?? secret;
  if (own === '') return { request };
  const word = own.includes(':') ? 'onetake-stand-in:for-the-key' : 'onetake-stand-in-for-the-key';
  const authorized = provider.authorize(request, { id, secret: word });
  const key = keyPlaceIn(authorized.headers, word);
  if (key === undefined) return { request };
  const headers = Object.entries(authorized.headers).filter(([name]) => name !== key.header);
  return { request: { ...authorized, headers: Object.fromEntries(headers) }, key };
}

function keyPlaceIn(headers: Parameters<Provider['authorize']>[0]['headers'], word: string): KeyPlace | undefined {
  const encoded = Buffer.from(word, 'utf8').toString('base64');
  for (const [header, value] of Object.entries(headers)) {
    if (value.endsWith(word)) return { header, prefix: value.slice(0, -word.length), form: 'plain' };
    if (value.endsWith(encoded)) return { header, prefix: value.slice(0, -encoded.length), form: 'base64' };
  }
  return undefined;
}
