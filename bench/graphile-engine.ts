import { EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Logger, makeWorkerUtils, run, type WorkerEvents, type WorkerUtils } from 'graphile-worker';
import { Pool, type PoolClient } from 'pg';
import { IN_FLIGHT, type TaskEngine, type WorkListener } from './task-engine.ts';

const TASK = 'bench';
const CONNECTIONS = 10;
const CONCURRENT_JOBS = 24;
const CHECK_EVERY_MS = 5;
const SILENT = new Logger(() => () => undefined);

/** graphile-worker with the settings its documentation gives for speed: a local queue, and completions together. */
export async function graphileEngine(name: string, connectionString: string): Promise<TaskEngine> {
  const pgPool = new Pool({ connectionString, max: CONNECTIONS });
  // A connection may end while it is closed; nothing is lost with it.
  const ignore = () => undefined;
  pgPool.on('error', ignore).on('connect', (client) => client.on('error', ignore));
  const utils = await makeWorkerUtils({ pgPool, logger: SILENT });
  await utils.migrate();
  return {
    name,
    async submit(task) {
      await utils.addJob(TASK, { task });
    },
    async work(hear) {
      const runner = await run({
        ...{ pgPool, logger: SILENT, noHandleSignals: true },
        taskList: { [TASK]: (payload) => hear.begun(taskOf(payload)) },
        events: listenFor(hear),
        preset: {
          worker: { concurrentJobs: CONCURRENT_JOBS, localQueue: { size: IN_FLIGHT }, completeJobBatchDelay: 0 },
        },
      });
      return () => runner.stop();
    },
    settled: () => untilEmpty(utils),
    async close() {
      await utils.release();
      await pgPool.end();
    },
  };
}

async function untilEmpty({ withPgClient }: WorkerUtils): Promise<void> {
  const countJobs = (client: PoolClient) => client.query('SELECT count(*) AS jobs FROM graphile_worker.jobs');
  while (Number((await withPgClient(countJobs)).rows[0]?.jobs) > 0) await pause(CHECK_EVERY_MS);
}

/** `job:complete` comes when the end of a job is on its way to the database. */
function listenFor(hear: WorkListener): WorkerEvents {
  const events: WorkerEvents = new EventEmitter();
  events.on('job:complete', ({ job, error }) => {
    if (error) throw error;
    hear.finished(taskOf(job.payload));
  });
  return events;
}

function taskOf(payload: unknown): number {
  return (payload as { readonly task: number }).task;
}
