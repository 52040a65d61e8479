import type { Event } from '@onetake/core';
import type { SmallPictures } from '../../assets/small-pictures.ts';
import type { GroupCommit } from '../group-commit.ts';
import { ledgerColumns } from '../ledger-row.ts';
import { makesChat, promptOf } from '../plan-kind.ts';
import { searchText } from '../search-text.ts';
import {
  type Cell,
  type Created,
  type GenerationRow,
  LostRunError,
  type Place,
  type Store,
  type StoredGeneration,
  type UndeliveredRow,
  type WebhookDelivery,
  type WebhookRow,
} from '../store.ts';
import type { Operation, Operations } from './batch.ts';
import { browsingVerbs } from './browsing-verbs.ts';
import { cacheVerbs } from './cache-verbs.ts';
import type { BatchChanges } from './changes.ts';
import { ledgerVerbs } from './ledger-verbs.ts';
import { type Columns, LISTED_NAMES, named, STORED_NAMES, type StoredColumns } from './rows.ts';

type Commit = GroupCommit<Operation>;
type Result<Name extends keyof Operations> = ReturnType<Operations[Name]>;
export type Verbs = Omit<Store, 'ownership' | 'onChange' | 'close'>;

const nothing = () => {};

/** The verbs as operations. JSON is made and read on this side: the other thread only stores text. */
export function createVerbs(commit: Commit, changes: Pick<BatchChanges, 'note'>): Verbs {
  return {
    ...journalVerbs(commit, changes),
    ...readingVerbs(commit),
    ...leaseVerbs(commit, changes),
    ...queueVerbs(commit),
    ...webhookVerbs(commit, changes),
    ...cellVerbs(commit, changes),
    ...cacheVerbs(commit, (limit) => checkCount('limit', limit, 1_000)),
    ...ledgerVerbs(commit, checkCount),
    ...browsingVerbs(commit, (limit) => checkCount('limit', limit, 1_000)),
  };
}

function journalVerbs(commit: Commit, { note }: Pick<BatchChanges, 'note'>): Pick<Verbs, 'create' | 'append'> {
  return {
    create: ({ plan, webhook, ...generation }) => {
      const { begin } = generation;
      const texts = { plan: JSON.stringify(plan), webhook: webhook === undefined ? null : JSON.stringify(webhook) };
      const prompt = promptOf(plan);
      const told = { route: plan.route, prompt, searched: searchText(prompt), isChat: makesChat({ plan }) };
      const row = { ...generation, ...told, ...texts };
      return commit.submit(['create', row], (owner: Result<'create'>): Created => {
        if (owner) return { kind: 'existing', ...owner };
        if ('place' in begin) note({ kind: 'waiting', queue: begin.place.queue });
        return { kind: 'created' };
      });
    },
    append: ({ generation, run, length, worker }, events, summary) => {
      if (events.length === 0) return Promise.reject(new RangeError('events: append takes one or more'));
      const texts = events.map((event) => JSON.stringify(event));
      const told = summary && { ...summary, lines: ledgerColumns(summary.lines ?? []) };
      return commit.submit(['append', generation, run, length, worker, texts, told], (appended: Result<'append'>) => {
        if (appended === 'refused') throw new LostRunError(generation, run);
        if (summary) note({ kind: 'finished', id: generation });
        if (appended === 'due') note({ kind: 'webhook' });
      });
    },
  };
}

function readingVerbs(
  commit: Commit,
): Pick<
  Verbs,
  | 'read'
  | 'list'
  | 'findIdempotent'
  | 'markDelivered'
  | 'undelivered'
  | 'markLost'
  | 'claimLost'
  | 'expire'
  | 'storedBytes'
> {
  return {
    read: (id) => commit.submit(['read', id], (found: Result<'read'>) => found && storedGeneration(found)),
    list: async (filter) => {
      checkCount('limit', filter.limit, 1_000);
      return commit.submit(['list', filter], (rows: Result<'list'>) =>
        rows.map((row) => named(LISTED_NAMES, row) as unknown as GenerationRow),
      );
    },
    findIdempotent: (scope, now) =>
      commit.submit(['findIdempotent', scope, now], (hit: Result<'findIdempotent'>) => hit),
    markDelivered: (ids, at) => commit.submit(['markDelivered', ids, at], nothing),
    undelivered: async (since, limit) => {
      checkCount('limit', limit, 100_000);
      return commit.submit(['undelivered', since, limit], (rows: Result<'undelivered'>) =>
        rows.map((row) => present<UndeliveredRow>(row)),
      );
    },
    markLost: (ids, at) => commit.submit(['markLost', ids, at], nothing),
    claimLost: (wanted) => commit.submit(['claimLost', wanted], (id: Result<'claimLost'>) => id),
    expire: async (bounds) => {
      checkCount('limit', bounds.limit, 1_000);
      return commit.submit(['expire', bounds], (expired: Result<'expire'>) => expired);
    },
    storedBytes: () => commit.submit(['storedBytes'], (bytes: Result<'storedBytes'>) => bytes),
  };
}

function leaseVerbs(
  commit: Commit,
  { note }: Pick<BatchChanges, 'note'>,
): Pick<Verbs, 'claim' | 'renew' | 'requestCancel'> {
  return {
    claim: async (worker, now, until, limit) => {
      checkCount('limit', limit, 1_000);
      return commit.submit(['claim', worker, now, until, limit], (rows: Result<'claim'>) => rows.map(storedGeneration));
    },
    renew: (worker, ids, until) => commit.submit(['renew', worker, ids, until], (wished: Result<'renew'>) => wished),
    requestCancel: (id, at) =>
      commit.submit(['requestCancel', id, at], (answer: Result<'requestCancel'>) => {
        if (answer === 'noted') note({ kind: 'cancel', id });
        return answer;
      }),
  };
}

function queueVerbs(commit: Commit): Pick<Verbs, 'claimWaiting' | 'take' | 'queues' | 'place'> {
  return {
    claimWaiting: async (wanted, lease) => {
      checkCount('most', wanted.most, 1_000);
      return commit.submit(['claimWaiting', wanted, lease], ({ claimed, next }: Result<'claimWaiting'>) => ({
        claimed: claimed.map(storedGeneration),
        next,
      }));
    },
    take: (id, lease) =>
      commit.submit(['take', id, lease], (taken: Result<'take'>) => taken && storedGeneration(taken)),
    queues: () => commit.submit(['queues'], (queues: Result<'queues'>) => queues),
    place: (id) => commit.submit(['place', id], (place: Result<'place'>) => place),
  };
}

function webhookVerbs(
  commit: Commit,
  { note }: Pick<BatchChanges, 'note'>,
): Pick<Verbs, 'notify' | 'dueWebhooks' | 'settleWebhook' | 'listWebhooks' | 'redeliver' | 'disableEndpoint'> {
  return {
    notify: (generation, event) =>
      commit.submit(['notify', generation, event], (isDue: Result<'notify'>) => {
        if (isDue) note({ kind: 'webhook' });
      }),
    dueWebhooks: async (now, until, limit) => {
      checkCount('limit', limit, 1_000);
      return commit.submit(['dueWebhooks', now, until, limit], (rows: Result<'dueWebhooks'>) =>
        rows.map((row) => present<WebhookDelivery>(row)),
      );
    },
    settleWebhook: (id, result) => commit.submit(['settleWebhook', id, result], nothing),
    listWebhooks: async (filter) => {
      checkCount('limit', filter.limit, 1_000);
      return commit.submit(['listWebhooks', filter], (rows: Result<'listWebhooks'>) =>
        rows.map((row) => present<WebhookRow>(row)),
      );
    },
    redeliver: async (filter, at) => {
      checkCount('limit', filter.limit, 1_000);
      return commit.submit(['redeliver', filter, at], (count: Result<'redeliver'>) => {
        if (count > 0) note({ kind: 'webhook' });
        return count;
      });
    },
    disableEndpoint: (caller, url, at) => commit.submit(['disableEndpoint', caller, url, at], nothing),
  };
}

function cellVerbs(
  commit: Commit,
  { note }: Pick<BatchChanges, 'note'>,
): Pick<Verbs, 'readCells' | 'readCell' | 'swapCell'> {
  return {
    readCells: (prefix) => commit.submit(['readCells', prefix], (rows: Result<'readCells'>) => rows.map(cell)),
    readCell: (key) => commit.submit(['readCell', key], (row: Result<'readCell'>) => row && cell(row)),
    swapCell: (key, version, value) =>
      commit.submit(['swapCell', key, version, JSON.stringify(value)], (swapped: Result<'swapCell'>) => {
        if (swapped) note({ kind: 'cell', key });
        return swapped;
      }),
  };
}

export function createSmallPictures(commit: Commit): SmallPictures {
  return {
    put: ({ hash, type }, bytes, at) => commit.submit(['putPicture', hash, type, bytes, at], nothing),
    read: ({ hash, type }) => commit.submit(['readPicture', hash, type], (found: Result<'readPicture'>) => found),
    remove: ({ hash, type }, writtenBefore) => commit.submit(['removePicture', hash, type, writtenBefore], nothing),
  };
}

function checkCount(name: string, count: number, max: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= max) return;
  throw new RangeError(`${name} is ${count}; it must be a whole number from 1 to ${max}`);
}

function storedGeneration({ row, place, events }: StoredColumns): StoredGeneration {
  const { number: _, runs, plan, task, webhook, ...columns } = named(STORED_NAMES, row);
  const journals = Array.from({ length: Number(runs) }, (): Event[] => []);
  for (const [run, event] of events) journals[run]?.push(JSON.parse(event));
  return {
    ...(columns as unknown as Omit<StoredGeneration, 'task' | 'webhook' | 'place' | 'plan' | 'journals'>),
    ...(task === 1 && ({ task: true } as const)),
    ...(typeof webhook === 'string' && { webhook: JSON.parse(webhook) }),
    ...(place && { place: place as unknown as Place }),
    plan: JSON.parse(String(plan)),
    journals,
  };
}

function cell({ key, version, value }: Columns): Cell {
  return { key: String(key), version: Number(version), value: JSON.parse(String(value)) };
}

/** The columns are named and typed by the queries; what is null there is absent here. */
function present<Row>(columns: Columns): Row {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null)) as Row;
}
