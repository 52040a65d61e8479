/**
 * What the stores and the worker's loop can carry, beside the engines that people would take instead on the same
 * server in the same run. Exits with 1 when an aim is missed.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openPostgresStore } from '../packages/gateway/src/store/postgres.ts';
import { openSqliteStore } from '../packages/gateway/src/store/sqlite.ts';
import { startTestPostgres } from '../packages/gateway/src/store/testing/postgres.ts';
import { removeDirectory, temporaryDirectory } from '../tests/rig/directories.ts';
import { type GatewayTasksResult, IN_FLIGHT as HTTP_IN_FLIGHT, measureGatewayTasks } from './gateway-tasks.ts';
import { graphileEngine } from './graphile-engine.ts';
import { pgBossEngine } from './pg-boss-engine.ts';
import { storeEngine } from './store-engine.ts';
import { table } from './table.ts';
import { IN_FLIGHT, type TaskEngine } from './task-engine.ts';
import { type Latency, LOADED_PER_SECOND, measureEngine, type TaskResult } from './task-rounds.ts';

interface Aim {
  readonly name: string;
  readonly wanted: string;
  readonly reached: string;
  readonly met: boolean;
}

const SQLITE_TASKS = 20_000;
const POSTGRES_TASKS = 2_000;
const GATEWAY_TASKS = 2_000;
const AIMS = { sqlitePerSecond: 20_000, postgresPerSecond: 3_000, idleP50Ms: 8 };
const OURS = { sqlite: 'Onetake, SQLite', postgres: 'Onetake, PostgreSQL' } as const;

async function measure(open: () => Promise<TaskEngine>, tasks: number): Promise<TaskResult> {
  const engine = await open();
  process.stderr.write(`measuring ${engine.name}\n`);
  try {
    return await measureEngine(engine, tasks);
  } finally {
    await engine.close();
  }
}

async function measureSqlite(): Promise<TaskResult> {
  const directory = temporaryDirectory();
  const open = async () => storeEngine(OURS.sqlite, await openSqliteStore({ path: join(directory, 'bench.db') }));
  const result = await measure(open, SQLITE_TASKS);
  removeDirectory(directory);
  return result;
}

/** Each engine in a database of its own; of ours, one node takes the tasks and another works on them. */
async function measureOnPostgres(): Promise<readonly TaskResult[]> {
  const postgres = await startTestPostgres({ durable: true });
  const openOurs = async () => {
    const url = await postgres.createDatabase();
    return storeEngine(OURS.postgres, await openPostgresStore({ url }), await openPostgresStore({ url }));
  };
  const engines = [
    openOurs,
    async () => pgBossEngine('pg-boss, polling', await postgres.createDatabase(), false),
    async () => pgBossEngine('pg-boss, woken', await postgres.createDatabase(), true),
    async () => graphileEngine('graphile-worker', await postgres.createDatabase()),
  ];
  try {
    const results: TaskResult[] = [];
    for (const open of engines) results.push(await measure(open, POSTGRES_TASKS));
    return results;
  } finally {
    await postgres.stop();
  }
}

function aimsOf(results: readonly TaskResult[]): readonly Aim[] {
  return [
    { name: OURS.sqlite, perSecond: AIMS.sqlitePerSecond },
    { name: OURS.postgres, perSecond: AIMS.postgresPerSecond },
  ].flatMap(({ name, perSecond }): Aim[] => {
    const result = results.find((one) => one.name === name);
    const [reached, p50Ms] = [result?.wholePerSecond ?? 0, result?.idle.p50Ms ?? Number.NaN];
    return [
      {
        name: `${name}: tasks/s`,
        wanted: `> ${count(perSecond)}`,
        reached: count(reached),
        met: reached > perSecond,
      },
      {
        name: `${name}: idle pick-up p50 ms`,
        wanted: `< ${AIMS.idleP50Ms}`,
        reached: p50Ms.toFixed(1),
        met: p50Ms < AIMS.idleP50Ms,
      },
    ];
  });
}

function rowsOf(results: readonly TaskResult[], gateway: GatewayTasksResult): readonly (readonly string[])[] {
  return [
    [
      ...['', 'enqueued/s', 'worked off/s', 'whole/s'],
      ...['idle p50 ms', 'idle p99 ms', 'loaded p50 ms', 'loaded p99 ms'],
    ],
    ...results.map(({ name, enqueuedPerSecond, workedOffPerSecond, wholePerSecond, idle, loaded }) => [
      ...[name, count(enqueuedPerSecond), count(workedOffPerSecond), count(wholePerSecond)],
      ...[...milliseconds(idle), ...milliseconds(loaded)],
    ]),
    ['POST /v1/tasks to picture', '', '', count(gateway.wholePerSecond), ...milliseconds(gateway.idle), '', ''],
  ];
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function milliseconds({ p50Ms, p99Ms }: Latency): readonly string[] {
  return [p50Ms.toFixed(1), p99Ms.toFixed(1)];
}

const results = [await measureSqlite(), ...(await measureOnPostgres())];
process.stderr.write('measuring the whole gateway\n');
const gateway = await measureGatewayTasks(GATEWAY_TASKS);
const aims = aimsOf(results);
process.stdout.write(`
${table(rowsOf(results, gateway))}

${table([['', 'aim', 'reached', ''], ...aims.map(({ name, wanted, reached, met }) => [name, wanted, reached, met ? 'met' : 'MISSED'])])}

Each task is enqueued by a call of its own and finished by a call of its own, at most ${IN_FLIGHT} of each at once; everything is
durable when it counts. enqueued: with no worker; worked off: that backlog; whole: submitted, claimed and finished at
the same time; medians of three rounds. Pick-up is from the submit's call to the worker's hands: idle one at a time,
loaded at ${LOADED_PER_SECOND} tasks/s. Ours writes more per task than the others: its plan, that its attempt begins, how it ended and
what it cost. On PostgreSQL one node of ours submits and another works; the others do both in one process, with ten
connections. pg-boss polls twice a second, its shortest; woken is told by the submitting process, which no other node
can do. graphile-worker fetches into a local queue and completes together, as its documentation says for speed.
The last row is the product over HTTP: request, plan, call to a provider that answers at once, picture verified and
stored, answer fetched; its latency is to the picture, its 202 took ${gateway.accepted.p50Ms.toFixed(1)} ms (p99 ${gateway.accepted.p99Ms.toFixed(1)}) with ${HTTP_IN_FLIGHT} callers.
BullMQ is left out: it needs a Redis, and none comes with npm. ${availableParallelism()} cores, shared by database, worker and load.
`);
if (aims.some(({ met }) => !met)) process.exitCode = 1;
