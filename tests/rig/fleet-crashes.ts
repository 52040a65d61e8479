import { setTimeout as pause } from 'node:timers/promises';
import type { Event } from '@onetake/core';
import { Client } from 'pg';
import { FLEET_MODELS, type Fleet, startFleet } from './fleet.ts';
import { readLedger } from './ledger.ts';
import { until } from './poll.ts';
import { postTask } from './tasks.ts';

/** What became of tasks given to nodes that were killed again and again. */
export interface FleetReport {
  readonly tasks: readonly FleetTask[];
  /** Generations in the database; one per task unless one was made twice. */
  readonly generations: number;
  /** Of them, those whose lease somebody still has. */
  readonly leased: number;
  /** Tasks in the hands of some node at each kill, all kills together. */
  readonly processing: number;
  /** Submits that a kill took the answer from; they were repeated with the same Idempotency-Key. */
  readonly cutOff: number;
  readonly tookMs: number;
}

export interface FleetTask {
  readonly prompt: string;
  readonly id: string;
  readonly status: string;
  readonly code: string | null;
  /** Requests for it that the provider read, and pictures that it charged for it. */
  readonly requests: number;
  readonly charged: number;
  readonly events: readonly Event[];
}

const NODES = 3;
/** A kill comes this long, at most, after the tasks meant for it. */
const MAX_LIFE_MS = 700;
const MEETING_MS = 10_000;
const IN_HAND = `status = 'processing'`;
const SUBMITTERS = 8;
/** One in so many goes to a provider that answers with the picture, which nobody can ask what became of it. */
const CALL_EVERY = 4;
const MODELS = { job: `${FLEET_MODELS.job}/slow:0.4`, call: `${FLEET_MODELS.call}/slow:0.4` };
const LIMITS = Object.values(MODELS).map((target) => `  "${target}": { concurrency: 16 }`);
/** A lease of a dead node is 15 seconds long. */
const END_TIMEOUT_MS = 120_000;
/** The provider's list of requests is so long. */
const MAX_TASKS = 900;

interface Submitting {
  readonly ids: Map<string, string>;
  cutOff: number;
}

/** Gives `count` tasks to random nodes while one of them is killed `kills` times, and waits until all are over. */
export async function killNodesAgainAndAgain(count: number, kills: number): Promise<FleetReport> {
  if (count > MAX_TASKS) throw new RangeError(`count is ${count}; the bill lists ${MAX_TASKS} at most`);
  const fleet = await startFleet(NODES, LIMITS);
  try {
    const startedAt = performance.now();
    const submitting: Submitting = { ids: new Map(), cutOff: 0 };
    let released = 0;
    let processing = 0;
    const killing = (async () => {
      for (let kill = 1; kill <= kills; kill += 1) {
        released = (count * kill) / kills;
        await pause(Math.random() * MAX_LIFE_MS);
        // Of a few kills one must meet a task; where none has so far, the last one waits for it.
        if (kill === kills && processing === 0)
          await until('a task in hand', async () => (await countTasks(fleet.databaseUrl, IN_HAND)) > 0, MEETING_MS);
        processing += await countTasks(fleet.databaseUrl, IN_HAND);
        await fleet.killOne();
      }
    })();
    await Promise.all([submitAll(fleet, count, submitting, () => released), killing]);
    await until('the end of all tasks', () => allOver(fleet.databaseUrl, count), END_TIMEOUT_MS);
    const tookMs = performance.now() - startedAt;
    return { ...(await report(fleet, submitting.ids)), processing, cutOff: submitting.cutOff, tookMs };
  } finally {
    await fleet.close();
  }
}

async function submitAll(fleet: Fleet, count: number, submitting: Submitting, released: () => number): Promise<void> {
  let next = 0;
  const submitter = async () => {
    for (let number = next++; number < count; number = next++) {
      while (number >= released()) await pause(10);
      await submit(fleet, number, submitting);
    }
  };
  await Promise.all(Array.from({ length: SUBMITTERS }, submitter));
}

/** Until a node says 202, each time at another one with the same key. */
async function submit(fleet: Fleet, number: number, submitting: Submitting): Promise<void> {
  const prompt = `fleet fox ${number}`;
  const model = number % CALL_EVERY === 0 ? MODELS.call : MODELS.job;
  for (;;) {
    const nodes = fleet.nodes();
    const node = nodes[Math.floor(Math.random() * nodes.length)];
    const answer = await postTask(node?.url ?? '', { model, prompt }, { 'idempotency-key': prompt }).catch(
      () => undefined,
    );
    if (answer?.status === 202) {
      submitting.ids.set(prompt, String(answer.body.id));
      return;
    }
    // A task that was over before its submit was repeated is the answer itself.
    if (answer?.status === 200) throw new Error(`${prompt}: 200 where a task was asked for: ${answer.text}`);
    if (answer !== undefined && answer.status !== 503) throw new Error(`${prompt}: ${answer.status} ${answer.text}`);
    submitting.cutOff += 1;
  }
}

async function allOver(databaseUrl: string, count: number): Promise<boolean> {
  await pause(100);
  return (await countTasks(databaseUrl, `status NOT IN ('pending', 'processing')`)) >= count;
}

async function countTasks(databaseUrl: string, condition: string): Promise<number> {
  const sql = `SELECT count(*)::int AS tasks FROM onetake.generations WHERE ${condition}`;
  return (await query<{ tasks: number }>(databaseUrl, sql))[0]?.tasks ?? 0;
}

async function report(fleet: Fleet, ids: ReadonlyMap<string, string>) {
  const { entries, total } = await readLedger(fleet.sandbox.url);
  if (total.requests > entries.length) throw new Error(`${total.requests} requests, ${entries.length} listed`);
  const rows = await query<{ id: string; status: string; code: string | null; worker: string | null }>(
    fleet.databaseUrl,
    'SELECT id, status, code, worker FROM onetake.generations',
  );
  const events = await query<{ id: string; event: string }>(
    fleet.databaseUrl,
    `SELECT g.id, e.event FROM onetake.events e JOIN onetake.generations g ON g.number = e.generation
     ORDER BY g.id, e.run, e.seq`,
  );
  const byId = Map.groupBy(events, ({ id }) => id);
  const tasks = [...ids].map(([prompt, id]): FleetTask => {
    const row = rows.find((one) => one.id === id);
    const asked = entries.filter((entry) => entry.prompt === prompt);
    return {
      ...{ prompt, id, status: row?.status ?? 'lost', code: row?.code ?? null },
      requests: asked.length,
      charged: asked.reduce((sum, { charged }) => sum + charged, 0),
      events: (byId.get(id) ?? []).map(({ event }) => JSON.parse(event) as Event),
    };
  });
  return { tasks, generations: rows.length, leased: rows.filter(({ worker }) => worker !== null).length };
}

async function query<Row extends object>(databaseUrl: string, sql: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
