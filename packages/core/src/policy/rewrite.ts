import { checkPrompt, findMatches, type PromptRule, type PromptRules, type RuleMatch } from './prompt-rules.ts';

/** One piece of a text in other words. */
export interface PieceChange {
  readonly from: string;
  readonly to: string;
  /** Where `from` begins in the text before, UTF-16. */
  readonly at: number;
}

/** One piece of a prompt that was said otherwise. */
export interface PromptChange extends PieceChange {
  /** The id of the rule. */
  readonly rule: string;
}

export interface Rewrite {
  readonly prompt: string;
  /** In the order of the prompt; at least one. */
  readonly changes: readonly PromptChange[];
}

const MAX_CHANGES = 10;

/**
 * A prompt in milder words, by rules of the action `rewrite`: whole words, each match once, the case and the article
 * before it kept right. It is for a prompt that was refused by mistake, in a ladder that a route asked for, and at most
 * once in it. A prompt that a rule refuses is not rewritten, so that nothing here turns a clear refusal into another
 * wording of the same. Undefined where nothing changes, or would not be a prompt any more.
 */
export function rewrite(prompt: string, rules: PromptRules, maxChanges: number = MAX_CHANGES): Rewrite | undefined {
  if (!checkPrompt(prompt, rules).ok) return undefined;
  const { matches } = findMatches(prompt, rules, ['rewrite'], MAX_CHANGES);
  const changes = apart(matches)
    .slice(0, Math.min(maxChanges, MAX_CHANGES))
    .map((match) => changeOf(prompt, match))
    .filter(({ from, to }) => from !== to);
  if (changes.length === 0) return undefined;
  const rewritten = changed(prompt, changes);
  return checkPrompt(rewritten, rules).ok ? { prompt: rewritten, changes } : undefined;
}

/** Of matches in the order of the text, those that share no character; of two that begin together the longer. */
function apart(matches: readonly RuleMatch[]): readonly RuleMatch[] {
  let end = 0;
  return matches.filter((match) => {
    if (match.start < end) return false;
    end = match.end;
    return true;
  });
}

const ARTICLE = /(?<![\p{L}\p{N}])(an?) $/iu;

function changeOf(prompt: string, { rule, start, end }: RuleMatch): PromptChange {
  const matched = prompt.slice(start, end);
  const to = inCaseOf(matched, rule);
  const [, article] = ARTICLE.exec(prompt.slice(Math.max(0, start - 4), start)) ?? [];
  const fitting = article === undefined ? undefined : articleFor(to, article);
  if (article === undefined || fitting === article) return { from: matched, to, rule: rule.id, at: start };
  return { from: `${article} ${matched}`, to: `${fitting} ${to}`, rule: rule.id, at: start - article.length - 1 };
}

function inCaseOf(matched: string, { replace = '' }: PromptRule): string {
  const isCased = matched.toLowerCase() !== matched.toUpperCase();
  if (isCased && matched.length > 1 && matched === matched.toUpperCase()) return replace.toUpperCase();
  const [first = ''] = matched;
  const isCapital = first !== first.toLowerCase();
  const [lead = ''] = replace;
  return isCapital ? `${lead.toUpperCase()}${replace.slice(lead.length)}` : replace;
}

/** `an` before a vowel as it is written; the case of the first letter stays. */
function articleFor(words: string, article: string): string {
  const [first = 'a'] = article;
  const second = article === article.toUpperCase() && article.length > 1 ? 'N' : 'n';
  return /^[aeiou]/i.test(words) ? `${first}${second}` : first;
}

function changed(prompt: string, changes: readonly PromptChange[]): string {
  const pieces = diffOf(prompt, changes);
  return pieces.map(({ kind, text }) => (kind === 'removed' ? '' : text)).join('');
}

export interface DiffPiece {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** A prompt and its changes as pieces to show; without the removed ones they are the new prompt, without the added ones the old. */
export function diffOf(prompt: string, changes: readonly PieceChange[]): readonly DiffPiece[] {
  const pieces: DiffPiece[] = [];
  let at = 0;
  for (const { from, to, at: start } of changes) {
    pieces.push(
      { kind: 'same', text: prompt.slice(at, start) },
      { kind: 'removed', text: from },
      { kind: 'added', text: to },
    );
    at = start + from.length;
  }
  pieces.push({ kind: 'same', text: prompt.slice(at) });
  return pieces.filter(({ text }) => text !== '');
}

/** `a [-dangerous weapon-]{+vintage wooden toy sword+} on a table`, as word diffs are written. */
export function diffLine(pieces: readonly DiffPiece[]): string {
  return pieces.map(marked).join('');
}

function marked({ kind, text }: DiffPiece): string {
  if (kind === 'same') return text;
  return kind === 'removed' ? `[-${text}-]` : `{+${text}+}`;
}
