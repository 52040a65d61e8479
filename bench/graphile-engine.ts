import { EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Logger, makeWorkerUtils, run, type WorkerEvents, type WorkerUtils } from 'graphile-worker';
import type { PoolClient } from 'pg';
import { IN_FLIGHT, type TaskEngine, type WorkListener } from './task-engine.ts';

const TASK = 'bench';
const CONNECTIONS = 10;
const CONCURRENT_JOBS = 24;
const CHECK_EVERY_MS = 5;
const SILENT = new Logger(() => () => undefined);

/** graphile-worker with the settings its documentation gives for speed: a local queue, and completions together. */
export async function graphileEngine(name: string, connectionString: string): Promise<TaskEngine> {
  const common = { connectionString, maxPoolSize: CONNECTIONS, logger: SILENT };
  const utils = await makeWorkerUtils(common);
  await utils.migrate();
  return {
    name,
    async submit(task) {
      await utils.addJob(TASK, { task });
    },
    async work(hear) {
      const runner = await run({
        noHandleSignals: true,
        taskList: { [TASK]: (payload) => hear.begun(taskOf(payload)) },
        events: listenFor(hear),
        preset: {
          worker: {
            ...common,
            concurrentJobs: CONCURRENT_JOBS,
            localQueue: { size: IN_FLIGHT },
            completeJobBatchDelay: 0,
          },
        },
      });
      return () => runner.stop();
    },
    settled: () => untilEmpty(utils),
    close: async () => utils.release(),
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
