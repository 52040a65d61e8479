import {
  type Asset,
  billed,
  type ChatPlan,
  costOf,
  type Event,
  type Failure,
  foldGeneration,
  type GeneratedImage,
  type Generation,
  type ImageRequest,
  isChatPlan,
  type JsonObject,
  type JsonValue,
  type Outcome,
  type Plan,
} from '@onetake/core';
import { answersFor } from '../failure-answers.ts';
import type { ListedRow } from '../store/browsing.ts';
import { type AnyPlan, makesPictures } from '../store/plan-kind.ts';
import type { GenerationRow, StoredGeneration } from '../store/store.ts';
import { targetOf } from './adapted.ts';
import { assetUrl, priceFields } from './answer.ts';
import { thumbnailOf } from './picture-links.ts';
import { type ThumbnailUrl, thumbnailField } from './previews.ts';
import { refusalFields, warningFields } from './refused.ts';
import { runsOfPictures, sentByRun } from './sent.ts';
import type { TaskViewOptions } from './task-view.ts';
import { traceFields } from './trace-fields.ts';

/** `GET /v1/generations/{id}`: the journal printed as a timeline, with what it adds up to. */
export function generationView(stored: StoredGeneration, assetsUrl: string, thumbnailUrl?: ThumbnailUrl): JsonValue {
  const generation = foldGeneration(stored.journals);
  const { outcome } = generation;
  return wire({
    ...rowFields(stored),
    caller: stored.caller,
    request: isChatPlan(stored.plan) ? chatRequestLines(stored.plan) : requestLines(stored.plan.request),
    ...commonLines(stored, generation),
    ...(isChatPlan(stored.plan)
      ? { usage: outcome?.usage }
      : pictureLines(stored.plan, generation, { assetsUrl, thumbnailUrl })),
    ...traceFields(stored, generation),
    failure: outcome && !outcome.ok ? failureLine(outcome.failure, stored.plan) : undefined,
    timeline: timeline(stored),
  });
}

function commonLines(stored: StoredGeneration, generation: Generation) {
  const { plan } = stored;
  return {
    policy: plan.policy,
    targets: plan.targets.map((target) => target.id),
    passedOver: plan.passedOver?.map(({ target, reason }) => ({ target, reason })),
    successor: plan.successor,
    deadlineAt: plan.deadlineAt,
    task: makesPictures(stored) ? stored.task : undefined,
    place: stored.place,
    webhook: stored.webhook,
    cancelRequestedAt: stored.cancelRequestedAt,
    attempts: generation.attempts,
    paidAttempts: generation.paidAttempts,
    ...(stored.settled ? settledFields(stored) : priceFields(costOf(plan, generation))),
  };
}

/** What the journal cannot know: what somebody found out at the provider. */
function settledFields({ costUsd }: StoredGeneration) {
  return { priceUsd: costUsd ?? null, priceBasis: 'settled' };
}

function pictureLines(plan: Plan, generation: Generation, links: Pick<TaskViewOptions, 'assetsUrl' | 'thumbnailUrl'>) {
  const { outcome } = generation;
  return {
    adapted: targetOf(plan, generation)?.adapted,
    regeneratedFrom: plan.regeneratedFrom,
    sent: sentByRun(plan, generation).map((sent) => (sent ? { ...sent, request: requestLines(sent.request) } : null)),
    images: outcome?.ok ? imageLines(outcome.images, generation, links) : [],
    setAside: setAside(generation, links.assetsUrl),
    ...(outcome?.ok === false && refusalFields(outcome.failure, plan)),
    ...warningFields(plan),
  };
}

/** What was said is not kept, but for its beginning. */
function chatRequestLines({ chat: { excerpt: _, ...request } }: ChatPlan) {
  return request;
}

function requestLines({ images, mask, source, ...request }: ImageRequest) {
  return {
    ...request,
    images: images?.map(assetLine),
    mask: mask && assetLine(mask),
    source: source && withoutQueries(source),
  };
}

/** `sent` of a picture says which of the generation's `sent` it was made by, from 0. */
function imageLines(
  images: readonly GeneratedImage[],
  generation: Generation,
  { assetsUrl, thumbnailUrl }: Pick<TaskViewOptions, 'assetsUrl' | 'thumbnailUrl'>,
) {
  const runs = runsOfPictures(generation);
  return images.map(({ asset, original, seed, revisedPrompt, suspect }, index) => ({
    ...asset,
    url: assetUrl(asset, assetsUrl),
    ...thumbnailField(asset, thumbnailUrl),
    seed,
    revisedPrompt,
    suspect,
    convertedFrom: original && { ...original, url: assetUrl(original, assetsUrl) },
    sent: runs[index],
  }));
}

/** Pictures that were made, doubted and not handed over; undefined where there are none. */
function setAside({ runs, outcome }: Generation, assetsUrl: string) {
  const given = new Set(outcome?.ok ? outcome.images.map(({ asset }) => asset.hash) : []);
  const made = runs.flatMap(({ attempts }) => attempts.flatMap((one) => (one.outcome?.ok ? one.outcome.images : [])));
  const left = made.filter(({ asset, suspect }) => suspect && !given.has(asset.hash));
  if (outcome === undefined || left.length === 0) return undefined;
  return left.map(({ asset, seed, suspect }) => ({ ...asset, url: assetUrl(asset, assetsUrl), seed, suspect }));
}

/** One row of `GET /v1/generations`. */
export function listedRowView(thumbnailUrl: ThumbnailUrl): (row: ListedRow) => JsonObject {
  return (row) => {
    const { makes, pictures, picture } = row;
    const shown = { makes, pictures, thumbnailUrl: picture ? thumbnailOf(picture, thumbnailUrl) : null };
    return wire({ ...rowFields(row), ...shown }) as JsonObject;
  };
}

/** The same of one that was read whole. */
export function listedRowOf(stored: StoredGeneration): ListedRow {
  if (!makesPictures(stored)) return { ...stored, makes: 'chat', pictures: 0 };
  const { outcome } = foldGeneration(stored.journals);
  const images = outcome?.ok ? outcome.images : [];
  const [first] = images;
  return { ...stored, makes: 'pictures', pictures: images.length, ...(first && { picture: first.asset }) };
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
    settled: row.settled,
    settledAt: row.settledAt,
    createdAt: row.createdAt,
    finishedAt: row.finishedAt,
    durationMs: row.finishedAt === undefined ? null : row.finishedAt - row.createdAt,
    deliveredAt: row.deliveredAt,
  };
}

/** Events of all runs in the order they happened; `ms` counts from the request's arrival. */
function timeline({ journals, createdAt, plan }: StoredGeneration) {
  const many = journals.length > 1;
  const lines = journals.flatMap((events, run) =>
    events.map((event) => ({ run: many ? run : undefined, ms: event.at - createdAt, ...eventLine(event, plan) })),
  );
  return lines.toSorted((a, b) => a.at - b.at);
}

function eventLine(event: Event, plan: AnyPlan) {
  switch (event.type) {
    case 'attempt-ended':
    case 'finished': {
      const { outcome, ...rest } = event;
      return { ...rest, ...(isChatPlan(plan) ? chatEnd(outcome, plan) : pictureEnd(outcome, plan)) };
    }
    case 'clock-fired':
    case 'polled': {
      const { failure, ...rest } = event;
      return { ...withoutQueries(rest), failure: failure && failureLine(failure, plan) };
    }
    case 'partial-sent':
      return {
        type: event.type,
        at: event.at,
        attempt: event.attempt,
        index: event.index,
        asset: assetLine(event.asset),
      };
    case 'handle-received':
      return withoutQueries(event);
    case 'mask-converted':
      return { ...event, asset: assetLine(event.asset) };
    default:
      return event;
  }
}

function pictureEnd(outcome: Outcome, plan: AnyPlan) {
  if (!outcome.ok) return { ok: false, failure: failureLine(outcome.failure, plan) };
  return {
    ok: true,
    images: outcome.images.map(({ asset, suspect }) => assetLine(asset) + suspectLine(suspect)),
    missing: outcome.missing?.map((failure) => failureLine(failure, plan)),
  };
}

function chatEnd(outcome: Outcome, plan: AnyPlan) {
  const { ok, usage } = outcome;
  return ok ? { ok, usage } : { ok, failure: failureLine(outcome.failure, plan), usage };
}

/** A job's handle may hold addresses, and the query of one may be all that it takes to open it. */
function withoutQueries<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
    typeof inner === 'string' && /^https?:/i.test(inner) ? inner.replace(/\?.*$/s, '?…') : inner,
  );
}

function failureLine(failure: Failure, plan: AnyPlan) {
  const { answer, advice } = answersFor(plan);
  return { ...failure, answer: answer(failure), billed: billed(failure), advice: advice(failure) };
}

function suspectLine(suspect: GeneratedImage['suspect'] = []): string {
  return suspect.length === 0 ? '' : ` suspect: ${suspect.map(({ code }) => code).join(', ')}`;
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
