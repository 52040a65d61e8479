import { FAILURES, type Failure, type FailureKind } from '../failure.ts';
import type { Asset } from '../images/asset.ts';
import { type Event, foldRun, type Outcome, type Run } from '../journal.ts';
import type { Plan, PlannedTarget, Policy, RetryPolicy, TimeoutPolicy } from '../plan.ts';
import type { ImageRequest } from '../request.ts';
import type { Look } from '../suspects.ts';

/** The defaults of `planImage`, written out so that a test shows what it depends on. */
export const SAMPLE_RETRY: RetryPolicy = {
  maxFreeAttempts: 5,
  maxFreeAttemptsBeforeFallback: 2,
  maxPaidAttemptsBeforeFallback: 2,
  notSentDelayMs: 50,
  throttledDelayMs: 1_000,
  overloadedDelayMs: 2_000,
  maxDelayMs: 30_000,
  maxWaitBeforeFallbackMs: 5_000,
};

export const SAMPLE_TIMEOUT: TimeoutPolicy = {
  connectMs: 10_000,
  idleMs: 60_000,
  totalMs: 600_000,
  harvestMs: 600_000,
};

export const SAMPLE_ASSET: Asset = {
  hash: 'a'.repeat(64),
  bytes: 69,
  type: 'png',
  width: 1,
  height: 1,
  animated: false,
  alpha: false,
};

export function sampleRequest(changes: Partial<ImageRequest> = {}): ImageRequest {
  return { operation: 'generate', prompt: 'a lighthouse', n: 1, ...changes };
}

export function samplePolicy(changes: Partial<Policy> = {}): Policy {
  return {
    payment: 'standard',
    maxPaidAttempts: 2,
    fallback: true,
    retry: SAMPLE_RETRY,
    timeout: SAMPLE_TIMEOUT,
    ...changes,
  };
}

/** `name/model` behind the credential `name`. */
export function sampleTarget(name: string, changes: Partial<PlannedTarget> = {}): PlannedTarget {
  return {
    id: `${name}/model`,
    provider: name,
    model: 'model',
    credential: name,
    streams: true,
    maxImagesPerCall: 10,
    firstByteMs: 300_000,
    ...changes,
  };
}

/** Created at 0 with the deadline its policy says; one target per name. */
export function samplePlan(names: readonly string[] = ['a'], policy: Partial<Policy> = {}): Plan {
  const whole = samplePolicy(policy);
  return {
    request: sampleRequest(),
    route: 'route',
    targets: names.map((name) => sampleTarget(name)),
    policy: whole,
    createdAt: 0,
    deadlineAt: whole.timeout.totalMs,
  };
}

/** A failure with its kind's usual certainty. */
export function sampleFailure(kind: FailureKind, changes: Partial<Failure> = {}): Failure {
  return { kind, certainty: FAILURES[kind].certainty, message: `a sample of ${kind}`, ...changes };
}

export function sampleFailed(kind: FailureKind, changes: Partial<Failure> = {}): Outcome & { ok: false } {
  return { ok: false, failure: sampleFailure(kind, changes) };
}

/** Of a picture that nothing speaks against. */
export const SAMPLE_LOOK: Look = {
  ...{ width: 1, height: 1, meanLuma: 0.4, peakLuma: 0.9, deviation: 0.2, colourDeviation: 0.2 },
  ...{ opaqueShare: 1, alphaDeviation: 0, contrast: 0.6, sharpness: 0.5, hash: '0f1e2d3c4b5a6978' },
};

export const SAMPLE_BLACK_LOOK: Look = {
  ...SAMPLE_LOOK,
  ...{ meanLuma: 0, peakLuma: 0, deviation: 0, colourDeviation: 0, contrast: 0, sharpness: 0, hash: '0'.repeat(16) },
};

/** A picture that was looked at and found black. */
export const SAMPLE_DOUBTED: Outcome = {
  ok: true,
  images: [{ asset: SAMPLE_ASSET, suspect: [{ code: 'black', detail: 'the picture is black' }] }],
};

export const SAMPLE_SUCCESS: Outcome = { ok: true, images: [{ asset: SAMPLE_ASSET }] };

/** An ended attempt: the target's name, how it ended, and when (epoch ms); it began at the same instant. */
export type SampleAttempt = readonly [name: string, outcome: Outcome, endedAt?: number];

export function sampleEvents(...attempts: readonly SampleAttempt[]): readonly Event[] {
  return attempts.flatMap(([name, outcome, at = 0], index): readonly Event[] => [
    { type: 'attempt-started', at, attempt: index + 1, target: `${name}/model` },
    { type: 'attempt-ended', at, attempt: index + 1, outcome },
  ]);
}

export function sampleRun(...attempts: readonly SampleAttempt[]): Run {
  return foldRun(sampleEvents(...attempts));
}
