import type { Capabilities } from '../capabilities.ts';
import type { Failure } from '../failure.ts';
import type { ImageRequest } from '../request.ts';
import { FINAL_CATEGORIES, type RefusalCategory } from './refusal-category.ts';
import type { Rewrite } from './rewrite.ts';

/**
 * What may be tried after a refusal, in the order of a route's `refusals.ladder`:
 * - `laxer_setting`: the setting that the provider itself documents, where the model has one that was not used yet.
 * - `same_again`: the same once more, only of a picture that was withheld: another seed may pass.
 * - `rewrite`: milder words, once, by local rules or else by a chat model where there is one; the changes are shown.
 * - `next_target`: another target of the route.
 */
export const RUNGS = ['laxer_setting', 'same_again', 'rewrite', 'next_target'] as const;
export type Rung = (typeof RUNGS)[number];

/** Of a route. Without one a refusal is the end. */
export interface Ladder {
  /** Each is passed once, in this order; one may stand there several times. */
  readonly rungs: readonly Rung[];
  /** Rungs that are taken at most, however many there are. */
  readonly maxRungs: number;
  /** Attempts of the request that may be billed, the first and the last included. */
  readonly maxPaid: number;
  /** The chat model that is asked for milder words where the local rules have none. */
  readonly rewriter?: string;
}

export const MAX_RUNGS = 8;
export const DEFAULT_MAX_RUNGS = 3;
export const DEFAULT_MAX_PAID = 2;

/** A refusal, as far as the ladder reads it. */
export interface Refusal {
  /** Absent where the provider does not say; then nothing is sent a second time. */
  readonly stage?: 'input' | 'output';
  readonly categories: readonly RefusalCategory[];
  /** The attempt may be billed: mostly at the output, never where the provider says that it did no work. */
  readonly isBilled: boolean;
}

/** A rung that was taken, and the refusal that it was the answer to. */
export interface Climbed {
  readonly index: number;
  readonly rung: Rung;
  readonly after: Refusal;
}

/** The setting of a request that the provider documents as less strict. */
export interface LaxerSetting {
  readonly field: string;
  readonly value: string | number;
}

/** What could be tried now; what is absent cannot. */
export interface LadderOffers {
  readonly laxer?: LaxerSetting;
  readonly rewrite?: Rewrite;
  /** A chat model that may be asked for milder words. */
  readonly rewriter?: string;
  /** The target that would be next and can take the request. */
  readonly nextTarget?: string;
}

/** What to do next; `told` is for the journal and the answer. */
export type LadderStep = { readonly index: number; readonly told: string } & (
  | { readonly do: 'laxer_setting'; readonly setting: LaxerSetting }
  | { readonly do: 'same_again' }
  | { readonly do: 'rewrite'; readonly rewrite: Rewrite }
  /** The words are still to be had. */
  | { readonly do: 'rewrite'; readonly by: string }
  | { readonly do: 'next_target'; readonly target: string }
);

/**
 * The next rung after a refusal, or undefined: the refusal is then the answer. `history` holds the rungs taken so far,
 * oldest first. It never goes back, so it ends; a refusal of minors, hate or self-harm ends it at once, whoever refused
 * and whatever is left; and because any attempt may be billed, one more is only made while the bound has room for it.
 */
export function nextRung(
  ladder: Ladder | undefined,
  refusal: Refusal,
  history: readonly Climbed[],
  offers: LadderOffers,
): LadderStep | undefined {
  if (ladder === undefined || history.length >= Math.min(ladder.maxRungs, MAX_RUNGS)) return undefined;
  const refusals = [...history.map(({ after }) => after), refusal];
  if (refusals.some(({ categories }) => categories.some((one) => FINAL_CATEGORIES.includes(one)))) return undefined;
  const paid = refusals.filter(({ isBilled }) => isBilled).length;
  if (paid + 1 > ladder.maxPaid) return undefined;
  const first = Math.max(-1, ...history.map(({ index }) => index)) + 1;
  const left = ladder.rungs.slice(0, MAX_RUNGS).map((rung, index) => ({ rung, index }));
  for (const { rung, index } of left.slice(first)) {
    const step = stepOf(rung, index, refusal, history, offers);
    if (step) return step;
  }
  return undefined;
}

function stepOf(
  rung: Rung,
  index: number,
  { stage }: Refusal,
  history: readonly Climbed[],
  { laxer, rewrite, rewriter, nextTarget }: LadderOffers,
): LadderStep | undefined {
  switch (rung) {
    case 'laxer_setting':
      return laxer && { do: rung, index, setting: laxer, told: `${laxer.field} is set to ${laxer.value}` };
    case 'same_again':
      return stage === 'output'
        ? { do: rung, index, told: 'the picture was withheld; the same is asked for once more' }
        : undefined;
    case 'rewrite':
      if (history.some((one) => one.rung === 'rewrite')) return undefined;
      if (rewrite) return { do: rung, index, rewrite, told: `the prompt is said otherwise (${rulesOf(rewrite)})` };
      return rewriter === undefined
        ? undefined
        : { do: rung, index, by: rewriter, told: `${rewriter} is asked to say the prompt otherwise` };
    case 'next_target':
      return nextTarget === undefined
        ? undefined
        : { do: rung, index, target: nextTarget, told: `${nextTarget} is asked instead` };
  }
}

function rulesOf({ changes }: Rewrite): string {
  return [...new Set(changes.map(({ rule }) => rule))].join(', ');
}

/** Undefined for a failure that is no refusal, or of which nobody knows whether the work is still being done. */
export function refusalOf(failure: Failure, categories: readonly RefusalCategory[]): Refusal | undefined {
  if (failure.kind !== 'policy' || failure.certainty === 'ambiguous') return undefined;
  return {
    ...(failure.stage && { stage: failure.stage }),
    categories,
    isBilled: failure.certainty !== 'not_sent' && failure.certainty !== 'rejected',
  };
}

/** A setting that a provider documents, its values from strict to lax: what adapters could tell of their models. */
export interface StrictnessSetting {
  readonly field: string;
  readonly values: readonly (string | number)[];
}

/** OpenAI's, as the capabilities of a model have it already. */
export function strictnessOf({ moderation }: Capabilities): StrictnessSetting | undefined {
  return moderation?.includes('low') ? { field: 'moderation', values: ['auto', 'low'] } : undefined;
}

/** The laxest value of the setting, unless the request has it, or one that is not among them. */
export function laxerSetting(
  setting: StrictnessSetting | undefined,
  { moderation, extra = {} }: Pick<ImageRequest, 'moderation' | 'extra'>,
): LaxerSetting | undefined {
  if (setting === undefined) return undefined;
  const { field, values } = setting;
  const asked = field === 'moderation' ? moderation : extra[field];
  const value = values.at(-1);
  if (value === undefined || asked === value) return undefined;
  return asked === undefined || values.some((one) => one === asked) ? { field, value } : undefined;
}
