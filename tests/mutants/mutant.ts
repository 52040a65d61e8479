/** A defect made by hand: `from`, which the file holds exactly once, becomes `to`, and one of `tests` must fail. */
export interface Mutant {
  readonly name: string;
  readonly package: 'core' | 'gateway' | 'dashboard';
  /** Below the package's src, like the tests. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly tests: readonly string[];
}

/** What is wrong then, and how it comes about. */
type Defect = readonly [name: string, from: string, to: string];

/** Defects of one file, each for the same tests. */
export function defects(
  packageName: Mutant['package'],
  file: string,
  tests: readonly string[],
  all: readonly Defect[],
): readonly Mutant[] {
  return all.map(([name, from, to]) => ({ package: packageName, name, file, from, to, tests }));
}
