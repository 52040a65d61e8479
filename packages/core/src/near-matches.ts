const MAX_COMPARED_CHARS = 100;
const MAX_MATCHES = 3;

/** Up to three known names, whole or without their provider, within a third of their length in edits; nearest first. */
export function nearMatches(name: string, known: readonly string[]): readonly string[] {
  const wanted = name.slice(0, MAX_COMPARED_CHARS).toLowerCase();
  const scored = known.map((one) => ({
    one,
    distance: Math.min(...spellings(one).map((spelling) => near(wanted, spelling))),
  }));
  return scored
    .filter(({ distance }) => distance < Number.POSITIVE_INFINITY)
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, MAX_MATCHES)
    .map(({ one }) => one);
}

function spellings(name: string): readonly string[] {
  const whole = name.toLowerCase();
  return [whole, whole.slice(whole.indexOf('/') + 1)];
}

/** The distance, or infinity where it is more than a third of the known spelling. */
function near(wanted: string, known: string): number {
  const distance = editDistance(wanted, known);
  return distance <= Math.ceil(known.length / 3) ? distance : Number.POSITIVE_INFINITY;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
