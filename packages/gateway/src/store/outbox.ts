/** The outbox of webhooks: what is to be delivered, to whom, and what became of it. */
export interface Webhooks {
  /**
   * Puts one more event in the outbox of a generation that has a webhook, besides the final one that `append` writes. It
   * is due at its `at`. Nothing happens where there is no webhook, or where this event is in the outbox already; when
   * the address is disabled, it is given up at once. Whether the webhook wants its type is for the writer to see.
   */
  notify(generation: string, event: WebhookEvent): Promise<void>;
  /**
   * Takes deliveries that are due, those due longest first, so that no other node tries them until `until`; `limit` is
   * 1 to 1000.
   */
  dueWebhooks(now: number, until: number, limit: number): Promise<readonly WebhookDelivery[]>;
  /**
   * Says how a try ended: delivered, or when to try again, or given up. What was given up meanwhile is not tried again,
   * and what was delivered stays so.
   */
  settleWebhook(id: string, result: WebhookResult): Promise<void>;
  /** The latest written first. */
  listWebhooks(filter: WebhookFilter): Promise<readonly WebhookRow[]>;
  /**
   * Makes the deliveries that `listWebhooks` would list due again at `at`, tries counted from nothing, delivered ones
   * too; resolves with how many. Their addresses are not disabled any more.
   */
  redeliver(filter: WebhookFilter, at: number): Promise<number>;
  /**
   * Deliveries of this caller to this address are given up, those to come too, until `redeliver`, a new address, or
   * `expire` past this instant; the reason they then tell is `DISABLED_REASON`.
   */
  disableEndpoint(caller: string, url: string, at: number): Promise<void>;
}

export const DISABLED_REASON = 'the address is disabled; delivering again enables it';

/** Where the events of one generation go. */
export interface Webhook {
  readonly url: string;
  /** Event types to send, such as `task.completed`. */
  readonly events: readonly string[];
}

export interface WebhookEvent {
  /** Unique; the receiver's means to know a repeat. */
  readonly id: string;
  readonly type: string;
  /** Epoch ms. */
  readonly at: number;
}

/** One delivery to make: the generation is read when it is sent, so that nothing of it is stored twice. */
export interface WebhookDelivery extends WebhookEvent {
  readonly generation: string;
  readonly caller: string;
  readonly url: string;
  /** Tries that ended so far. */
  readonly tries: number;
}

export type WebhookResult =
  | { readonly state: 'delivered'; readonly at: number; readonly status: number }
  | { readonly state: 'waiting'; readonly at: number; readonly retryAt: number; readonly reason: string }
  | { readonly state: 'given-up'; readonly at: number; readonly reason: string };

export interface WebhookRow extends WebhookDelivery {
  readonly state: 'waiting' | 'delivered' | 'given-up';
  /** While it waits: when it is due, or when it may be taken from whoever tries it now. */
  readonly retryAt?: number;
  /** When it was delivered or given up. */
  readonly settledAt?: number;
  /** The HTTP status that accepted it. */
  readonly status?: number;
  /** Why the last try failed, or why it was given up. */
  readonly reason?: string;
}

export interface WebhookFilter {
  readonly caller?: string;
  readonly generation?: string;
  readonly id?: string;
  readonly state?: WebhookRow['state'];
  /** 1 to 1000. */
  readonly limit: number;
}
