import type { ServerResponse } from 'node:http';
import type { Io } from '@onetake/core';
import { isGood, type Judge, type Judgement } from '../candidates/judge.ts';
import type { Ranking } from '../candidates/ranking.ts';
import type { CandidateSet } from '../candidates/sets.ts';
import { type Followed, isOver, type Snapshot } from '../tasks/following.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { targetOf } from './adapted.ts';
import { isSettled, type Standing, standingOf } from './candidate-view.ts';
import type { OpenAnswers } from './open-answers.ts';

export interface StandingsOptions {
  readonly tasks: Pick<Tasks, 'read'>;
  readonly judge: Judge;
  /** A chat model that ranks sets of which the best is wanted. */
  readonly ranking?: Ranking | undefined;
}

/** How the candidates of sets stand, with what is thought of their pictures. */
export interface Standings {
  read(set: CandidateSet): Promise<readonly Standing[]>;
  /** `until`: a ranking that would take longer (epoch ms) is not asked for. */
  of(set: CandidateSet, snapshots: readonly (Snapshot | undefined)[], until?: number): Promise<readonly Standing[]>;
}

export function createStandings({ tasks, judge, ranking }: StandingsOptions): Standings {
  async function of(set: CandidateSet, snapshots: readonly (Snapshot | undefined)[], until?: number) {
    const standings = set.members.map((member, at) => standingOf(member, at, snapshots[at]));
    const made = standings.flatMap((one) => candidateOf(one));
    const judgements = await judge(made.map(({ candidate }) => candidate));
    const byIndex = new Map(made.map(({ index }, at): [number, Judgement | undefined] => [index, judgements[at]]));
    const seen = standings.map((one) => ({ ...one, judgement: byIndex.get(one.index) }));
    return ranking ? rankedBy(ranking, set, seen, until) : seen;
  }
  return {
    of,
    async read(set) {
      return of(set, await Promise.all(set.members.map(({ generation }) => tasks.read(generation, set.caller))));
    },
  };
}

/** Only among good pictures of a whole set is there anything to choose. */
async function rankedBy(
  ranking: Ranking,
  set: CandidateSet,
  standings: readonly Standing[],
  until: number | undefined,
): Promise<readonly Standing[]> {
  if (!standings.every(isSettled)) return standings;
  const good = standings.flatMap(({ index, image, judgement }) =>
    image && judgement && isGood(judgement) ? [{ index, asset: image.asset }] : [],
  );
  const snapshots = standings.flatMap(({ snapshot }) => snapshot ?? []);
  const prompt = snapshots[0]?.plan.request.prompt ?? '';
  const endedAt = Math.max(set.createdAt, ...snapshots.map(({ finishedAt = 0 }) => finishedAt));
  const judged = await ranking.of(set, { prompt, pictures: good, endedAt }, until);
  if (judged === undefined) return standings;
  const scores = new Map(judged.state === 'scored' ? judged.scores : []);
  return standings.map((one) => ({ ...one, judged, judgement: rescored(one, scores.get(one.index)) }));
}

/** In the range of good pictures, as the built-in score is. */
function rescored({ judgement }: Standing, score: number | undefined): Judgement | undefined {
  return judgement === undefined || score === undefined ? judgement : { ...judgement, score: 0.5 + score / 20 };
}

/** It is compared with what its target was asked for. */
function candidateOf({ index, snapshot, generation, image }: Standing) {
  if (!snapshot || !generation || !image) return [];
  const request = targetOf(snapshot.plan, generation)?.request ?? snapshot.plan.request;
  return [{ index, candidate: { asset: image.asset, request, flagged: image.flagged } }];
}

export interface Wait {
  readonly standings: readonly Standing[];
  /** `overdue`: the time is up, or the gateway stops. */
  readonly ended: 'done' | 'overdue' | 'left';
}

export interface WaitDeps {
  readonly tasks: Pick<Tasks, 'follow'>;
  readonly standings: Standings;
  readonly io: Pick<Io, 'now' | 'timer'>;
  readonly openAnswers: OpenAnswers;
}

export interface WaitOptions {
  /** Epoch ms. */
  readonly until: number;
  readonly response: ServerResponse;
}

/** Waits for what the set's `pick` asks for, while its caller waits. */
export async function waitForSet(set: CandidateSet, options: WaitOptions, deps: WaitDeps): Promise<Wait> {
  const settled = await Promise.allSettled(set.members.map((member) => followMember(set, member, deps)));
  const followed = settled.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  try {
    const broken = settled.find((one) => one.status === 'rejected');
    if (broken) throw broken.reason;
    return await waitUntilPicked(set, followed, options, deps);
  } finally {
    for (const one of followed) one?.close();
  }
}

/** Another request with the same key may find the set before its candidates are written. */
const BEGINNING_MS = 5_000;
const LOOK_EVERY_MS = 100;

async function followMember(
  { caller, createdAt }: CandidateSet,
  { generation, failure }: CandidateSet['members'][number],
  { tasks, io }: WaitDeps,
): Promise<Followed | undefined> {
  if (failure) return undefined;
  for (;;) {
    const followed = await tasks.follow(generation, caller);
    if (followed || io.now() > createdAt + BEGINNING_MS) return followed;
    await new Promise<void>((resolve) => io.timer(io.now() + LOOK_EVERY_MS, resolve));
  }
}

async function waitUntilPicked(
  set: CandidateSet,
  followed: readonly (Followed | undefined)[],
  { until, response }: WaitOptions,
  { standings, io, openAnswers }: WaitDeps,
): Promise<Wait> {
  let isCut = io.now() >= until;
  let wake = () => {};
  const cut = () => {
    isCut = true;
    wake();
  };
  const closed = openAnswers.open(cut);
  // With as many open as may be, nobody waits.
  if (closed === undefined) isCut = true;
  const stopTimer = io.timer(until, cut);
  const gone = () => wake();
  response.once('close', gone);
  const stops = followed.map((one) => one?.onChange(() => isOver(one.snapshot()) && wake()));
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const found = await standings.of(
        set,
        followed.map((one) => one?.snapshot()),
        until,
      );
      if (response.destroyed) return { standings: found, ended: 'left' };
      if (isPicked(set, found)) return { standings: found, ended: 'done' };
      if (isCut) return { standings: found, ended: 'overdue' };
      await woken;
    }
  } finally {
    closed?.();
    stopTimer();
    response.off('close', gone);
    for (const stop of stops) stop?.();
  }
}

function isPicked({ pick }: CandidateSet, standings: readonly Standing[]): boolean {
  if (standings.every(isSettled)) return true;
  return pick === 'first' && standings.some(({ judgement }) => judgement && isGood(judgement));
}
