import {
  type Cost,
  costOf,
  type Failure,
  foldGeneration,
  type GeneratedImage,
  type Generation,
  httpAnswer,
  type JsonObject,
  type Plan,
  splitTarget,
} from '@onetake/core';
import { bestOf, isGood, type Judgement } from '../candidates/judge.ts';
import type { CandidateSet, Judged, Member } from '../candidates/sets.ts';
import { makesPictures } from '../store/plan-kind.ts';
import { isOver, type Snapshot } from '../tasks/following.ts';
import { targetOf } from './adapted.ts';
import { assetUrl, priceFields } from './answer.ts';

/** A candidate as it stands: its generation, its picture, and what is thought of it. */
export interface Standing {
  /** From 1. */
  readonly index: number;
  readonly member: Member;
  /** Undefined where there is no such generation (any more). */
  readonly snapshot: Snapshot<Plan> | undefined;
  readonly generation: Generation | undefined;
  readonly image: GeneratedImage | undefined;
  readonly judgement: Judgement | undefined;
  /** Of its whole set. */
  readonly judged?: Judged;
}

export type StandingStatus =
  | 'pending'
  | 'processing'
  /** A picture above suspicion. */
  | 'good'
  /** A picture, and a reason to doubt it. */
  | 'flagged'
  | 'failed'
  | 'canceled'
  /** Removed by retention. */
  | 'gone';

export function standingOf(member: Member, at: number, found: Snapshot | undefined): Standing {
  const snapshot = found && makesPictures(found) ? found : undefined;
  const generation = snapshot && foldGeneration(snapshot.journals);
  const image = generation?.outcome?.ok ? generation.outcome.images[0] : undefined;
  return { index: at + 1, member, snapshot, generation, image, judgement: undefined };
}

/** Whether nothing more comes of it. */
export function isSettled({ snapshot }: Standing): boolean {
  return snapshot === undefined || isOver(snapshot);
}

export function statusOf({ member, snapshot, image, judgement }: Standing): StandingStatus {
  if (snapshot === undefined) return member.failure ? 'failed' : 'gone';
  if (image) return judgement && !isGood(judgement) ? 'flagged' : 'good';
  switch (snapshot.status) {
    case 'pending':
    case 'processing':
    case 'canceled':
      return snapshot.status;
    default:
      return 'failed';
  }
}

/** Why a candidate has no picture; undefined where it has one, or may still come to one. */
export function failureOf({ member, snapshot, generation }: Standing): Failure | undefined {
  if (member.failure) return member.failure;
  if (snapshot === undefined) return GONE;
  if (generation?.outcome) return generation.outcome.ok ? undefined : generation.outcome.failure;
  return isOver(snapshot) ? UNSENT : undefined;
}

const GONE: Failure = {
  kind: 'interrupted',
  certainty: 'ambiguous',
  message:
    'there is no generation of this candidate: it was removed by retention, or the gateway ended before it began',
};
const UNSENT: Failure = { kind: 'canceled', certainty: 'not_sent', message: 'canceled before anything was sent' };

export interface SetViewOptions {
  readonly assetsUrl: string;
}

/** `GET /v1/candidates/{id}`: all candidates side by side, with what they cost together. `index` counts from 1. */
export function setView(set: CandidateSet, standings: readonly Standing[], options: SetViewOptions): JsonObject {
  const plan = standings.find(({ snapshot }) => snapshot)?.snapshot?.plan;
  return {
    id: set.id,
    object: 'image.candidates',
    status: standings.every(isSettled) ? 'completed' : 'processing',
    created: Math.floor(set.createdAt / 1000),
    ...(plan && { prompt: plan.request.prompt }),
    ...setFields(set, standings),
    ...costFields(standings),
    members: standings.map((one) => memberView(one, options.assetsUrl)),
  };
}

/** A set in a list: without its generations, so only what was written of it. */
export function setRowView(set: CandidateSet) {
  return {
    id: set.id,
    object: 'image.candidates',
    created: Math.floor(set.createdAt / 1000),
    pick: set.pick,
    picked: set.picked?.index ?? null,
    members: set.members.map(({ generation }, at) => ({ index: at + 1, generation })),
  };
}

/** How many came to what, which one is the best by its score, and which one a person picked. */
export function setFields(set: CandidateSet, standings: readonly Standing[]): JsonObject {
  const counts: Record<string, number> = {};
  for (const one of standings) counts[statusOf(one)] = (counts[statusOf(one)] ?? 0) + 1;
  const best = bestOf(standings.map(({ judgement }) => judgement));
  return {
    pick: set.pick,
    counts,
    best: best === undefined ? null : best + 1,
    picked: set.picked?.index ?? null,
    ...judgeFields(standings[0]?.judged),
  };
}

/** Which chat model has scored them, and what that cost; or why it has not. */
function judgeFields(judged: Judged | undefined): JsonObject {
  if (judged === undefined || judged.state === 'asked') return {};
  const { by, generation, costUsd } = judged;
  const judge = {
    ...(judged.state === 'failed' && { model: by, failed: judged.why }),
    ...(generation !== undefined && { generation, price_usd: costUsd ?? null }),
  };
  return { ...(judged.state === 'scored' && { judged_by: by }), judge };
}

/** Of an answer's `members` too, whose pictures may be elsewhere in it: without links there. */
export function memberView(standing: Standing, assetsUrl: string): JsonObject {
  const { index, member, snapshot, generation, image, judgement } = standing;
  const failure = failureOf(standing);
  const target = generation?.targets[0] ?? snapshot?.plan.targets[0]?.id;
  const seed = image?.seed ?? seedSent(standing);
  return {
    index,
    generation: member.generation,
    status: statusOf(standing),
    ...(target !== undefined && { ...splitTarget(target) }),
    seed: seed ?? null,
    ...(image && pictureOf(image, assetsUrl)),
    ...(judgement && { score: Math.round(judgement.score * 1e4) / 1e4 }),
    ...(judgement && !isGood(judgement) && { flagged: judgement.suspicions.map(({ code }) => code) }),
    ...(judgement && !isGood(judgement) && { doubts: judgement.suspicions.map(({ detail }) => detail) }),
    ...(snapshot && generation && priceFields(costOf(snapshot.plan, generation))),
    ...(failure && { failure: failureLine(failure) }),
  };
}

function pictureOf({ asset }: GeneratedImage, assetsUrl: string): JsonObject {
  const { hash, bytes, width, height, type } = asset;
  return { url: assetUrl(asset, assetsUrl), sha256: hash, bytes, width, height, type };
}

function failureLine(failure: Failure): JsonObject {
  const { type, code } = httpAnswer(failure);
  return { message: failure.message, type, code, kind: failure.kind, certainty: failure.certainty };
}

function seedSent({ snapshot, generation }: Standing): number | undefined {
  const target = snapshot && generation && (targetOf(snapshot.plan, generation) ?? snapshot.plan.targets[0]);
  if (target?.maxSeed === undefined) return undefined;
  return target.request ? target.request.seed : snapshot?.plan.request.seed;
}

/** What all of them cost; as soon as one price is unknown the sum is. */
export function costFields(standings: readonly Standing[]): JsonObject {
  const costs = standings.flatMap(({ snapshot, generation }) =>
    snapshot && generation ? [costOf(snapshot.plan, generation)] : [],
  );
  const paid = costs.find(({ basis }) => basis !== 'none');
  const usd = sumOf(costs.map((one) => one.usd));
  const possible = costs.filter(({ possibleCharges }) => possibleCharges > 0);
  const sum: Cost = {
    usd,
    basis: paid === undefined ? 'none' : usd === undefined ? 'unknown' : paid.basis,
    possibleCharges: possible.reduce((charges, one) => charges + one.possibleCharges, 0),
    possibleUsd: sumOf(possible.map(({ possibleUsd }) => possibleUsd)),
  };
  return priceFields(sum);
}

/** Millionths are kept. */
function sumOf(prices: readonly (number | undefined)[]): number | undefined {
  const known = prices.filter((price) => price !== undefined);
  if (known.length < prices.length) return undefined;
  return Math.round(known.reduce((sum, price) => sum + price, 0) * 1e6) / 1e6;
}
