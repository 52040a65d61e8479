import type { Io, JsonObject } from '@onetake/core';
import type { Logger } from 'pino';
import type { Store, WebhookDelivery } from '../store/store.ts';
import { post } from './post.ts';
import type { SecretOf } from './secrets.ts';
import { judge, type Verdict, type WebhookSchedule } from './verdict.ts';

export interface DeliveryDeps {
  readonly store: Pick<Store, 'listWebhooks'>;
  readonly io: Io;
  /** The task object of a generation as it is now; undefined when there is no such generation any more. */
  readonly payload: (generation: string) => Promise<JsonObject | undefined>;
  readonly secretOf: SecretOf;
  /** Addresses of loopback and of private networks are connected to as well. */
  readonly allowPrivate: boolean;
  readonly log: Pick<Logger, 'warn' | 'error'>;
}

export interface DeliveryRules {
  readonly schedule: WebhookSchedule;
  /** For one exchange, from connecting to the answer. */
  readonly timeoutMs: number;
  /** A number in [0, 1) for the jitter. */
  readonly random: () => number;
}

const SUPERSEDED = 'superseded by a newer event';

/** One try, from reading the task to the verdict; rejects only when the store does. */
export async function deliverOnce(
  delivery: WebhookDelivery,
  deps: DeliveryDeps,
  { schedule, timeoutMs, random }: DeliveryRules,
): Promise<Verdict> {
  const { io, store, allowPrivate } = deps;
  const giveUp = (reason: string): Verdict => ({ result: { state: 'given-up', at: io.now(), reason }, gone: false });
  if (delivery.tries > 0 && (await isSuperseded(delivery, store))) return giveUp(SUPERSEDED);
  const message = await buildMessage(delivery, deps);
  if (message === 'gone') return giveUp('the generation is no longer kept');
  const reach = allowPrivate ? 'configured' : 'public';
  const tried = message.ok
    ? await post(message, { io, url: delivery.url, reach, timeoutMs })
    : ({ kind: 'unanswered', reason: 'the gateway could not read the task', hopeless: false } as const);
  const verdict = judge(delivery, tried, io.now(), random(), schedule);
  if (verdict.result.state === 'waiting' && (await isSuperseded(delivery, store))) return giveUp(SUPERSEDED);
  return verdict;
}

async function buildMessage(delivery: WebhookDelivery, { payload, secretOf, log }: DeliveryDeps) {
  const { id, type, at, generation, caller } = delivery;
  try {
    const [data, secret] = await Promise.all([payload(generation), secretOf(caller)]);
    if (data === undefined) return 'gone';
    return { ok: true, id, secret, body: { type, timestamp: new Date(at).toISOString(), data } } as const;
  } catch (err) {
    log.error({ err, webhook: id, generation }, 'a webhook could not be built; it is tried again');
    return { ok: false } as const;
  }
}

/** Progress that is no longer the latest word tells nobody anything. */
async function isSuperseded(
  { id, type, at, generation }: WebhookDelivery,
  store: DeliveryDeps['store'],
): Promise<boolean> {
  if (type !== 'task.progress') return false;
  const [newest] = await store.listWebhooks({ generation, limit: 1 });
  return newest !== undefined && newest.id !== id && newest.at >= at;
}
