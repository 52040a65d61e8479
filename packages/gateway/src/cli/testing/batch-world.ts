import type { JsonObject } from '@onetake/core';
import { type DriverDeps, type DriverResult, drive } from '../batch/driver.ts';
import type { LineEvent, PictureFile } from '../batch/events.ts';
import { foldBatch, type Manifest, newLine, type Selection } from '../batch/manifest.ts';
import { micros } from '../batch/money.ts';
import type { TaskCalls, TaskView } from '../batch/task-calls.ts';

/** How the task of a line ends. */
export type WorldEnd = 'done' | 'failed' | 'unknown' | 'refused';

export interface WorldOptions {
  readonly ends: readonly WorldEnd[];
  readonly concurrency?: number;
  readonly capUsd?: number;
  /** What one attempt at a line costs. */
  readonly priceUsd?: number;
}

export interface Life {
  /** Dies at this step, counted from 1; every step has a moment before and one after what it does to the world. */
  readonly diesAt?: number;
  readonly selection?: Partial<Selection>;
  readonly signal?: AbortSignal;
  readonly onStep?: (name: string) => void;
}

export interface LifeEnd {
  readonly result: DriverResult | 'died';
  readonly steps: number;
}

/** What outlives a process: the disk and the gateway. */
export interface BatchWorld {
  readonly journal: readonly LineEvent[];
  readonly files: ReadonlySet<string>;
  /** Tasks by key, with what each was charged. */
  readonly tasks: ReadonlyMap<string, { readonly line: number; readonly chargedUsd: number }>;
  /** Every key that was sent, in order. */
  readonly posts: readonly string[];
  manifest(): Manifest;
  live(life?: Life): Promise<LifeEnd>;
}

const EVERYTHING: Selection = { pending: true, only: new Set(), unknown: false };

type Charges = Map<string, { readonly line: number; readonly chargedUsd: number }>;
type Step = <Value>(name: string, effect: () => Value) => Promise<Value>;

/** A batch whose processes may die at any step, in virtual time. */
export function batchWorld(options: WorldOptions): BatchWorld {
  const { ends, concurrency = 1, capUsd, priceUsd = 0.04 } = options;
  const journal: LineEvent[] = [];
  const files = new Set<string>();
  const tasks: Charges = new Map();
  const posts: string[] = [];
  let now = 1_000;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const manifest = () =>
    foldBatch(
      ends.map((_, index) => newLine(index + 1)),
      journal,
    );

  async function live(life: Life = {}): Promise<LifeEnd> {
    const { step, died, steps } = mortal(life);
    const deps: DriverDeps = {
      batch: 'id',
      manifest: manifest(),
      selection: { ...EVERYTHING, ...life.selection },
      capMicros: capUsd === undefined ? undefined : micros(capUsd),
      concurrency,
      request: (line) => ({ body: { line }, priceMicros: micros(priceUsd) }),
      tasks: worldGateway({ ends, priceUsd, tasks, posts, step }),
      append: (event) => step(`append ${event.type}`, () => void journal.push(event)),
      savePictures: (line) =>
        step('save', (): readonly PictureFile[] => {
          files.add(`${line}.png`);
          return [{ file: `${line}.png`, sha256: 'x', bytes: 1 }];
        }),
      clock,
      signal: life.signal ?? new AbortController().signal,
    };
    return { result: await Promise.race([drive(deps), died]), steps: steps() };
  }

  return { journal, files, tasks, posts, manifest, live };
}

/** Steps that never end once the process is dead, so that nothing of it happens later. */
function mortal({ diesAt, onStep }: Life) {
  const death = Promise.withResolvers<'died'>();
  const never = new Promise<never>(() => {});
  let steps = 0;
  const moment = async (name: string) => {
    onStep?.(name);
    if (steps === diesAt) return never;
    steps += 1;
    if (steps !== diesAt) return undefined;
    death.resolve('died');
    return never;
  };
  const step: Step = async (name, effect) => {
    await moment(`before ${name}`);
    const value = effect();
    await moment(`after ${name}`);
    return value;
  };
  return { step, died: death.promise, steps: () => steps };
}

interface WorldGateway {
  readonly ends: readonly WorldEnd[];
  readonly priceUsd: number;
  readonly tasks: Charges;
  readonly posts: string[];
  readonly step: Step;
}

/** The same key is the same task, charged once. */
function worldGateway({ ends, priceUsd, tasks, posts, step }: WorldGateway): TaskCalls {
  const endOf = (line: number) => ends[line - 1] ?? 'done';
  return {
    submit: ({ line }: JsonObject, { key }) =>
      step('submit', () => {
        posts.push(key);
        const end = endOf(Number(line));
        if (end === 'refused') return { kind: 'refused', status: 400, code: 'invalid_value', message: 'no' };
        if (!tasks.has(key)) tasks.set(key, { line: Number(line), chargedUsd: priceUsd });
        return { kind: 'told', value: taskView(key, 'pending', priceUsd) };
      }),
    read: (task) =>
      step('read', () => {
        const known = tasks.get(task);
        if (known === undefined) return { kind: 'gone' };
        return { kind: 'told', value: taskView(task, endOf(known.line), priceUsd) };
      }),
    picture: () => Promise.reject(new Error('pictures are saved without it here')),
  };
}

/** A task has its key for an id. */
function taskView(key: string, end: WorldEnd | 'pending', priceUsd: number): TaskView {
  const paid = { price_usd: priceUsd, possible_usd: 0 };
  const perhaps = { price_usd: 0, possible_usd: priceUsd };
  const task = { id: key, generation: key, pictures: [], missing: 0, billed: 'yes', charge: paid } as const;
  if (end === 'pending') return { ...task, status: 'pending' };
  if (end === 'done') return { ...task, status: 'completed', pictures: [{ url: 'u', sha256: 'x', type: 'png' }] };
  const code = end === 'unknown' ? 'outcome_unknown' : 'generation_failed';
  return { ...task, status: 'failed', billed: 'maybe', charge: perhaps, error: { code, message: 'no' } };
}
