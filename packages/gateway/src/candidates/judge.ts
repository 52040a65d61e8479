import {
  type Asset,
  type ImageRequest,
  type Look,
  type Suspicion,
  score,
  suspicions,
  type Unseen,
} from '@onetake/core';
import type { Looker } from '../pictures/looker.ts';

/** A picture of a candidate, with what its target was asked for. */
export interface Candidate {
  readonly asset: Asset;
  readonly request: ImageRequest;
  /** The provider's own mark, such as `nsfw`. */
  readonly flagged?: string | undefined;
}

/** A candidate as a scorer sees it. */
export interface Scorable extends Candidate {
  readonly look: Look | Unseen;
  readonly suspicions: readonly Suspicion[];
}

/** Ranks the candidates of one set: a number for each, in their order, of which the highest is the best. */
export type Scorer = (candidates: readonly Scorable[]) => readonly number[] | Promise<readonly number[]>;

export interface Judgement {
  readonly score: number;
  /** Reasons to doubt the picture; none for a good one. */
  readonly suspicions: readonly Suspicion[];
}

/** Judges pictures of one set together; never rejects. */
export type Judge = (candidates: readonly Candidate[]) => Promise<readonly Judgement[]>;

export interface JudgeOptions {
  readonly looker: Looker;
  /** Default: sharpness, contrast and agreement with the size. One that fails, or miscounts, is replaced by it. */
  readonly scorer?: Scorer;
  readonly onError: (error: unknown) => void;
}

/** Looks that are kept, so that a set that is read again is not decoded again. */
const MAX_KEPT_LOOKS = 1_000;

export const scoreByLook: Scorer = (candidates) => candidates.map(score);

export function createJudge({ looker, scorer = scoreByLook, onError }: JudgeOptions): Judge {
  const looks = new Map<string, Look>();

  async function lookAt(asset: Asset): Promise<Look | Unseen> {
    const key = `${asset.hash}.${asset.type}`;
    const kept = looks.get(key);
    if (kept) return kept;
    const look = await looker.look(asset);
    if ('problem' in look) return look;
    looks.set(key, look);
    for (const oldest of looks.keys()) if (looks.size > MAX_KEPT_LOOKS) looks.delete(oldest);
    return look;
  }

  async function scoresOf(scorables: readonly Scorable[]): Promise<readonly number[]> {
    try {
      const scores = await scorer(scorables);
      if (scores.length === scorables.length && scores.every(Number.isFinite)) return scores;
      onError(
        new Error(`a scorer gave ${scores.length} numbers for ${scorables.length} candidates, or none that count`),
      );
    } catch (error) {
      onError(error);
    }
    return scorables.map(score);
  }

  return async (candidates) => {
    const scorables = await Promise.all(
      candidates.map(async (one) => {
        const look = await lookAt(one.asset);
        return { ...one, look, suspicions: suspicions({ ...one, look }) };
      }),
    );
    const scores = await scoresOf(scorables);
    return scorables.map((one, at) => ({ score: scores[at] ?? 0, suspicions: one.suspicions }));
  };
}

/** The place of the best one: of those above suspicion the highest score, else of all; the first among equals. */
export function bestOf(judgements: readonly (Judgement | undefined)[]): number | undefined {
  let best: number | undefined;
  for (const [at, one] of judgements.entries()) {
    if (one && (best === undefined || isBetter(one, judgements[best]))) best = at;
  }
  return best;
}

function isBetter(one: Judgement, than: Judgement | undefined): boolean {
  if (than === undefined || isGood(one) !== isGood(than)) return isGood(one);
  return one.score > than.score;
}

export function isGood({ suspicions: found }: Judgement): boolean {
  return found.length === 0;
}
