import type { JsonObject } from '@onetake/core';
import type { DoctorWorld } from './world.ts';

/** `ok` is told too: what was looked at and found well. `skipped`: could not be looked at, and why. */
export type Level = 'ok' | 'skipped' | 'warning' | 'broken';

/** One thing that was looked at. Holds no key, no authorization header and no picture. */
export interface Finding {
  /** The check's id and what of it was found, such as `keys.truncated`: stable, so that scripts can tell it. */
  readonly id: string;
  readonly level: Level;
  /** What it is about: a provider, a target, a variable, a path. */
  readonly subject?: string;
  /** One sentence: what is so. */
  readonly message: string;
  /** One sentence: what to do, by whom. There for every warning and everything broken. */
  readonly advice?: string;
  /** A command or the lines of a file that would mend it, for `--fix-hints`. */
  readonly fix?: string;
  readonly link?: string;
  readonly facts?: JsonObject;
}

/** A question that the doctor asks. It never throws and ends within `world.timeoutMs`. */
export interface Check {
  /** Lower-case words with dashes: the beginning of its findings' ids. */
  readonly id: string;
  /** What it looks at, in a few words, for a heading. */
  readonly title: string;
  /** `network`: left out with `--offline`. `asked`: finds nothing unless its option asks for it, and may take longer. */
  readonly needs?: 'network' | 'asked';
  run(world: DoctorWorld): Promise<readonly Finding[]>;
}

/** Everything that was found, in the order of the checks. */
export interface Diagnosis {
  readonly findings: readonly (Finding & { readonly check: string })[];
  /** 0 healthy, 1 warnings, 2 broken: the exit code. */
  readonly verdict: 0 | 1 | 2;
  /** Epoch ms. */
  readonly at: number;
}
