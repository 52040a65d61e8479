import { randomBytes } from 'node:crypto';
import {
  type Asset,
  type FairClock,
  type FairTag,
  type ImageRequest,
  type Plan,
  type PolicySettings,
  splitPlan,
  type TraceContext,
} from '@onetake/core';
import type { NewGeneration, Place, Webhook } from '../store/store.ts';
import { assetRow } from './journal.ts';

/** A request as the HTTP edge understood it. */
export interface Submission {
  /** Chosen before it is submitted; without it one is made. */
  readonly id?: string;
  readonly caller: string;
  readonly endpoint: string;
  readonly requestId: string;
  readonly request: ImageRequest;
  readonly model: string | undefined;
  readonly settings: PolicySettings;
  readonly fingerprint: string;
  readonly attach: boolean;
  readonly provenRetry: boolean;
  readonly idempotencyKey: string | undefined;
  readonly priority: Place['priority'];
  /** It is fetched by its id: nobody needs to wait for it. */
  readonly asTask: boolean;
  readonly webhook?: Webhook;
  /** What the request says of the cache, where it says anything. Not for tasks. */
  readonly cache?: 'on' | 'off';
  /** The generation that it repeats. */
  readonly regeneratedFrom?: string;
  /** The trace that it belongs to. */
  readonly trace?: TraceContext;
  /** The set of candidates that it is one of. */
  readonly candidates?: string;
}

/** What is written of it when it begins, without how it begins. */
export function newGeneration(submission: Submission, plan: Plan, idempotencyMs: number): Omit<NewGeneration, 'begin'> {
  const { caller, endpoint, fingerprint, requestId, idempotencyKey: key, candidates } = submission;
  return {
    id: submission.id ?? drawId(),
    caller,
    endpoint,
    fingerprint,
    requestId,
    plan,
    runs: splitPlan(plan).length,
    createdAt: plan.createdAt,
    assets: uploadsOf(submission.request).map(assetRow),
    ...webhookOf(submission),
    ...(candidates !== undefined && { candidates }),
    ...(key !== undefined && { idempotency: { key, expiresAt: plan.createdAt + idempotencyMs } }),
  };
}

export function drawId(): string {
  return `gen_${randomBytes(12).toString('hex')}`;
}

/** Pictures of one target cost about the same, so their number is what fairness weighs. */
export function placeTag({ caller, priority }: Submission, plan: Plan, clock: FairClock): FairTag {
  return clock.tag(queueOf(plan), caller, priority, plan.request.n);
}

const TASK_MS = 24 * 3_600_000;

/** A task has a deadline only where one was asked for; a day bounds it all the same. */
export function asTask(plan: Plan, settings: PolicySettings, priority: Place['priority']): Plan {
  const totalMs = Math.min(settings.totalTimeoutMs ?? TASK_MS, TASK_MS);
  const timeout = { ...plan.policy.timeout, totalMs };
  return {
    ...plan,
    unattended: true,
    ...(priority === 'batch' && { priority }),
    policy: { ...plan.policy, timeout },
    deadlineAt: plan.createdAt + totalMs,
  };
}

/** The target whose turn it waits for: the one it prefers. */
export function queueOf(plan: Plan): string {
  return plan.targets[0]?.id ?? plan.route;
}

export function webhookOf({ webhook }: Submission) {
  return webhook === undefined ? {} : { webhook };
}

function uploadsOf({ images = [], mask }: ImageRequest): readonly Asset[] {
  return mask ? [...images, mask] : images;
}
