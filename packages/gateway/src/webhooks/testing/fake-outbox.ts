import { DISABLED_REASON, type Webhooks } from '../../store/outbox.ts';
import type { Change, Webhook, WebhookDelivery, WebhookFilter, WebhookRow } from '../../store/store.ts';

interface Entry {
  row: WebhookRow;
  dueAt: number;
}

/** An outbox in memory that keeps the store's contract. */
export interface FakeOutbox extends Webhooks {
  onChange(listener: (change: Change) => void): () => void;
  /** Gives a generation its webhook; `notify` needs one. */
  register(generation: string, webhook: Webhook, caller?: string): void;
  row(id: string): WebhookRow | undefined;
  /** Resolves once the rows satisfy `check`. */
  until(check: (rows: readonly WebhookRow[]) => boolean): Promise<readonly WebhookRow[]>;
}

interface State {
  readonly entries: Map<string, Entry>;
  readonly webhooks: Map<string, { readonly webhook: Webhook; readonly caller: string }>;
  /** Caller and address. */
  readonly disabled: Set<string>;
  readonly due: Set<(change: Change) => void>;
  readonly settled: Set<() => void>;
}

export function createFakeOutbox(): FakeOutbox {
  const state: State = {
    entries: new Map(),
    webhooks: new Map(),
    disabled: new Set(),
    due: new Set(),
    settled: new Set(),
  };
  const { entries, webhooks, due, settled } = state;
  return {
    ...writing(state),
    ...operating(state),
    register: (generation, webhook, caller = 'local') => webhooks.set(generation, { webhook, caller }),
    row: (id) => entries.get(id)?.row,
    until: (holds) =>
      new Promise((resolve) => {
        const look = () => {
          const rows = [...entries.values()].map(({ row }) => row);
          if (!holds(rows)) return;
          settled.delete(look);
          resolve(rows);
        };
        settled.add(look);
        look();
      }),
    onChange(listener) {
      due.add(listener);
      return () => due.delete(listener);
    },
  };
}

/** What the gateway's work writes. */
function writing(state: State): Pick<Webhooks, 'notify' | 'dueWebhooks' | 'settleWebhook'> {
  const { entries, webhooks, disabled } = state;
  return {
    async notify(generation, event) {
      const known = webhooks.get(generation);
      if (known === undefined || entries.has(event.id)) return;
      const { webhook, caller } = known;
      const delivery = { ...event, generation, caller, url: webhook.url, tries: 0 };
      const row: WebhookRow = disabled.has(addressOf(delivery))
        ? { ...delivery, state: 'given-up', settledAt: event.at, reason: DISABLED_REASON }
        : { ...delivery, state: 'waiting', retryAt: event.at };
      entries.set(event.id, { row, dueAt: event.at });
      becameDue(state);
    },
    async dueWebhooks(now, until, limit) {
      const due = [...entries.values()]
        .filter(({ row, dueAt }) => row.state === 'waiting' && dueAt <= now)
        .sort((one, other) => one.dueAt - other.dueAt)
        .slice(0, limit);
      for (const entry of due) entry.dueAt = until;
      return due.map(({ row }) => deliveryOf(row));
    },
    async settleWebhook(id, result) {
      const entry = entries.get(id);
      if (entry === undefined || (entry.row.state !== 'waiting' && result.state !== 'delivered')) return;
      const { at, ...told } = result;
      const delivery = deliveryOf(entry.row);
      const ended = result.state === 'waiting' ? {} : { settledAt: at };
      entry.row = { ...delivery, tries: delivery.tries + 1, ...ended, ...told };
      if (result.state === 'waiting') entry.dueAt = result.retryAt;
      looked(state);
    },
  };
}

/** What people and receivers ask for. */
function operating(state: State): Pick<Webhooks, 'listWebhooks' | 'redeliver' | 'disableEndpoint'> {
  const { entries, disabled } = state;
  const found = ({ caller, generation, id, state: wanted, limit }: WebhookFilter) =>
    [...entries.values()]
      .filter(({ row }) => caller === undefined || row.caller === caller)
      .filter(({ row }) => generation === undefined || row.generation === generation)
      .filter(({ row }) => (id === undefined || row.id === id) && (wanted === undefined || row.state === wanted))
      .toReversed()
      .slice(0, limit);
  return {
    listWebhooks: async (filter) => found(filter).map(({ row }) => row),
    async redeliver(filter, at) {
      const matched = found(filter);
      for (const entry of matched) {
        const delivery = deliveryOf(entry.row);
        disabled.delete(addressOf(delivery));
        entry.row = { ...delivery, tries: 0, state: 'waiting', retryAt: at };
        entry.dueAt = at;
      }
      if (matched.length > 0) becameDue(state);
      return matched.length;
    },
    async disableEndpoint(caller, url, at) {
      disabled.add(addressOf({ caller, url }));
      for (const entry of entries.values()) {
        const { row } = entry;
        if (row.state !== 'waiting' || row.caller !== caller || row.url !== url) continue;
        entry.row = { ...deliveryOf(row), state: 'given-up', settledAt: at, reason: DISABLED_REASON };
      }
      looked(state);
    },
  };
}

function addressOf({ caller, url }: Pick<WebhookRow, 'caller' | 'url'>): string {
  return `${caller} ${url}`;
}

function deliveryOf({ id, type, at, generation, caller, url, tries }: WebhookRow): WebhookDelivery {
  return { id, type, at, generation, caller, url, tries };
}

function becameDue({ due }: State): void {
  for (const listener of due) listener({ kind: 'webhook' });
}

function looked({ settled }: State): void {
  for (const look of settled) look();
}
