/** Gives a label's value back, or `other` once it has seen as many different values as it may. */
export type LabelBound = (value: string) => string;

/** What stands for every value beyond the bound. */
export const OTHER = 'other';

/**
 * Callers name models and providers name codes, so the values of such labels are bounded: the first ones stand for
 * themselves, and `always` do however many came before, up to `most` of both.
 */
export function createLabelBound(most: number, always: readonly string[] = []): LabelBound {
  const known = new Set(always.slice(0, most));
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= most) return OTHER;
    known.add(value);
    return value;
  };
}
