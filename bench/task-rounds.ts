import { setTimeout as pause } from 'node:timers/promises';
import { IN_FLIGHT, type TaskEngine, type WorkListener } from './task-engine.ts';

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface TaskResult {
  readonly name: string;
  readonly tasks: number;
  /** Submitted while no worker runs. */
  readonly enqueuedPerSecond: number;
  /** That backlog claimed and finished. */
  readonly workedOffPerSecond: number;
  /** Submitted, claimed and finished at the same time. */
  readonly wholePerSecond: number;
  /** From the submit's call to the worker's hands, one at a time with nothing else going on. */
  readonly idle: Latency;
  /** The same while `LOADED_PER_SECOND` come in. */
  readonly loaded: Latency;
}

/** A rate that every engine here can bear. */
export const LOADED_PER_SECOND = 400;
const ROUNDS = 3;
const LOADED_MS = 4_000;
const IDLE_SAMPLES = 200;
const IDLE_MS = 12_000;
const MAX_GAP_MS = 40;
const ROUND_TIMEOUT_MS = 120_000;

/** Everything measured of one engine; `tasks` per round of throughput. It must be empty. */
export async function measureEngine(engine: TaskEngine, tasks: number): Promise<TaskResult> {
  const rounds = createRounds(engine);
  await throughput(rounds, Math.ceil(tasks / 10));
  const measured: Throughput[] = [];
  for (let round = 0; round < ROUNDS; round += 1) measured.push(await throughput(rounds, tasks));
  const stop = await rounds.work();
  const loaded = await rounds.loaded();
  const idle = await rounds.idle();
  await stop();
  const perSecond = (part: keyof Throughput) => tasks / median(measured.map((one) => one[part]));
  return {
    ...{ name: engine.name, tasks, idle, loaded },
    enqueuedPerSecond: perSecond('enqueued'),
    workedOffPerSecond: perSecond('workedOff'),
    wholePerSecond: perSecond('whole'),
  };
}

/** Seconds for each part of a round. */
interface Throughput {
  readonly enqueued: number;
  readonly workedOff: number;
  readonly whole: number;
}

async function throughput(rounds: ReturnType<typeof createRounds>, tasks: number): Promise<Throughput> {
  const enqueued = await seconds(() => rounds.submitMany(tasks));
  let stop = async () => {};
  const workedOff = await seconds(async () => {
    stop = await rounds.work();
    await rounds.allFinished();
  });
  const whole = await seconds(async () => {
    await rounds.submitMany(tasks);
    await rounds.allFinished();
  });
  await stop();
  return { enqueued, workedOff, whole };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1_000;
}

function createRounds(engine: TaskEngine) {
  const { hear, beginsOne, add, size, allHeard, takePickUps } = createTracking(engine.name);
  const submit = () => engine.submit(add());
  const allFinished = async () => {
    if (size() > 0) await allHeard();
    await engine.settled?.();
  };

  return {
    allFinished,
    work: () => engine.work(hear),

    async submitMany(count: number): Promise<void> {
      let left = count;
      const submitter = async () => {
        while (left > 0) {
          left -= 1;
          await submit();
        }
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, submitter));
    },

    /** Open loop: what comes in does not wait for what came before. */
    async loaded(): Promise<Latency> {
      takePickUps();
      const startedAt = performance.now();
      const submits: Promise<void>[] = [];
      for (let elapsedMs = 0; elapsedMs < LOADED_MS; elapsedMs = performance.now() - startedAt) {
        while (submits.length < (elapsedMs * LOADED_PER_SECOND) / 1_000) submits.push(submit());
        await pause(1);
      }
      await Promise.all(submits);
      await allFinished();
      return latencyOf(takePickUps());
    },

    async idle(): Promise<Latency> {
      takePickUps();
      const startedAt = performance.now();
      for (let sample = 0; sample < IDLE_SAMPLES && performance.now() - startedAt < IDLE_MS; sample += 1) {
        await pause(Math.random() * MAX_GAP_MS);
        await Promise.all([beginsOne(), submit()]);
        await allFinished();
      }
      return latencyOf(takePickUps());
    },
  };
}

/** Which tasks are where; throws when one is finished that was finished before, or never submitted. */
function createTracking(engine: string) {
  const submittedAt = new Map<number, number>();
  const unfinished = new Set<number>();
  let pickUpsMs: number[] = [];
  let last = 0;
  let onBegun = () => {};
  let onEmpty = () => {};
  const hear: WorkListener = {
    begun(task) {
      pickUpsMs.push(performance.now() - (submittedAt.get(task) ?? Number.NaN));
      submittedAt.delete(task);
      onBegun();
    },
    finished(task) {
      if (!unfinished.delete(task)) throw new Error(`${engine} finished task ${task} twice`);
      if (unfinished.size === 0) onEmpty();
    },
  };
  return {
    hear,
    size: () => unfinished.size,
    add(): number {
      last += 1;
      unfinished.add(last);
      submittedAt.set(last, performance.now());
      return last;
    },
    beginsOne: () =>
      new Promise<void>((resolve) => {
        onBegun = resolve;
      }),
    allHeard: () =>
      new Promise<void>((resolve, reject) => {
        const late = () => reject(new Error(`${engine}: ${unfinished.size} tasks were not finished in time`));
        const timer = setTimeout(late, ROUND_TIMEOUT_MS);
        onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    takePickUps(): readonly number[] {
      const taken = pickUpsMs;
      pickUpsMs = [];
      return taken;
    },
  };
}

/** p50 and p99 of some durations. */
export function latencyOf(durationsMs: readonly number[]): Latency {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const percentile = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { p50Ms: percentile(0.5), p99Ms: percentile(0.99) };
}
