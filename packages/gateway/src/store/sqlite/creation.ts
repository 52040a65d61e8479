import type { DatabaseSync } from 'node:sqlite';
import type { IdempotencyHit, IdempotencyScope, NewGeneration, Place } from '../store.ts';
import type { Refer } from './references.ts';

/** A new generation whose plan and webhook are JSON already. */
export interface CreateRow extends Omit<NewGeneration, 'plan' | 'webhook'> {
  readonly route: string;
  readonly prompt: string;
  /** As it is searched. */
  readonly searched: string;
  readonly isChat: boolean;
  readonly plan: string;
  readonly webhook: string | null;
}

/** The operations that begin a generation. */
export function prepareCreation(
  database: DatabaseSync,
  refer: Refer,
  wait: (generation: number, caller: string, place: Place) => void,
) {
  const insertGeneration = database.prepare(`
    INSERT INTO generations
      (id, caller, endpoint, route, fingerprint, request_id, runs, created_at, task, webhook, candidates, chat,
       status, worker, lease_until, tag)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const insertPlan = database.prepare('INSERT INTO plans (generation, prompt, plan) VALUES (?, ?, ?)');
  const insertSearchText = database.prepare('INSERT INTO search_texts (generation, text) VALUES (?, ?)');
  const findKey = database.prepare(`
    SELECT g.id, g.fingerprint FROM idempotency i JOIN generations g ON g.number = i.generation
    WHERE i.caller = ? AND i.endpoint = ? AND i.key = ? AND i.expires_at > ? AND g.billed IS NOT 'no'`);
  const takeKey = database.prepare(`
    INSERT OR REPLACE INTO idempotency (caller, endpoint, key, generation, expires_at) VALUES (?, ?, ?, ?, ?)`);

  function findIdempotent({ caller, endpoint, key }: IdempotencyScope, now: number): IdempotencyHit | undefined {
    const found = findKey.get(caller, endpoint, key, now);
    return found && { id: String(found.id), fingerprint: String(found.fingerprint) };
  }

  return {
    findIdempotent,

    /** Returns who has the key when somebody has. */
    create(row: CreateRow): IdempotencyHit | undefined {
      const { id, caller, endpoint, createdAt, idempotency } = row;
      const owner = idempotency && findIdempotent({ caller, endpoint, key: idempotency.key }, createdAt);
      if (owner) return owner;
      const { route, fingerprint, requestId, runs, begin, webhook, candidates = null } = row;
      const task = row.task ? 1 : null;
      const state =
        'lease' in begin
          ? ['processing', begin.lease.worker, begin.lease.until, null]
          : ['pending', null, null, begin.place.tag];
      const fixed = [id, caller, endpoint, route, fingerprint, requestId, runs, createdAt, task, webhook, candidates];
      const { lastInsertRowid } = insertGeneration.run(...fixed, row.isChat ? 1 : null, ...state);
      const number = Number(lastInsertRowid);
      if ('place' in begin) wait(number, caller, begin.place);
      insertPlan.run(number, row.prompt, row.plan);
      insertSearchText.run(number, row.searched);
      if (idempotency) takeKey.run(caller, endpoint, idempotency.key, number, idempotency.expiresAt);
      refer(number, row.assets, createdAt);
      return undefined;
    },
  };
}
