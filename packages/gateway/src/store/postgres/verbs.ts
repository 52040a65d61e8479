import type { SmallPictures } from '../../assets/small-pictures.ts';
import { ledgerColumns } from '../ledger-row.ts';
import { makesChat, promptOf } from '../plan-kind.ts';
import { searchText } from '../search-text.ts';
import type { Cell, Store, UndeliveredRow, WebhookRow } from '../store.ts';
import { LostRunError } from '../store.ts';
import { append } from './append.ts';
import { browsingVerbs } from './browsing.ts';
import { cacheVerbs } from './cache-verbs.ts';
import { create } from './create.ts';
import type { Lane } from './lane.ts';
import { claim, claimWaiting, renew, requestCancel, take } from './leases.ts';
import { ledgerVerbs } from './ledger-verbs.ts';
import { claimLost, markDelivered, markLost } from './lost.ts';
import { disableEndpoint, dueWebhooks, notify, redeliver, settleWebhook, webhooksSql } from './outbox.ts';
import * as reads from './reads.ts';
import { expire } from './retention.ts';
import { generationRow, present, storedGeneration } from './rows.ts';
import { putPicture, removePicture, swapCell } from './state.ts';
import type { Columns } from './verb.ts';

export type Verbs = Omit<Store, 'ownership' | 'onChange' | 'close'>;

/** What the verbs are done with. */
export interface Lanes {
  readonly generations: Lane;
  /** Cells know nothing of generations, and nodes that swap the same one should not wait for each other's generations. */
  readonly cells: Lane;
  readonly reader: reads.Reader;
}

const nothing = () => {};
const same = <Result>(result: Result) => result;

export function createVerbs(lanes: Lanes): Verbs {
  return {
    ...journalVerbs(lanes),
    ...listVerbs(lanes),
    ...leaseVerbs(lanes),
    ...queueVerbs(lanes),
    ...webhookVerbs(lanes),
    ...cellVerbs(lanes),
    ...cacheVerbs(lanes, (limit) => checkCount('limit', limit, 1_000)),
    ...ledgerVerbs(lanes, checkCount),
    ...browsingVerbs(lanes, (limit) => checkCount('limit', limit, 1_000)),
  };
}

function journalVerbs({ generations, reader }: Lanes): Pick<Verbs, 'create' | 'append' | 'read' | 'findIdempotent'> {
  return {
    create: ({ plan, webhook, ...generation }) => {
      const { route } = plan;
      const prompt = promptOf(plan);
      const texts = { plan: JSON.stringify(plan), prompt: JSON.stringify(prompt), searched: searchText(prompt) };
      const chat = makesChat({ plan }) && ({ chat: true } as const);
      const args = { ...generation, ...texts, ...chat, route, ...(webhook && { webhook: JSON.stringify(webhook) }) };
      return generations.submit(create, args, same);
    },
    append: (fence, events, summary) => {
      if (events.length === 0) return Promise.reject(new RangeError('events: append takes one or more'));
      const lines = ledgerColumns(summary?.lines ?? []);
      const args = { ...fence, events: events.map((event) => JSON.stringify(event)), summary, lines };
      return generations.submit(append, args, (appended) => {
        if (!appended) throw new LostRunError(fence.generation, fence.run);
      });
    },
    read: async (id) => {
      const [row] = await reader.readBehind(generations, reads.READ, [id]);
      return row && storedGeneration(row);
    },
    findIdempotent: async (scope, now) => {
      const values = reads.idempotencyValues(scope, now);
      const [row] = await reader.readBehind(generations, reads.FIND_IDEMPOTENT, values);
      return row && { id: String(row.id), fingerprint: String(row.fingerprint) };
    },
  };
}

function listVerbs({
  generations,
  reader,
}: Lanes): Pick<Verbs, 'list' | 'undelivered' | 'markDelivered' | 'markLost' | 'claimLost' | 'expire' | 'storedBytes'> {
  return {
    list: async (filter) => {
      checkCount('limit', filter.limit, 1_000);
      const { text, values } = reads.listSql(filter);
      return (await reader.readBehind(generations, { text }, values)).map(generationRow);
    },
    undelivered: async (since, limit) => {
      checkCount('limit', limit, 100_000);
      const rows = await reader.readBehind(generations, reads.UNDELIVERED, [since, limit]);
      return rows.map((row) => present<UndeliveredRow>(row));
    },
    markDelivered: (ids, at) => generations.submit(markDelivered, { ids, at }, nothing),
    markLost: (ids, at) => generations.submit(markLost, [ids, at], nothing),
    claimLost: (wanted) => generations.submit(claimLost, wanted, same),
    expire: async (bounds) => {
      checkCount('limit', bounds.limit, 1_000);
      return generations.submit(expire, bounds, same);
    },
    storedBytes: async () => {
      const [row] = await reader.readBehind(generations, reads.STORED_BYTES, []);
      return Number(row?.bytes);
    },
  };
}

function leaseVerbs({ generations }: Lanes): Pick<Verbs, 'claim' | 'renew' | 'requestCancel'> {
  return {
    claim: async (worker, now, until, limit) => {
      checkCount('limit', limit, 1_000);
      return generations.submit(claim, [worker, now, until, limit], (rows) => rows.map(storedGeneration));
    },
    renew: (worker, ids, until) => generations.submit(renew, [worker, ids, until], same),
    requestCancel: (id, at) => generations.submit(requestCancel, [id, at], same),
  };
}

function queueVerbs({ generations, reader }: Lanes): Pick<Verbs, 'claimWaiting' | 'take' | 'queues' | 'place'> {
  return {
    claimWaiting: async (wanted, lease) => {
      checkCount('most', wanted.most, 1_000);
      return generations.submit(claimWaiting, [wanted, lease], ({ claimed, next }) => ({
        claimed: claimed.map(storedGeneration),
        next,
      }));
    },
    take: (id, lease) => generations.submit(take, [id, lease], (row) => row && storedGeneration(row)),
    queues: async () => reads.queueStates(await reader.readBehind(generations, reads.QUEUES, [])),
    place: async (id) => {
      const [row] = await reader.readBehind(generations, reads.PLACE, [id]);
      return row && { ahead: Number(row.ahead), aheadCost: Number(row.aheadCost) };
    },
  };
}

function webhookVerbs({
  generations,
  reader,
}: Lanes): Pick<Verbs, 'notify' | 'dueWebhooks' | 'settleWebhook' | 'listWebhooks' | 'redeliver' | 'disableEndpoint'> {
  return {
    notify: (generation, event) => generations.submit(notify, { generation, event }, nothing),
    dueWebhooks: async (now, until, limit) => {
      checkCount('limit', limit, 1_000);
      return generations.submit(dueWebhooks, [now, until, limit], same);
    },
    settleWebhook: (id, result) => generations.submit(settleWebhook, { id, ...result }, nothing),
    listWebhooks: async (filter) => {
      checkCount('limit', filter.limit, 1_000);
      const { text, values } = webhooksSql(filter);
      const rows = await reader.readBehind(generations, { text }, values);
      return rows.map((row) => present<WebhookRow>(row));
    },
    redeliver: async (filter, at) => {
      checkCount('limit', filter.limit, 1_000);
      return generations.submit(redeliver, { filter, at }, same);
    },
    disableEndpoint: (caller, url, at) => generations.submit(disableEndpoint, [caller, url, at], nothing),
  };
}

function cellVerbs({ cells, reader }: Lanes): Pick<Verbs, 'readCells' | 'readCell' | 'swapCell'> {
  return {
    readCells: async (prefix) => (await reader.readBehind(cells, reads.READ_CELLS, [prefix])).map(cell),
    readCell: async (key) => (await reader.readBehind(cells, reads.READ_CELL, [key])).map(cell)[0],
    swapCell: (key, version, value) => cells.submit(swapCell, { key, version, value: JSON.stringify(value) }, same),
  };
}

export function createSmallPictures({ generations, reader }: Lanes): SmallPictures {
  return {
    put: ({ hash, type }, bytes, at) => generations.submit(putPicture, { hash, type, bytes, at }, nothing),
    read: async ({ hash, type }) => {
      const [row] = await reader.readBehind(generations, reads.READ_PICTURE, [hash, type]);
      return row?.bytes instanceof Uint8Array ? row.bytes : undefined;
    },
    remove: ({ hash, type }, writtenBefore) =>
      generations.submit(removePicture, { hash, type, writtenBefore }, nothing),
  };
}

function checkCount(name: string, count: number, max: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= max) return;
  throw new RangeError(`${name} is ${count}; it must be a whole number from 1 to ${max}`);
}

function cell({ key, version, value }: Columns): Cell {
  return { key: String(key), version: Number(version), value: JSON.parse(String(value)) };
}
