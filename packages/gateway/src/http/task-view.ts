import {
  billed,
  CHAT_ENDPOINTS,
  costOf,
  type Event,
  type Failure,
  foldGeneration,
  type Generation,
  isChatPlan,
  type JsonObject,
  splitTarget,
} from '@onetake/core';
import { answersFor } from '../failure-answers.ts';
import type { AnyPlan } from '../store/plan-kind.ts';
import type { GenerationRow, Status } from '../store/store.ts';
import { isOver, type Snapshot } from '../tasks/following.ts';
import type { QueuePosition } from '../tasks/tasks.ts';
import { adaptedFields } from './adapted.ts';
import { imageLink, pictureFields, priceFields, resolvedFields } from './answer.ts';
import { type ThumbnailUrl, thumbnailField } from './previews.ts';
import { refusalFields } from './refused.ts';

export interface TaskViewOptions {
  /** Links to pictures begin with this. */
  readonly assetsUrl: string;
  readonly thumbnailUrl?: ThumbnailUrl | undefined;
  /** Where it waits, where that is known. */
  readonly position?: QueuePosition | undefined;
}

/**
 * The task object: what a generation is to those who fetch it by its id. Completed, it is an images answer with links.
 * `progress` is 0 to 100, and 100 only when there are pictures; `created` is epoch seconds, `eta_ms` may be null.
 */
export function taskView(snapshot: Snapshot, options: TaskViewOptions): JsonObject {
  const generation = foldGeneration(snapshot.journals);
  const status = shownStatus(snapshot);
  return {
    id: snapshot.id,
    object: nameOf(isChatPlan(snapshot.plan)),
    status,
    progress: progressOf(snapshot),
    created: seconds(snapshot.createdAt),
    model: snapshot.plan.route,
    ...(status === 'pending' && { queue: queueFields(options.position) }),
    ...resultFields(snapshot, generation, options),
  };
}

/** A task in a list: without its journal, so only what the row knows. */
export function taskRowView(row: GenerationRow): JsonObject {
  return {
    id: row.id,
    object: nameOf(CHAT_PATHS.includes(row.endpoint)),
    status: row.status,
    progress: row.status === 'completed' ? 100 : 0,
    created: seconds(row.createdAt),
    model: row.route,
    ...(row.code !== undefined && { error: { code: row.code } }),
  };
}

function nameOf(isChat: boolean): string {
  return isChat ? 'chat.task' : 'image.generation.task';
}

/** All that a row tells of its kind is the path its request came by. */
const CHAT_PATHS: readonly string[] = CHAT_ENDPOINTS.map((endpoint) => `/v1/${endpoint}`);

/** What was taken from the queue and not yet sent still waits for its turn. */
export function shownStatus({ status, journals }: Pick<Snapshot, 'status' | 'journals'>): Status {
  const isStarted = journals.some((events) => events.some(({ type }) => type === 'attempt-started'));
  return status === 'processing' && !isStarted ? 'pending' : status;
}

/** The mean of its runs, each as far as its last attempt came; below 100 until there are pictures. */
export function progressOf({ status, journals, plan }: Pick<Snapshot, 'status' | 'journals' | 'plan'>): number {
  if (status === 'completed') return 100;
  const sum = journals.reduce((total, events) => total + runProgress(events, partialImagesOf(plan)), 0);
  return Math.min(99, Math.floor(sum / Math.max(1, journals.length)));
}

function partialImagesOf(plan: AnyPlan): number | undefined {
  return isChatPlan(plan) ? undefined : plan.request.partialImages;
}

function runProgress(events: readonly Event[], partialImages: number | undefined): number {
  return events.reduce((reached, event) => {
    switch (event.type) {
      case 'attempt-started':
        return 0;
      case 'handle-received':
      case 'polled':
        return Math.max(reached, Math.min(100, Math.max(0, event.progress ?? 0)));
      case 'partial-sent':
        return Math.max(reached, previewProgress(event.index, partialImages));
      case 'finished':
        return event.outcome.ok ? 100 : reached;
      default:
        return reached;
    }
  }, 0);
}

/** Of so many previews and the picture itself, this one came. */
function previewProgress(index: number, partialImages = 1): number {
  const previews = Math.max(partialImages, index + 1);
  return (100 * (index + 1)) / (previews + 1);
}

/** What left the queue, or whose place is not known, is next. */
function queueFields(place: QueuePosition | undefined): JsonObject {
  return { position: place?.position ?? 1, eta_ms: place?.etaMs === undefined ? null : Math.ceil(place.etaMs) };
}

function resultFields(
  snapshot: Snapshot,
  generation: Generation,
  { assetsUrl, thumbnailUrl }: TaskViewOptions,
): JsonObject {
  const { plan, status } = snapshot;
  const { outcome } = generation;
  const onetake = commonFields(snapshot, generation);
  if (status === 'completed' && outcome?.ok && isChatPlan(plan)) {
    const { usage } = outcome;
    return { ...(usage && { usage }), onetake: { ...onetake, billed: billedOf(plan, generation) } };
  }
  if (status === 'completed' && outcome?.ok && !isChatPlan(plan)) {
    const { images, usage, missing = [] } = outcome;
    return {
      data: images.map((image) => ({ ...imageLink(image, assetsUrl), ...thumbnailField(image.asset, thumbnailUrl) })),
      ...resolvedFields({ plan, generation }, images[0]),
      ...(usage && { usage }),
      onetake: { ...onetake, billed: billedOf(plan, generation), ...pictureFields(images, missing) },
    };
  }
  if (!isOver(snapshot)) return { onetake };
  const failure = outcome?.ok === false ? outcome.failure : UNSENT;
  const { type, code } = answersFor(plan).answer(failure);
  const refusal = isChatPlan(plan) ? {} : refusalFields(failure, plan);
  return {
    error: { message: failure.message, type, code },
    ...(outcome?.usage && { usage: outcome.usage }),
    onetake: { ...onetake, ...failureFields(failure, snapshot), ...refusal },
  };
}

/** Of what ended while it waited: nothing of it is in a journal. */
const UNSENT: Failure = { kind: 'canceled', certainty: 'not_sent', message: 'canceled before anything was sent' };

function commonFields(snapshot: Snapshot, generation: Generation): JsonObject {
  const { id, plan } = snapshot;
  const [target] = generation.targets;
  const cancel = cancelOf(snapshot, generation);
  return {
    generation: id,
    ...(target !== undefined && { ...splitTarget(target) }),
    attempts: generation.attempts,
    paid_attempts: generation.paidAttempts,
    ...priceFields(costOf(plan, generation)),
    ...adaptedFields(plan, generation),
    ...stageField(generation),
    ...(cancel && { cancel }),
  };
}

/** How far the job has come in the provider's own words, such as `cold_start`. */
function stageField({ runs }: Generation): JsonObject {
  const attempts = runs.map((run) => run.attempts.at(-1)).filter((attempt) => attempt?.outcome === undefined);
  const stage = attempts.find((attempt) => attempt?.stage !== undefined)?.stage;
  return stage === undefined ? {} : { stage };
}

/** Pictures are paid for, but where nothing is billed; attempts beside them that nobody knows the end of may be. */
function billedOf(plan: AnyPlan, generation: Generation): 'yes' | 'maybe' | 'no' {
  const { possibleCharges, basis } = costOf(plan, generation);
  if (possibleCharges > 0) return 'maybe';
  return basis === 'none' ? 'no' : 'yes';
}

function failureFields(failure: Failure, { finishedAt, plan }: Snapshot): JsonObject {
  return {
    billed: billed(failure),
    kind: failure.kind,
    certainty: failure.certainty,
    ...(failure.requestId !== undefined && { provider_request_id: failure.requestId }),
    ...(failure.notBefore !== undefined &&
      finishedAt !== undefined && { retry_after_ms: Math.max(0, failure.notBefore - finishedAt) }),
    advice: answersFor(plan).advice(failure),
  };
}

/**
 * `confirmed` when nothing had been sent or the provider said that it gave the job up, `unconfirmed` when it may go on
 * and be billed, `requested` while that is not known.
 */
function cancelOf(snapshot: Snapshot, { runs }: Generation): 'confirmed' | 'unconfirmed' | 'requested' | undefined {
  if (!isOver(snapshot)) return snapshot.cancelRequestedAt === undefined ? undefined : 'requested';
  const canceled = runs.flatMap(({ finished }) =>
    finished?.ok === false && finished.failure.kind === 'canceled' ? [finished.failure] : [],
  );
  if (canceled.length === 0) return snapshot.status === 'canceled' ? 'confirmed' : undefined;
  const told = canceled.map((failure) => failure.cancel ?? (billed(failure) === 'no' ? 'confirmed' : 'unconfirmed'));
  return told.includes('unconfirmed') ? 'unconfirmed' : 'confirmed';
}

function seconds(atMs: number): number {
  return Math.floor(atMs / 1000);
}
