import type { PieceChange } from './rewrite.ts';

/** Words of both texts that are compared each with each; beyond it the differing middle is one change. */
const MAX_COMPARED = 1_000_000;

/**
 * What became of one text in another, word by word, in the order of the text: a shortest list of replaced pieces (longest
 * common subsequence), so that a diff of free words can be shown like one of rules.
 */
export function changesBetween(before: string, after: string): readonly PieceChange[] {
  const [old, now] = [wordsOf(before), wordsOf(after)];
  const start = sameFrom(old, now);
  const end = sameTo(old, now, start);
  const oldMiddle = old.slice(start, old.length - end);
  const newMiddle = now.slice(start, now.length - end);
  const kept = oldMiddle.length * newMiddle.length > MAX_COMPARED ? [] : commonPairs(oldMiddle, newMiddle);
  const changes: PieceChange[] = [];
  let [at, oldAt, newAt] = [lengthOf(old.slice(0, start)), 0, 0];
  for (const [i, j] of [...kept, [oldMiddle.length, newMiddle.length] as const]) {
    const from = oldMiddle.slice(oldAt, i).join('');
    const to = newMiddle.slice(newAt, j).join('');
    if (from !== to) changes.push({ from, to, at });
    at += from.length + (oldMiddle[i]?.length ?? 0);
    [oldAt, newAt] = [i + 1, j + 1];
  }
  return changes.reduce<readonly PieceChange[]>((all, one) => joined(before, all, one), []);
}

/** Two changed words with a blank between them read better as one piece. */
function joined(before: string, all: readonly PieceChange[], one: PieceChange): readonly PieceChange[] {
  const last = all.at(-1);
  const gap = last && before.slice(last.at + last.from.length, one.at);
  if (last === undefined || gap === undefined || !/^\s+$/.test(gap)) return [...all, one];
  const whole = { from: `${last.from}${gap}${one.from}`, to: `${last.to}${gap}${one.to}`, at: last.at };
  return [...all.slice(0, -1), whole];
}

/** Words and what stands between them, so that together they are the text. */
function wordsOf(text: string): readonly string[] {
  return text.match(/\s+|[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]/gu) ?? [];
}

function sameFrom(old: readonly string[], now: readonly string[]): number {
  let same = 0;
  while (same < old.length && same < now.length && old[same] === now[same]) same += 1;
  return same;
}

function sameTo(old: readonly string[], now: readonly string[], from: number): number {
  const most = Math.min(old.length, now.length) - from;
  let same = 0;
  while (same < most && old[old.length - 1 - same] === now[now.length - 1 - same]) same += 1;
  return same;
}

/** Places of equal words, in order, as many as there can be. */
function commonPairs(old: readonly string[], now: readonly string[]): readonly (readonly [number, number])[] {
  const width = now.length + 1;
  const longest = new Uint16Array((old.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      longest[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const pairs: (readonly [number, number])[] = [];
  for (let [i, j] = [0, 0]; i < old.length && j < now.length; ) {
    if (old[i] === now[j]) {
      pairs.push([i, j]);
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return pairs;
}

function lengthOf(words: readonly string[]): number {
  return words.reduce((sum, word) => sum + word.length, 0);
}
