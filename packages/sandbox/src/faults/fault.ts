import type { Refusal } from '../wire/answer.ts';

/** One way to behave, chosen by its name where a model's name would stand. */
export interface NamedFault {
  readonly name: string;
  /** What it does, in one sentence. */
  readonly sentence: string;
  /** What stands after the colon, as in `slow:4`. */
  readonly argument?: Argument;
  /** Whether a provider would bill what was asked for: the work was done, whatever the caller saw of it. */
  readonly charges: boolean;
}

/** How a request for pictures goes. */
export interface Fault extends NamedFault {
  readonly act: Act;
}

export type Argument = NumberArgument | WordArgument;

export interface NumberArgument {
  readonly unit: 'seconds' | 'megabytes' | 'times' | 'tokens' | 'tokens a second';
  readonly required: boolean;
  readonly maximum: number;
  readonly example: number;
}

/** One of a few words. */
export interface WordArgument {
  readonly words: readonly string[];
  readonly required: boolean;
  readonly example: string;
}

export type Act =
  /** An error in OpenAI's envelope. */
  | { readonly kind: 'refuse'; readonly refusal: (circumstances: Circumstances) => Refusal }
  /** A page of HTML, as a proxy in front of the provider writes it. */
  | { readonly kind: 'page'; readonly status: number; readonly html: string }
  | PictureAct;

export interface Circumstances {
  /** The fault's argument. */
  readonly value: number | undefined;
  readonly model: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Pictures, and what goes wrong on their way; every absent field means that nothing does. */
export interface PictureAct {
  readonly kind: 'pictures';
  /** Answers after as many seconds as the fault's argument says. */
  readonly waits?: true;
  readonly drawing?: 'big' | 'black' | 'other-format' | 'other-size';
  readonly spoil?: (bytes: Buffer) => Buffer;
  /** `empty` answers a list without items, `absent` no list at all. */
  readonly list?: 'empty' | 'absent';
  /** The body stops in the middle of its JSON, and its content-length agrees. */
  readonly cut?: true;
  readonly connection?: Connection;
  /** One picture fewer than asked for, and charged. */
  readonly fewer?: true;
  /** Delivered, and flagged where the protocol has a flag. */
  readonly flagged?: true;
  /** Where pictures are delivered as links: they have expired already, or fail as often as the fault's argument says. */
  readonly links?: 'expired' | 'flaky';
}

/** How many pictures come of `n` asked for. */
export function madeBy({ charges, act }: Fault, n: number): number {
  if (!charges) return 0;
  return act.kind === 'pictures' && act.fewer ? n - 1 : n;
}

/** `before` any byte of the answer or in the `middle` of its body, the connection is reset or falls silent. */
export interface Connection {
  readonly at: 'before' | 'middle';
  readonly how: 'reset' | 'silence';
}
