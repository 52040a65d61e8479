import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { GATEWAY_MODEL_PREFIX, startMeasured } from './measured-gateway.ts';
import { type Latency, latencyOf } from './task-rounds.ts';

export interface GatewayTasksResult {
  readonly tasks: number;
  /** Submitted over HTTP, generated at a provider that answers at once, stored, and fetched as finished. */
  readonly wholePerSecond: number;
  /** Until the 202, with `IN_FLIGHT` under way. */
  readonly accepted: Latency;
  /** From the submit to the answer that shows the picture, one at a time. */
  readonly idle: Latency;
}

export const IN_FLIGHT = 64;
const MODEL = `${GATEWAY_MODEL_PREFIX}png-640`;
const LIMITS = ['limits:', `  "${GATEWAY_MODEL_PREFIX}*": { concurrency: 1000 }`];
const WARM_UP_TASKS = 200;
const IDLE_SAMPLES = 100;
const GAP_MS = 20;

/** Tasks through a whole gateway on its default store. Rejects when one of them does not end in a picture. */
export async function measureGatewayTasks(tasks: number): Promise<GatewayTasksResult> {
  const { gateway, close } = await startMeasured(LIMITS);
  const client = createClient(gateway.url);
  try {
    await client.many(WARM_UP_TASKS);
    const acceptedMs: number[] = [];
    const startedAt = performance.now();
    await client.many(tasks, acceptedMs);
    const seconds = (performance.now() - startedAt) / 1_000;
    const idleMs: number[] = [];
    for (let sample = 0; sample < IDLE_SAMPLES; sample += 1) {
      await pause(GAP_MS);
      const askedAt = performance.now();
      await client.one([]);
      idleMs.push(performance.now() - askedAt);
    }
    return { tasks, wholePerSecond: tasks / seconds, accepted: latencyOf(acceptedMs), idle: latencyOf(idleMs) };
  } finally {
    await client.close();
    await close();
  }
}

interface TaskAnswer {
  readonly id: string;
  readonly status: string;
}

function createClient(url: string) {
  const pool = new Pool(url, { connections: IN_FLIGHT });
  let submitted = 0;

  async function send(method: 'GET' | 'POST', path: string, body?: object): Promise<TaskAnswer> {
    const headers = { 'content-type': 'application/json' };
    const answer = await pool.request({ method, path, headers, ...(body && { body: JSON.stringify(body) }) });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`);
    return JSON.parse(text) as TaskAnswer;
  }

  async function one(acceptedMs: number[]): Promise<void> {
    submitted += 1;
    const askedAt = performance.now();
    let task = await send('POST', '/v1/tasks', { model: MODEL, prompt: `task ${submitted}` });
    acceptedMs.push(performance.now() - askedAt);
    while (task.status === 'pending' || task.status === 'processing')
      task = await send('GET', `/v1/tasks/${task.id}?wait=30`);
    if (task.status !== 'completed') throw new Error(`a task ended ${task.status}: ${JSON.stringify(task)}`);
  }

  return {
    one,
    async many(count: number, acceptedMs: number[] = []): Promise<void> {
      let left = count;
      const caller = async () => {
        while (left > 0) {
          left -= 1;
          await one(acceptedMs);
        }
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
    },
    close: () => pool.close(),
  };
}
