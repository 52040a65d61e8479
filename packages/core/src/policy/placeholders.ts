import type { Placeholder } from '../suspects.ts';

/**
 * Pictures that providers send instead of one. Only what a provider or its source documents is listed: a guess would
 * take good pictures for bad. An operator may add what is met, copied from the `look` of the picture.
 */
export const KNOWN_PLACEHOLDERS: readonly Placeholder[] = [
  {
    // StableDiffusionSafetyChecker of Hugging Face diffusers: "A black image will be returned instead".
    name: 'the black picture that the safety checker of Stable Diffusion puts in place of one it blocks',
    hash: '0000000000000000',
    meanLuma: 0,
    deviation: 0,
  },
];
