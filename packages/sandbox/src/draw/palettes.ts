import { pick, type Random } from './random.ts';
import type { Color } from './shapes.ts';

export interface Palette {
  /** A prompt with one of these words gets this palette. */
  readonly words: string;
  readonly sky: readonly [top: Color, bottom: Color];
  readonly light: Color;
  readonly far: Color;
  readonly near: Color;
  readonly accents: readonly [Color, ...Color[]];
}

const PALETTES: readonly [Palette, ...Palette[]] = [
  {
    words: 'dawn sunrise pink rose love spring flower',
    sky: [0x3d3b8e, 0xffb4a2],
    light: 0xfff1d6,
    far: 0xe5989b,
    near: 0x4a2545,
    accents: [0xff8fa3, 0xffcdb2, 0x6d597a, 0xb56576, 0xfff1d6],
  },
  {
    words: 'dusk sunset red orange fire autumn fox lava',
    sky: [0x2b1b3d, 0xff7a3d],
    light: 0xffe08a,
    far: 0xe4572e,
    near: 0x260d1f,
    accents: [0xff7a3d, 0xffc857, 0xe4572e, 0x7a1f3d, 0xfff3d9],
  },
  {
    words: 'sea ocean blue water ice winter snow lake whale',
    sky: [0x0b3c5d, 0xbfe6f2],
    light: 0xffffff,
    far: 0x7fb7d1,
    near: 0x08253b,
    accents: [0x1d84b5, 0x9bd7e8, 0xf4f7f5, 0x0f4c75, 0xffb703],
  },
  {
    words: 'forest green tree garden jungle summer grass frog',
    sky: [0x2a7f78, 0xf6e7b4],
    light: 0xfffbe0,
    far: 0x8fb98b,
    near: 0x0d2b22,
    accents: [0x3c9d6b, 0xf2c14e, 0xf78154, 0x1b4d3e, 0xf6f3e4],
  },
  {
    words: 'night dark black midnight space star moon galaxy planet purple violet',
    sky: [0x070b24, 0x4b2e83],
    light: 0xf5e9ff,
    far: 0x5b4b9e,
    near: 0x080716,
    accents: [0x9d6bff, 0xff6bb5, 0x42d6c8, 0x2b2d6e, 0xffe3a3],
  },
  {
    words: 'desert sand gold yellow brown coffee cat dog lion',
    sky: [0x7a9e9f, 0xffe3b0],
    light: 0xfffaf0,
    far: 0xe0a458,
    near: 0x4c2a15,
    accents: [0xd98e04, 0xf4d58d, 0xbf4e30, 0x2f4858, 0xfdf6e3],
  },
  {
    words: 'neon city robot cyber future machine computer logo',
    sky: [0x12082b, 0xff2e88],
    light: 0xffe45e,
    far: 0x7b2cbf,
    near: 0x0b0420,
    accents: [0x00d9c0, 0xff2e88, 0xffe45e, 0x5a189a, 0xf8f7ff],
  },
  {
    words: 'paper white light minimal grey gray product mug photo',
    sky: [0xd8dee9, 0xfdf8ef],
    light: 0xff8552,
    far: 0xb9c4cf,
    near: 0x2e3a4a,
    accents: [0xe85d4a, 0x2a6f97, 0xf2b134, 0x2e3a4a, 0xfaf7f0],
  },
];

/** The words of a prompt, lower case, without a plural s. */
export function wordsOf(prompt: string): ReadonlySet<string> {
  return new Set(
    prompt
      .toLowerCase()
      .split(/[^a-z]+/u)
      .flatMap((word) => [word, word.replace(/s$/u, '')]),
  );
}

/** The first of `choices` that one of the prompt's words names, else any of them. */
export function chosenBy<T extends { readonly words: string }>(
  words: ReadonlySet<string>,
  choices: readonly [T, ...T[]],
  random: Random,
): T {
  const anyway = pick(random, choices);
  return choices.find((choice) => choice.words.split(' ').some((word) => words.has(word))) ?? anyway;
}

export function choosePalette(words: ReadonlySet<string>, random: Random): Palette {
  return chosenBy(words, PALETTES, random);
}
