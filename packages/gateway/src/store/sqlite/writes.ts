import type { DatabaseSync } from 'node:sqlite';
import type { AssetRow, Created, IdempotencyHit, IdempotencyScope, NewGeneration, Summary } from '../store.ts';

/** A new generation whose plan is JSON already. */
export interface CreateRow extends Omit<NewGeneration, 'plan'> {
  readonly route: string;
  readonly prompt: string;
  readonly plan: string;
}

/**
 * The operations that write, inside the transaction of their batch. `append` is on the path of every picture and
 * stays one statement per event.
 */
export function prepareWrites(database: DatabaseSync) {
  const insertGeneration = database.prepare(`
    INSERT INTO generations
      (id, caller, endpoint, route, fingerprint, request_id, runs, status, created_at, worker, lease_until)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'processing', ?, ?, ?)`);
  const insertPlan = database.prepare('INSERT INTO plans (generation, prompt, plan) VALUES (?, ?, ?)');
  const findKey = database.prepare(`
    SELECT g.id, g.fingerprint FROM idempotency i JOIN generations g ON g.number = i.generation
    WHERE i.caller = ? AND i.endpoint = ? AND i.key = ? AND i.expires_at > ? AND g.billed IS NOT 'no'`);
  const takeKey = database.prepare(`
    INSERT OR REPLACE INTO idempotency (caller, endpoint, key, generation, expires_at) VALUES (?, ?, ?, ?, ?)`);
  const insertAsset = database.prepare(`
    INSERT INTO assets (hash, type, bytes, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`);
  const referToAsset = database.prepare(`
    INSERT INTO generation_assets (generation, hash) VALUES (?, ?) ON CONFLICT DO NOTHING`);
  // A fence that holds finds no number, and OR IGNORE passes over a row without one, as over a place that is taken.
  // As one row of VALUES it costs half of INSERT … SELECT, which prepares for many.
  const appendEvent = database.prepare(`
    INSERT OR IGNORE INTO events (generation, run, seq, event) VALUES ((
      SELECT number FROM generations WHERE id = ?1 AND worker = ?2 AND ?3 BETWEEN 0 AND runs - 1 AND (
        ?4 = 0 OR EXISTS (SELECT 1 FROM events WHERE generation = number AND run = ?3 AND seq = ?4 - 1))
    ), ?3, ?4, ?5)`);
  const finish = database.prepare(`
    UPDATE generations
    SET status = ?, finished_at = ?, code = ?, billed = ?, target = ?, cost_usd = ?, possible_usd = ?, worker = NULL, lease_until = NULL
    WHERE id = ? RETURNING number`);
  const deliver = database.prepare('UPDATE generations SET delivered_at = ? WHERE id = ? AND delivered_at IS NULL');
  const renewLease = database.prepare('UPDATE generations SET lease_until = ? WHERE id = ? AND worker = ?');

  function refer(generation: number | bigint, assets: readonly AssetRow[], createdAt: number): void {
    for (const { hash, type, bytes } of assets) {
      insertAsset.run(hash, type, bytes, createdAt);
      referToAsset.run(generation, hash);
    }
  }

  function findIdempotent({ caller, endpoint, key }: IdempotencyScope, now: number): IdempotencyHit | undefined {
    const found = findKey.get(caller, endpoint, key, now);
    return found && { id: String(found.id), fingerprint: String(found.fingerprint) };
  }

  return {
    findIdempotent,

    create(row: CreateRow): Created {
      const { id, caller, endpoint, createdAt, idempotency } = row;
      const owner = idempotency && findIdempotent({ caller, endpoint, key: idempotency.key }, createdAt);
      if (owner) return { kind: 'existing', ...owner };
      const { route, fingerprint, requestId, runs, worker, leaseUntil } = row;
      const identity = [id, caller, endpoint, route, fingerprint, requestId];
      const { lastInsertRowid: number } = insertGeneration.run(...identity, runs, createdAt, worker, leaseUntil);
      insertPlan.run(number, row.prompt, row.plan);
      if (idempotency) takeKey.run(caller, endpoint, idempotency.key, number, idempotency.expiresAt);
      refer(number, row.assets, createdAt);
      return { kind: 'created' };
    },

    /** False when the fence held. Only the first event can meet it: once that is in, its successors fit. */
    append(id: string, run: number, length: number, worker: string, events: readonly string[], summary?: Summary) {
      for (const [index, event] of events.entries()) {
        const { changes } = appendEvent.run(id, worker, run, length + index, event);
        if (changes === 0) return false;
      }
      if (summary) {
        const { status, finishedAt, code = null, billed, target = null, costUsd = null, possibleUsd = null } = summary;
        const number = finish.get(status, finishedAt, code, billed, target, costUsd, possibleUsd, id)?.number;
        refer(Number(number), summary.assets, finishedAt);
      }
      return true;
    },

    markDelivered(ids: readonly string[], at: number): void {
      for (const id of ids) deliver.run(at, id);
    },

    renew(worker: string, ids: readonly string[], until: number): void {
      for (const id of ids) renewLease.run(until, id, worker);
    },
  };
}
