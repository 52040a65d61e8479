import { type Account, createAccount } from './account.ts';
import type { Io } from './io.ts';
import type { Cells, Limits, Pacer } from './pacing.ts';
import { type RunningCallers, TurnQueue } from './turn-queue.ts';

export interface PacerOptions {
  /** What is known of a credential's limits at a target, read once; what is not known is learned. */
  readonly limits: (target: string, credential: string) => Limits | undefined;
  /** Jobs that others are known to have given a server of a pool: those with fewer are next. Default: none. */
  readonly load?: (target: string, credential: string) => number;
  readonly cells: Cells;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** Turns of one caller at once; the caller `''` is nobody and has no bound. Default: no bound. */
  readonly maxRunningPerCaller?: number;
  /** Requests that may wait at one target; `take` rejects with `QueueFullError` beyond. Default 100,000. */
  readonly maxWaiting?: number;
  /** Tells this process from others that share the cells. Default: the instant of its making. */
  readonly owner?: string;
}

/** A pacer that can be told that a credential became usable. */
export interface WakefulPacer extends Pacer {
  /** Looks at once whether those who wait at this target, or at any, may go; without it they notice in 250 ms. */
  wake(target?: string): void;
}

const MAX_WAITING = 100_000;
const MAX_QUEUES = 10_000;

/** Gives turns in the order of the tickets, within limits that are configured, told by providers, or found out. */
export function createPacer(options: PacerOptions): WakefulPacer {
  const { cells, io } = options;
  const owner = options.owner ?? io.now().toString(36);
  const queues = new Map<string, TurnQueue>();
  const byKey = new Map<string, { readonly queue: TurnQueue; readonly account: Account }>();
  const callers = createRunningCallers(options.maxRunningPerCaller ?? Number.POSITIVE_INFINITY, queues);
  let ids = 0;

  cells.onChange((key) => {
    const found = byKey.get(key);
    found?.account.changed();
    found?.queue.look();
  });

  function queueOf(target: string): TurnQueue {
    const known = queues.get(target);
    if (known) return known;
    if (queues.size >= MAX_QUEUES) forgetOneIdle();
    const load = (credential: string) => options.load?.(target, credential) ?? 0;
    const maxWaiting = options.maxWaiting ?? MAX_WAITING;
    const queue = new TurnQueue({ target, io, callers, maxWaiting, openAccount, load });
    queues.set(target, queue);
    return queue;

    function openAccount(credential: string, to: TurnQueue): Account {
      const key = `${target}#${credential}`;
      const account = createAccount({
        ...{ key, credential, cells, io },
        configured: options.limits(target, credential),
        nextId: () => {
          ids += 1;
          return `${owner}-${ids.toString(36)}`;
        },
        onRoom: () => to.look(),
        onLasted: (ms) => to.lasted(ms),
      });
      byKey.set(key, { queue: to, account });
      return account;
    }
  }

  function forgetOneIdle(): void {
    const [target, queue] = [...queues].find(([, one]) => one.isIdle()) ?? [];
    if (target === undefined) return;
    queues.delete(target);
    for (const [key, one] of byKey) if (one.queue === queue) byKey.delete(key);
  }

  return {
    take: (request) => queueOf(request.target).take(request),
    adopt: (target, credential, caller) => queueOf(target).adopt(credential, caller),
    expect: (target, claim, ticket) => queues.get(target)?.expect(claim, ticket),
    report: () => [...queues.values()].flatMap((queue) => queue.report()),
    wake(target) {
      const woken = target === undefined ? queues.values() : [queues.get(target)];
      for (const queue of woken) queue?.look();
    },
  };
}

function createRunningCallers(most: number, queues: ReadonlyMap<string, TurnQueue>): RunningCallers {
  const running = new Map<string, number>();
  const change = (caller: string, by: number) => {
    if (caller === '') return;
    const count = (running.get(caller) ?? 0) + by;
    if (count > 0) running.set(caller, count);
    else running.delete(caller);
  };
  const mayGo = (caller: string) => (running.get(caller) ?? 0) < most;
  return {
    mayGo,
    began: (caller) => change(caller, 1),
    dropped: (caller) => change(caller, -1),
    ended(caller) {
      const wasFull = !mayGo(caller);
      change(caller, -1);
      if (wasFull) for (const queue of queues.values()) if (queue.waits(caller)) queue.look();
    },
  };
}
