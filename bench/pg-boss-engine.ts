import { setTimeout as pause } from 'node:timers/promises';
import { type Job, PgBoss } from 'pg-boss';
import { IN_FLIGHT, type TaskEngine, type WorkListener } from './task-engine.ts';

const QUEUE = 'bench';
const CONNECTIONS = 10;
/** Its shortest polling interval. */
const POLL_MS = 500;

/**
 * pg-boss 12 by `send`, `fetch` of many and `complete` of each, because pictures do not end together. `notified` wakes
 * the worker in the process that submits, as `notifyWorker` does; between nodes it polls.
 */
export async function pgBossEngine(name: string, connectionString: string, notified: boolean): Promise<TaskEngine> {
  const schema = notified ? 'pgboss_notified' : 'pgboss_polling';
  const boss = new PgBoss({ connectionString, schema, max: CONNECTIONS, schedule: false, supervise: false });
  boss.on('error', (error) => process.stderr.write(`${name}: ${error.message}\n`));
  await boss.start();
  await boss.createQueue(QUEUE);
  let wake = () => {};
  return {
    name,
    async submit(task) {
      await boss.send(QUEUE, { task });
      if (notified) wake();
    },
    work: async (hear) => startWorker(boss, hear, (next) => (wake = next)),
    close: () => boss.stop({ graceful: false }),
  };
}

function startWorker(boss: PgBoss, hear: WorkListener, onWake: (wake: () => void) => void): () => Promise<void> {
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  let sleep = new AbortController();
  let isWoken = false;
  onWake(() => {
    isWoken = true;
    sleep.abort();
  });
  const step = async () => {
    isWoken = false;
    const batchSize = IN_FLIGHT - running.size;
    const jobs = await boss.fetch<{ task: number }>(QUEUE, { batchSize, priority: false });
    for (const job of jobs) {
      const run = complete(boss, job, hear).finally(() => running.delete(run));
      running.add(run);
    }
    if (jobs.length > 0 || isWoken) return;
    sleep = new AbortController();
    await pause(POLL_MS, undefined, { signal: sleep.signal }).catch(() => undefined);
  };
  const loop = async () => {
    while (!stopping.signal.aborted) {
      if (running.size > IN_FLIGHT / 2) await Promise.race(running);
      else await step();
    }
    await Promise.all(running);
  };
  const looping = loop();
  return async () => {
    stopping.abort();
    sleep.abort();
    await looping;
  };
}

async function complete(boss: PgBoss, { id, data }: Job<{ task: number }>, hear: WorkListener): Promise<void> {
  hear.begun(data.task);
  await boss.complete(QUEUE, id);
  hear.finished(data.task);
}
