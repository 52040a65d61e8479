import type { ImageType } from './images/asset.ts';

/** What a model can be told, and in which terms; `policy/adapt.ts` translates a request into them, or says that it cannot. */
export interface Capabilities {
  readonly size: SizeRule;
  /** The values this model takes, in OpenAI's words; absent where it has no such setting. */
  readonly quality?: readonly string[];
  /** Formats it can be asked for; absent where it chooses by itself. */
  readonly formats?: readonly ImageType[];
  readonly compression?: true;
  /** `opaque`, `transparent`, `auto`; absent where every picture is opaque. */
  readonly background?: readonly string[];
  readonly moderation?: readonly string[];
  /** Seeds from 0 to this; absent where it has none. */
  readonly maxSeed?: number;
  readonly negativePrompt?: true;
  /** How many pictures an edit may work from, and whether they go along or the provider fetches them by a link. */
  readonly references?: { readonly max: number; readonly as: 'inline' | 'link' };
  /** What marks the area to edit in the mask it is sent: transparency as OpenAI has it, white, or black. */
  readonly mask?: MaskPolarity;
  readonly maxPromptChars?: number;
}

export type MaskPolarity = 'alpha' | 'white' | 'black';

/** How a model is told the size of a picture. */
export type SizeRule =
  /** Whatever the request says, unread. */
  | { readonly kind: 'any' }
  /** One of these `WIDTHxHEIGHT`, or `auto` where `auto` is among them. */
  | { readonly kind: 'list'; readonly sizes: readonly string[] }
  /** Any width and height within bounds. */
  | {
      readonly kind: 'pixels';
      readonly multipleOf: number;
      readonly minSide: number;
      readonly maxSide: number;
      readonly minPixels?: number;
      readonly maxPixels?: number;
      /** The longer side may be this many times the shorter. */
      readonly maxRatio?: number;
      readonly auto?: true;
    }
  /** A ratio such as `16:9`, and where there are several, a resolution such as `2K`; the request gets `aspectRatio` and `resolution`. */
  | {
      readonly kind: 'ratio';
      readonly ratios: readonly string[];
      /** Name and the pixels of its square's side, smallest first; the first is the default. */
      readonly resolutions?: readonly (readonly [name: string, sidePixels: number])[];
    }
  /** It has one size. */
  | { readonly kind: 'fixed' };

/** What became of one field of a request on its way to a target. */
export interface Adaptation {
  /** As the wire spells it: `size`, `negative_prompt`. */
  readonly field: string;
  readonly action: 'kept' | 'mapped' | 'dropped' | 'impossible';
  readonly from?: string;
  readonly to?: string;
  /** Why it was not kept. */
  readonly reason?: string;
}
