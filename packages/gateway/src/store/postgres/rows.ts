import type { Event } from '@onetake/core';
import { LISTED_BESIDE } from '../browsing-sql.ts';
import type { GenerationRow, Place, StoredGeneration } from '../store.ts';
import type { Columns } from './verb.ts';

/** What a list tells of a generation `g` with its plan `p`. */
export const ROW = `g.id, g.caller, g.endpoint, g.route, p.prompt, g.status, g.created_at AS "createdAt",
  g.finished_at AS "finishedAt", g.delivered_at AS "deliveredAt", g.code, g.billed, g.target, g.cost_usd AS "costUsd",
  g.possible_usd AS "possibleUsd", g.settled_at AS "settledAt", g.settled`;

/** What a search tells of it. */
export const FOUND_ROW: string = [
  ROW,
  ...Object.entries(LISTED_BESIDE).map(([name, column]) => `${column} AS "${name}"`),
].join(', ');

/** All of a generation but its journals. */
export const WITHOUT_JOURNALS = `${ROW}, g.fingerprint, g.request_id AS "requestId", g.runs, g.task, g.webhook,
  g.cancel_requested_at AS "cancelRequestedAt", g.queue, g.tag, g.cost, g.priority, g.images,
  g.deadline_at AS "deadlineAt", p.plan`;

/** JSON has no line breaks of its own, so a line is an event. */
export const WITH_JOURNALS = `${WITHOUT_JOURNALS}, (
  SELECT string_agg(e.run || ' ' || e.event, E'\\n' ORDER BY e.run, e.seq) FROM events e WHERE e.generation = g.number
  ) AS journals`;

/** The columns are named and typed by the queries; what is null there is absent here. */
export function present<Row>(columns: Columns): Row {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null)) as Row;
}

export function generationRow({ prompt, ...columns }: Columns): GenerationRow {
  return { ...present<Omit<GenerationRow, 'prompt'>>(columns), prompt: JSON.parse(String(prompt)) };
}

/** Of `WITH_JOURNALS`, or of `WITHOUT_JOURNALS` where they are known to be empty. */
export function storedGeneration(columns: Columns): StoredGeneration {
  const { runs, plan, webhook, queue, cost, priority, images, deadlineAt, journals, ...row } = columns;
  const { tag } = columns;
  const place =
    row.status === 'pending' && present<Place>({ queue, tag, cost, priority, images, deadlineAt } as Columns);
  return {
    ...(generationRow(row) as GenerationRow & Pick<StoredGeneration, 'fingerprint' | 'requestId'>),
    ...(place && { place }),
    ...(typeof webhook === 'string' && { webhook: JSON.parse(webhook) }),
    plan: JSON.parse(String(plan)),
    journals: readJournals(Number(runs), typeof journals === 'string' ? journals : ''),
  };
}

function readJournals(runs: number, lines: string): readonly (readonly Event[])[] {
  const journals = Array.from({ length: runs }, (): Event[] => []);
  for (const line of lines === '' ? [] : lines.split('\n')) {
    const end = line.indexOf(' ');
    journals[Number(line.slice(0, end))]?.push(JSON.parse(line.slice(end + 1)));
  }
  return journals;
}
