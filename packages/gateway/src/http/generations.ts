import {
  type Asset,
  adviceFor,
  billed,
  costOf,
  type Event,
  foldGeneration,
  httpAnswer,
  type JsonValue,
} from '@onetake/core';
import type { GenerationRow, StoredGeneration } from '../store/store.ts';
import { targetOf } from './adapted.ts';
import { assetUrl, priceFields } from './answer.ts';

/** `GET /v1/generations/{id}`: the journal printed as a timeline, with what it adds up to. */
export function generationView(stored: StoredGeneration, assetsUrl: string): JsonValue {
  const { plan, journals } = stored;
  const generation = foldGeneration(journals);
  const outcome = generation.outcome;
  const cost = costOf(plan, generation);
  return wire({
    ...rowFields(stored),
    request: {
      ...plan.request,
      images: plan.request.images?.map(assetLine),
      mask: plan.request.mask && assetLine(plan.request.mask),
    },
    policy: plan.policy,
    targets: plan.targets.map((target) => target.id),
    adapted: targetOf(plan, generation)?.adapted,
    passedOver: plan.passedOver?.map(({ target, reason }) => ({ target, reason })),
    successor: plan.successor,
    deadlineAt: plan.deadlineAt,
    task: stored.task,
    place: stored.place,
    webhook: stored.webhook,
    cancelRequestedAt: stored.cancelRequestedAt,
    attempts: generation.attempts,
    paidAttempts: generation.paidAttempts,
    ...priceFields(cost),
    images: outcome?.ok ? outcome.images.map(({ asset }) => ({ ...asset, url: assetUrl(asset, assetsUrl) })) : [],
    failure: outcome && !outcome.ok ? failureLine(outcome.failure) : undefined,
    timeline: timeline(stored),
  });
}

/** One row of `GET /v1/generations`. */
export function generationRowView(row: GenerationRow): JsonValue {
  return wire(rowFields(row));
}

function rowFields(row: GenerationRow) {
  return {
    id: row.id,
    object: 'generation',
    status: row.status,
    endpoint: row.endpoint,
    route: row.route,
    prompt: row.prompt,
    target: row.target,
    code: row.code,
    // A row says `yes` of every picture, because a picture is kept for its caller whatever it cost.
    billed: row.billed === 'yes' && row.costUsd === 0 ? 'no' : row.billed,
    priceUsd: row.costUsd ?? null,
    possibleUsd: row.possibleUsd,
    createdAt: row.createdAt,
    finishedAt: row.finishedAt,
    deliveredAt: row.deliveredAt,
  };
}

/** Events of all runs in the order they happened; `ms` counts from the request's arrival. */
function timeline({ journals, createdAt }: StoredGeneration) {
  const many = journals.length > 1;
  const lines = journals.flatMap((events, run) =>
    events.map((event) => ({ run: many ? run : undefined, ms: event.at - createdAt, ...eventLine(event) })),
  );
  return lines.toSorted((a, b) => a.at - b.at);
}

function eventLine(event: Event) {
  switch (event.type) {
    case 'attempt-ended':
    case 'finished': {
      const { outcome, ...rest } = event;
      return outcome.ok
        ? {
            ...rest,
            ok: true,
            images: outcome.images.map(({ asset }) => assetLine(asset)),
            missing: outcome.missing?.map(failureLine),
          }
        : { ...rest, ok: false, failure: failureLine(outcome.failure) };
    }
    case 'clock-fired':
    case 'polled': {
      const { failure, ...rest } = event;
      return { ...rest, failure: failure && failureLine(failure) };
    }
    case 'partial-sent':
      return {
        type: event.type,
        at: event.at,
        attempt: event.attempt,
        index: event.index,
        asset: assetLine(event.asset),
      };
    case 'mask-converted':
      return { ...event, asset: assetLine(event.asset) };
    default:
      return event;
  }
}

function failureLine(failure: Parameters<typeof billed>[0]) {
  return { ...failure, answer: httpAnswer(failure), billed: billed(failure), advice: adviceFor(failure) };
}

/** `<png 49152 B sha256:ab12…>`: enough to recognise a picture, never its bytes. */
function assetLine({ type, bytes, hash, width, height }: Asset): string {
  return `<${type} ${width}x${height} ${bytes} B sha256:${hash}>`;
}

/** The wire's spelling: snake_case keys, nothing undefined. */
function wire(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(wire);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([key, field]) => [snakeCase(key), wire(field)]));
}

function snakeCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
