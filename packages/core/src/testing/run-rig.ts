import assert from 'node:assert/strict';
import type { ChatPlan } from '../chat/chat.ts';
import { RUN_LIMITS, type RunEnvironment } from '../environment.ts';
import { createHealthBook, type HealthBook } from '../health.ts';
import { createMemoryAssets } from '../images/memory-assets.ts';
import type { Event, Journal, Outcome } from '../journal.ts';
import { loop, PARKED } from '../loop.ts';
import type { Modality } from '../modality.ts';
import type { PlannedTarget } from '../plan.ts';
import { FREE_TURNS } from '../turns.ts';
import { samplePlan } from './samples.ts';
import { createVirtualClock } from './virtual-clock.ts';

/** How one call ends, and how long after it was sent. */
export interface Ending {
  readonly outcome: Outcome;
  readonly afterMs: number;
}

/** One call as it was sent (epoch ms). */
export interface SentCall {
  readonly runId: string;
  readonly target: string;
  readonly at: number;
}

export interface RunRigOptions {
  /** Plays every call; `index` counts the calls to that target from 0. */
  readonly play: (call: SentCall, index: number) => Ending;
  readonly repeats?: (io: Pick<RunEnvironment['io'], 'now'>) => RunEnvironment['repeats'];
  readonly health?: HealthBook;
  readonly afford?: RunEnvironment['afford'];
  readonly turns?: RunEnvironment['turns'];
  /** What its targets are beside their names. */
  readonly targets?: Readonly<Record<string, Partial<PlannedTarget>>>;
}

/** Runs of chat through the loop, many at once in virtual time, with a health book and repeats that they share. */
export function createRunRig(options: RunRigOptions) {
  const { play, repeats, health = createHealthBook(), afford, turns = FREE_TURNS, targets = {} } = options;
  const clock = createVirtualClock();
  const sent: SentCall[] = [];
  const shared = repeats?.(clock);
  const modality = (runId: string): Modality => ({
    claim: { images: 0, tokens: 100 },
    words: () => ['hello'],
    inForce: (_run, target) => target,
    async submit({ target, attempt }): Promise<Event> {
      const call = { runId, target: target.id, at: clock.now() };
      const { outcome, afterMs } = play(call, sent.filter((one) => one.target === target.id).length);
      sent.push(call);
      await new Promise<void>((resolve) => clock.timer(clock.now() + afterMs, resolve));
      return { type: 'attempt-ended', at: clock.now(), attempt, outcome };
    },
    poll: () => Promise.reject(new Error('chat has no jobs')),
    cancel: () => Promise.reject(new Error('chat has no jobs')),
    finished: (outcome) => outcome,
  });

  /** Starts a run at an instant, with what is in its journal already; `names` are its targets in order. */
  async function start(runId: string, names: readonly string[], at = clock.now(), past: readonly Event[] = []) {
    await new Promise<void>((resolve) => clock.timer(at, resolve));
    const events: Event[] = [...past];
    const journal: Journal = {
      events: past,
      append: async (added) => {
        events.push(...added);
      },
    };
    const planned = chatPlan(names, clock.now());
    const plan = { ...planned, targets: planned.targets.map((one) => ({ ...one, ...targets[one.provider] })) };
    const outcome = await loop(runId, plan, journal, environmentOf(), modality(runId));
    assert.ok(outcome !== PARKED);
    return { outcome, events, endedAt: clock.now() };
  }

  function environmentOf(): RunEnvironment {
    return {
      io: { now: clock.now, timer: clock.timer, send: () => Promise.reject(new Error('nothing is sent here')) },
      assets: createMemoryAssets(),
      health,
      turns,
      connection: () => undefined,
      presence: () => ({ unsentGraceMs: 0 }),
      onPresence: () => () => {},
      cancel: new AbortController().signal,
      park: new AbortController().signal,
      limits: RUN_LIMITS,
      ...(shared && { repeats: shared }),
      ...(afford && { afford }),
    };
  }

  return { clock, sent, health, start };
}

/** Held to the policy of chat: 5 attempts a target, what is ambiguous is repeated, a second target goes first. */
function chatPlan(names: readonly string[], now: number): ChatPlan {
  const { request: _, ...run } = samplePlan(names, { payment: 'available', maxPaidAttempts: 5 });
  const retry = { ...run.policy.retry, maxPaidAttemptsBeforeFallback: 1 };
  return {
    ...run,
    policy: { ...run.policy, retry },
    chat: { endpoint: 'chat/completions', stream: true, excerpt: 'hello', inputTokens: 100 },
    createdAt: now,
    deadlineAt: now + 86_400_000,
  };
}
