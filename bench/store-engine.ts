import {
  sampleFence,
  samplePlan,
  sampleSummary,
  sampleWaiting,
  started,
} from '../packages/gateway/src/store/contract/samples.ts';
import type { Store, StoredGeneration } from '../packages/gateway/src/store/store.ts';
import { IN_FLIGHT, type TaskEngine, type WorkListener } from './task-engine.ts';

const QUEUE = 'bench/model';
/** What the gateway claims at most at once. */
const MOST = 64;
const FOR_EVER = Number.MAX_SAFE_INTEGER;

/**
 * The verbs of a store as the gateway uses them: a task is created waiting, claimed by a loop that `onChange` wakes,
 * its attempt written before it would be sent, and its end with its summary. Where nodes share the store, `workerStore`
 * is another node's.
 */
export function storeEngine(name: string, store: Store, workerStore: Store = store): TaskEngine {
  const plan = samplePlan();
  return {
    name,
    async submit(task) {
      const place = { queue: QUEUE, deadlineAt: FOR_EVER };
      await store.create(sampleWaiting(`task-${task}`, task, place, { plan, endpoint: '/v1/tasks' }));
    },
    work: (hear) => startWorker(workerStore, hear),
    async close() {
      await store.close();
      if (workerStore !== store) await workerStore.close();
    },
  };
}

async function startWorker(store: Store, hear: WorkListener): Promise<() => Promise<void>> {
  const lease = { worker: 'bench', until: FOR_EVER };
  const running = new Set<Promise<void>>();
  let isStopping = false;
  let mayWait = true;
  let wake = () => {};
  const stopListening = store.onChange((change) => {
    if (change.kind !== 'waiting') return;
    mayWait = true;
    wake();
  });

  async function claim(): Promise<void> {
    mayWait = false;
    const most = Math.min(MOST, IN_FLIGHT - running.size);
    const { claimed, next } = await store.claimWaiting({ queue: QUEUE, most, exceptCallers: [] }, lease);
    if (next !== undefined) mayWait = true;
    for (const generation of claimed) {
      const run = perform(store, generation, hear).finally(() => running.delete(run));
      running.add(run);
    }
  }

  async function loop(): Promise<void> {
    while (!isStopping) {
      if (running.size >= IN_FLIGHT) await Promise.race(running);
      else if (mayWait) await claim();
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    await Promise.all(running);
  }
  const looping = loop();
  return async () => {
    isStopping = true;
    stopListening();
    wake();
    await looping;
  };
}

async function perform(store: Store, { id }: StoredGeneration, hear: WorkListener): Promise<void> {
  const task = Number(id.slice('task-'.length));
  const fence = { worker: 'bench' };
  await store.append(sampleFence(id, 0, fence), [started(1)]);
  hear.begun(task);
  await store.append(
    sampleFence(id, 1, fence),
    [{ type: 'finished', at: 30, outcome: { ok: true, images: [] } }],
    sampleSummary({ target: QUEUE, costUsd: 0.04 }),
  );
  hear.finished(task);
}
