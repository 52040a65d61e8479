import type { DatabaseSync } from 'node:sqlite';
import type { Lease, Place, QueueHead, QueueState, WaitingRequest } from '../store.ts';
import type { Rows, StoredColumns } from './rows.ts';

export interface WaitingColumns {
  readonly claimed: readonly StoredColumns[];
  readonly next: QueueHead | undefined;
}

/** The first few of a queue, in the order of the table's key. */
export const FIRST_WAITING_SQL = `
  SELECT tag, generation, images FROM waiting
  WHERE queue = ? AND tag < ? AND caller NOT IN (SELECT value FROM json_each(?))
  ORDER BY tag, generation LIMIT ?`;
export const AHEAD_SQL = `
  SELECT count(*) AS ahead, coalesce(sum(cost), 0) AS aheadCost FROM waiting
  WHERE queue = ? AND (tag, generation) < (?, ?)`;

/** The operations on what waits, and `wait`, which is part of `create`. */
export function prepareQueues(database: DatabaseSync, rows: Rows) {
  const insert = database.prepare(`
    INSERT INTO waiting (queue, tag, generation, caller, priority, cost, images, deadline_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const selectFirst = database.prepare(FIRST_WAITING_SQL);
  const selectWaiting = database.prepare(`
    SELECT w.queue, w.tag, w.generation FROM generations g JOIN waiting w ON w.generation = g.number WHERE g.id = ?`);
  const remove = database.prepare('DELETE FROM waiting WHERE generation IN (SELECT value FROM json_each(?))');
  const start = database.prepare(`
    UPDATE generations SET status = 'processing', worker = ?, lease_until = ?
    WHERE number IN (SELECT value FROM json_each(?))`);
  const countAhead = database.prepare(AHEAD_SQL);
  const selectLanes = database.prepare(`
    SELECT queue, caller, priority, count(*) AS waiting, max(tag + cost) AS lastFinish FROM waiting
    GROUP BY queue, caller, priority`);

  function begin(numbers: readonly number[], { worker, until }: Lease): readonly StoredColumns[] {
    if (numbers.length === 0) return [];
    const list = JSON.stringify(numbers);
    remove.run(list);
    start.run(worker, until, list);
    return rows.fresh(numbers);
  }

  function head(queue: string, exceptCallers: string): QueueHead | undefined {
    const first = selectFirst.get(queue, Number.POSITIVE_INFINITY, exceptCallers, 1);
    return first && { tag: Number(first.tag), images: Number(first.images) };
  }

  function queues(): QueueState[] {
    const lanes = new Map<string, QueueState['lanes'][number][]>();
    for (const { queue, caller, priority, waiting, lastFinish } of selectLanes.all()) {
      const lane = { caller: String(caller), waiting: Number(waiting), lastFinish: Number(lastFinish) };
      const known = lanes.get(String(queue)) ?? [];
      known.push({ ...lane, priority: priority as Place['priority'] });
      lanes.set(String(queue), known);
    }
    return [...lanes].flatMap(([queue, found]) => {
      const first = head(queue, '[]');
      return first ? [{ queue, head: first, lanes: found }] : [];
    });
  }

  return {
    queues,

    claimWaiting({ queue, most, exceptCallers, beforeTag }: WaitingRequest, lease: Lease): WaitingColumns {
      const except = JSON.stringify(exceptCallers);
      const first = selectFirst.all(queue, beforeTag ?? Number.POSITIVE_INFINITY, except, most);
      const numbers = first.map(({ generation }) => Number(generation));
      const claimed = begin(numbers, lease);
      return { claimed, next: head(queue, except) };
    },

    take(id: string, lease: Lease): StoredColumns | undefined {
      const found = selectWaiting.get(id);
      return found && begin([Number(found.generation)], lease)[0];
    },

    place(id: string): { ahead: number; aheadCost: number } | undefined {
      const found = selectWaiting.get(id);
      const before = found && countAhead.get(String(found.queue), Number(found.tag), Number(found.generation));
      return before && { ahead: Number(before.ahead), aheadCost: Number(before.aheadCost) };
    },

    wait(generation: number, caller: string, place: Place): void {
      const { queue, tag, priority, cost, images, deadlineAt } = place;
      insert.run(queue, tag, generation, caller, priority, cost, images, deadlineAt);
    },
  };
}
