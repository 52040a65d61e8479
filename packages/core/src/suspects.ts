/** What decoding measured in a picture. Shares and lumas are 0 to 1; luma is Rec. 709 over gamma-coded sRGB. */
export interface Look {
  /** Of the picture as it is shown, after rotation. */
  readonly width: number;
  readonly height: number;
  /** Mean luma of what is visible: every pixel counts as much as it is opaque; 0 where nothing is. */
  readonly meanLuma: number;
  /** The brightest luma of a visible pixel, after scaling down. */
  readonly peakLuma: number;
  /** Standard deviation of the luma of what is visible, at most 0.5. */
  readonly deviation: number;
  /** The largest standard deviation among red, green and blue: two colours of one luma deviate here alone. */
  readonly colourDeviation: number;
  /** Mean opacity; 1 for a picture without an alpha channel. */
  readonly opaqueShare: number;
  /** Standard deviation of the opacity: above 0 the alpha channel has a shape of its own. */
  readonly alphaDeviation: number;
  /** Between the 5th and the 95th percentile of luma. */
  readonly contrast: number;
  /** v / (v + 0.01) of the variance v of the Laplacian, over the scaled-down picture: 0 without any edge, 0.5 for a soft photo. */
  readonly sharpness: number;
  /** Difference hash: 64 bits in 16 lower-case hex digits, all 0 without structure. */
  readonly hash: string;
}

/** Why a picture was not measured; of these only `undecodable` says something against the picture. */
export interface Unseen {
  readonly problem: 'not_looked_at' | 'undecodable' | 'too_large' | 'timeout' | 'busy' | 'missing';
  readonly detail: string;
}

export type SuspicionCode =
  | 'uniform'
  | 'black'
  | 'transparent'
  | 'wrong_size'
  | 'wrong_aspect'
  | 'wrong_type'
  | 'placeholder'
  | 'flagged'
  | 'undecodable';

/** One reason to doubt that a whole picture is the one that was wanted. */
export interface Suspicion {
  readonly code: SuspicionCode;
  /** In words, with what was found and what would have been right. */
  readonly detail: string;
}

/** A picture that a provider is known to send instead of one. */
export interface Placeholder {
  /** Who sends it and when, in words. */
  readonly name: string;
  /** `hash`, `meanLuma` and `deviation` of its `Look`; all three must agree, because a hash knows no brightness. */
  readonly hash: string;
  readonly meanLuma: number;
  readonly deviation: number;
}
