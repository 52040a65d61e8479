/** One setting of several pictures side by side. */
export interface SettingRow {
  readonly name: string;
  /** One per picture; `–` for what it has not. */
  readonly values: readonly string[];
  readonly differs: boolean;
}

export const NONE = '–';

/** All settings that any of them has, in the order they are first named. */
export function settingRows(settings: readonly Readonly<Record<string, unknown>>[]): readonly SettingRow[] {
  const names = [...new Set(settings.flatMap((one) => Object.keys(one)))];
  return names
    .map((name) => {
      const values = settings.map((one) => written(one[name]));
      return { name, values, differs: new Set(values).size > 1 };
    })
    .filter(({ values }) => values.some((value) => value !== NONE));
}

function written(value: unknown): string {
  if (value === undefined || value === null || value === '') return NONE;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export interface Word {
  readonly text: string;
  /** Not in all of the others. */
  readonly isOwn: boolean;
}

/** More are compared by whether they occur, not by where. */
const MAX_WORDS = 400;

/** The words of each prompt, and which of them are not in all of the others at that place. */
export function wordsOf(prompts: readonly string[]): readonly (readonly Word[])[] {
  const split = prompts.map((prompt) => prompt.trim().split(/\s+/));
  return split.map((words, at) => {
    const shared = split.filter((_, other) => other !== at).map((others) => sharedWith(words, others));
    return words.map((text, index) => ({ text, isOwn: shared.some((one) => !one.has(index)) }));
  });
}

/** The places of `words` that a longest common subsequence with `others` takes. */
function sharedWith(words: readonly string[], others: readonly string[]): ReadonlySet<number> {
  if (words.length > MAX_WORDS || others.length > MAX_WORDS) {
    const known = new Set(others);
    return new Set(words.flatMap((word, index) => (known.has(word) ? [index] : [])));
  }
  const lengths = commonLengths(words, others);
  const shared = new Set<number>();
  for (let i = 0, j = 0; i < words.length && j < others.length; ) {
    if (words[i] === others[j]) {
      shared.add(i);
      i += 1;
      j += 1;
    } else if ((lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0)) i += 1;
    else j += 1;
  }
  return shared;
}

/** `[i][j]`: how many words the rest of one from i and the rest of the other from j have in common, in order. */
function commonLengths(a: readonly string[], b: readonly string[]): readonly (readonly number[])[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = lengths[i];
      if (!row) continue;
      row[j] = a[i] === b[j] ? (lengths[i + 1]?.[j + 1] ?? 0) + 1 : Math.max(lengths[i + 1]?.[j] ?? 0, row[j + 1] ?? 0);
    }
  return lengths;
}
