import type { Failure } from '../failure.ts';
import type { Outcome } from '../journal.ts';
import type { Pacer, Turn } from '../pacing.ts';
import { type LimitReading, readLimits } from '../policy/limit-words.ts';
import type { Rate } from '../rate.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a simulated provider enforces: strict sliding windows, and calls in flight. `says` is all it tells of a refusal. */
export interface EnforcedLimits {
  readonly images?: readonly Rate[];
  readonly requests?: readonly Rate[];
  readonly concurrency?: (now: number) => number;
  readonly says: (refused: Refused) => Pick<Failure, 'message' | 'throttle' | 'notBefore'>;
}

export interface Refused {
  readonly by: 'images' | 'requests' | 'concurrency';
  readonly limit: number;
  readonly windowMs: number;
  readonly used: number;
  readonly waitMs: number;
  readonly now: number;
}

/** One call as the provider saw it. */
export interface SeenCall {
  readonly sentAt: number;
  readonly arrivedAt: number;
  readonly images: number;
  readonly accepted: boolean;
  readonly endedAt: number;
}

export interface LimitedProvider {
  readonly calls: SeenCall[];
  /** Sends one call with this turn, and settles it. */
  call(turn: Turn, images: number): Promise<Outcome>;
}

export interface LimitedProviderOptions {
  readonly clock: VirtualClock;
  readonly random: () => number;
  /** How long a call works; 2 to 6 s where not given. */
  readonly workMs?: () => number;
  /** The way there and back; 2 to 30 ms each where not given. */
  readonly latencyMs?: () => number;
}

export function createLimitedProvider(limits: EnforcedLimits, options: LimitedProviderOptions): LimitedProvider {
  const { clock, random } = options;
  const latencyMs = options.latencyMs ?? (() => 2 + random() * 28);
  const workMs = options.workMs ?? (() => 2_000 + random() * 4_000);
  const calls: SeenCall[] = [];
  const uses: { readonly at: number; readonly images: number; readonly requests: number }[] = [];
  let open = 0;

  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      clock.timer(clock.now() + ms, resolve);
    });

  function refusal(images: number): Refused | undefined {
    const now = clock.now();
    const allowed = limits.concurrency?.(now);
    if (allowed !== undefined && open >= allowed)
      return { by: 'concurrency', limit: allowed, windowMs: 0, used: open, waitMs: 0, now };
    for (const by of ['images', 'requests'] as const) {
      const need = by === 'images' ? images : 1;
      for (const { count, windowMs } of limits[by] ?? []) {
        const inside = uses.filter((use) => now - use.at < windowMs);
        const used = inside.reduce((sum, use) => sum + use[by], 0);
        const waitMs = (inside[0]?.at ?? now) + windowMs - now;
        if (used + need > count) return { by, limit: count, windowMs, used, waitMs, now };
      }
    }
    return undefined;
  }

  return {
    calls,
    async call(turn, images) {
      const sentAt = clock.now();
      await wait(latencyMs());
      const arrivedAt = clock.now();
      const refused = refusal(images);
      if (refused === undefined) {
        open += 1;
        uses.push({ at: arrivedAt, images, requests: 1 });
        await wait(workMs());
        open -= 1;
      }
      const endedAt = clock.now();
      await wait(latencyMs());
      calls.push({ sentAt, arrivedAt, images, accepted: refused === undefined, endedAt });
      const outcome = refused ? refusedOutcome(limits.says(refused)) : DONE;
      if (!outcome.ok) turn.observe(readingsOf(outcome.failure, clock.now()));
      turn.settle(outcome);
      return outcome;
    },
  };
}

const DONE: Outcome = { ok: true, images: [] };

function refusedOutcome(words: Pick<Failure, 'message' | 'throttle' | 'notBefore'>): Outcome & { ok: false } {
  return { ok: false, failure: { kind: 'throttled', certainty: 'rejected', ...words } };
}

function readingsOf({ message }: Failure, now: number): readonly LimitReading[] {
  return readLimits({}, message, now);
}

export interface Batch {
  readonly pacer: Pacer;
  readonly provider: LimitedProvider;
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly requests: number;
  /** Requests under way at once. */
  readonly wanted: number;
  readonly credentials?: readonly string[];
  readonly images?: () => number;
}

export const SIMULATED_TARGET = 'simulated/pictures';

/** Makes every picture, repeating what was refused after a growing pause, and tells when each was done. */
export async function runBatch({ pacer, provider, clock, random, requests, wanted, ...batch }: Batch) {
  const doneAt: number[] = [];
  let next = 0;

  async function one(number: number): Promise<void> {
    const images = batch.images?.() ?? 1;
    for (let tries = 0; ; tries += 1) {
      const credentials = () => batch.credentials ?? ['key'];
      const ticket = { caller: '', tag: number };
      const [turn] = await pacer.take({ target: SIMULATED_TARGET, credentials, claim: { images }, ticket });
      if (turn === undefined) throw new Error('a turn without a turn');
      const outcome = await provider.call(turn, images);
      if (outcome.ok) break;
      const pauseMs = random() * Math.min(1_000 * 2 ** tries, 20_000);
      await new Promise<void>((resolve) => clock.timer(clock.now() + pauseMs, resolve));
    }
    doneAt.push(clock.now());
  }

  async function worker(): Promise<void> {
    while (next < requests) {
      const number = next;
      next += 1;
      await one(number);
    }
  }
  await Promise.all(Array.from({ length: wanted }, worker));
  return doneAt;
}

/** Mulberry32: the same numbers for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
