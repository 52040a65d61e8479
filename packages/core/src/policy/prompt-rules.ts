import { presentable } from '../classify.ts';
import type { Failure } from '../failure.ts';
import { findPattern, type Pattern, type PreparedText, prepareText, type Span } from './pattern.ts';
import type { PromptFinding } from './prompt-finding.ts';
import { findTerms, indexTerms, type TermIndex, type TermMatch } from './prompt-words.ts';
import type { RefusalCategory } from './refusal-category.ts';

/**
 * What a prompt is held against before anything is sent. `refuse` ends it, `warn` is told beside the answer, `rewrite`
 * says nothing of its own and offers other words after a refusal.
 */
export interface PromptRule {
  readonly id: string;
  readonly action: 'refuse' | 'warn' | 'rewrite';
  readonly category?: RefusalCategory;
  /** What is wrong with it, in words that follow the matched piece. */
  readonly message: string;
  readonly suggestion?: string;
  /** Of a `rewrite`: what stands for the matched piece. */
  readonly replace?: string;
  readonly pattern?: Pattern;
}

/** Rules as they are read from a file, with their terms in one index. */
export interface PromptRules {
  readonly rules: readonly PromptRule[];
  readonly terms: TermIndex<PromptRule>;
}

export const NO_RULES: PromptRules = { rules: [], terms: indexTerms([]) };

export interface PromptCheck {
  /** Nothing refuses it; `findings` are then warnings. */
  readonly ok: boolean;
  readonly findings: readonly PromptFinding[];
}

export interface PromptBounds {
  /** Characters (code points) that the model takes; absent where nobody knows. */
  readonly maxChars?: number;
  /** Named where the length is at fault. */
  readonly model?: string;
}

/** Longer ones are refused unread; the longest that any provider takes. */
export const MAX_PROMPT_CHARS = 32_000;
const MAX_SAME_CHARS = 500;
const MAX_FINDINGS = 10;
const MAX_VALUE_CHARS = 80;
/** Of one pattern: about 20 ms. More than five per character of the longest prompt, so only an odd pattern needs them. */
const MAX_PATTERN_STEPS = 400_000;
/** Of all patterns together. */
const MAX_CHECK_STEPS = 2_000_000;

/**
 * Judges a prompt by itself, by its model's length, and by the rules; nothing is sent and nothing is spent. A courtesy
 * to whoever writes it, not a filter against one who wants to get past: spelling it otherwise passes.
 */
export function checkPrompt(prompt: string, rules: PromptRules, bounds: PromptBounds = {}): PromptCheck {
  const flaws = flawsOf(prompt, bounds);
  const isReadable = rules !== NO_RULES && prompt.length <= MAX_PROMPT_CHARS && prompt.trim() !== '';
  const findings = [...flaws, ...(isReadable ? ruleFindings(prompt, rules) : [])];
  // What refuses it is told before what is only worth a word.
  const sorted = findings.toSorted((a, b) => Number(a.action === 'warn') - Number(b.action === 'warn'));
  return { ok: sorted[0]?.action !== 'refuse', findings: sorted.slice(0, MAX_FINDINGS) };
}

type Told = Pick<PromptFinding, 'rule' | 'value' | 'wayOut'> & { readonly what: string };

function flaw({ rule, value, what, wayOut }: Told): PromptFinding {
  const message = `prompt: ${what} (rule ${rule}); ${wayOut}`;
  return { rule, field: 'prompt', value, message, wayOut, action: 'refuse' };
}

function flawsOf(prompt: string, bounds: PromptBounds): readonly PromptFinding[] {
  const wayOut = 'say what the picture should show';
  if (prompt === '') return [flaw({ rule: 'prompt-empty', value: '', what: 'it is empty', wayOut })];
  if (prompt.trim() === '')
    return [flaw({ rule: 'prompt-blank', value: '', what: 'it holds nothing but blanks', wayOut })];
  return [...lengthFlaw(prompt, bounds), ...characterFlaws(prompt), ...repeatFlaw(prompt)];
}

function lengthFlaw(prompt: string, { maxChars = MAX_PROMPT_CHARS, model }: PromptBounds): readonly PromptFinding[] {
  const limit = Math.min(maxChars, MAX_PROMPT_CHARS);
  if (prompt.length <= limit) return [];
  const chars = lengthOf(prompt);
  if (chars <= limit) return [];
  const who = model !== undefined && limit === maxChars ? model : 'Onetake';
  const other = who === model ? ', or choose a model that takes more' : '';
  const wayOut = `shorten it by ${chars - limit}${other}`;
  const what = `it has ${chars} characters and ${who} takes ${limit}`;
  return [flaw({ rule: 'prompt-length', value: String(chars), what, wayOut })];
}

function lengthOf(text: string): number {
  let chars = 0;
  for (const _char of text) chars += 1;
  return chars;
}

/** Tab and line breaks are text; of the rest none can be meant. */
const CONTROL = /[^\P{Cc}\t\n\r]/u;

function characterFlaws(prompt: string): readonly PromptFinding[] {
  const control = CONTROL.exec(prompt);
  const code = (control?.[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const place = `U+${code} at character ${(control?.index ?? 0) + 1}`;
  return [
    ...(control
      ? [
          flaw({
            rule: 'prompt-control',
            value: place,
            what: `it holds the control character ${place}`,
            wayOut: 'remove it',
          }),
        ]
      : []),
    ...(prompt.isWellFormed()
      ? []
      : [
          flaw({
            rule: 'prompt-malformed',
            value: 'a lone surrogate',
            what: 'it holds half of a character (a lone surrogate), as a text that was cut in its middle does',
            wayOut: 'cut it between characters',
          }),
        ]),
  ];
}

function repeatFlaw(prompt: string): readonly PromptFinding[] {
  let [last, count] = ['', 0];
  for (const char of prompt) {
    count = char === last ? count + 1 : 1;
    last = char;
    if (count < MAX_SAME_CHARS) continue;
    const value = JSON.stringify(char);
    const what = `it repeats ${value} ${MAX_SAME_CHARS} times in a row`;
    return [flaw({ rule: 'prompt-repeats', value, what, wayOut: 'remove the run' })];
  }
  return [];
}

function ruleFindings(prompt: string, rules: PromptRules): readonly PromptFinding[] {
  const { matches, unread } = findMatches(prompt, rules, ['refuse', 'warn']);
  const firsts = rules.rules.flatMap((rule) => matches.find((match) => match.rule === rule) ?? []);
  return [...firsts.map((match) => findingOf(prompt, match)), ...unread.map(unreadFinding)];
}

function findingOf(prompt: string, { rule, start, end }: RuleMatch): PromptFinding {
  const { id, action, category, suggestion, message: what } = rule;
  const value = shortened(prompt.slice(start, end));
  const wayOut = suggestion ?? 'use other words, or change the rule in the file of prompt rules';
  return {
    rule: id,
    field: 'prompt',
    value,
    message: `prompt: "${value}" ${what} (rule ${id}); ${wayOut}`,
    wayOut,
    ...(suggestion !== undefined && { suggestion }),
    ...(category !== undefined && { category }),
    action: action === 'refuse' ? 'refuse' : 'warn',
  };
}

/** A rule that could not be read to its end must not let a prompt through. */
function unreadFinding({ id, action }: PromptRule): PromptFinding {
  const wayOut = 'shorten the prompt, or simplify the pattern of the rule';
  const what = 'its text and the pattern of this rule take too many steps together';
  return { ...flaw({ rule: id, value: '', what, wayOut }), action: action === 'refuse' ? 'refuse' : 'warn' };
}

function shortened(piece: string): string {
  const clean = presentable(piece) || '…';
  const chars = [...clean];
  return chars.length <= MAX_VALUE_CHARS ? clean : `${chars.slice(0, MAX_VALUE_CHARS - 1).join('')}…`;
}

export interface RuleMatch extends Span {
  readonly rule: PromptRule;
}

/** Where rules of these actions match, in the order of the text: of a pattern the first places, up to `maxPerPattern`. */
export function findMatches(
  prompt: string,
  { rules, terms }: PromptRules,
  actions: readonly PromptRule['action'][],
  maxPerPattern = 1,
): { readonly matches: readonly RuleMatch[]; readonly unread: readonly PromptRule[] } {
  const wanted = rules.filter(({ action }) => actions.includes(action));
  const byTerm = findTerms(prompt, terms).flatMap(({ start, end, of: rule }: TermMatch<PromptRule>) =>
    actions.includes(rule.action) ? [{ start, end, rule }] : [],
  );
  const patterned = wanted.filter(({ pattern }) => pattern !== undefined);
  const { matches, unread } =
    patterned.length > 0 ? findPatterns(prepareText(prompt), patterned, maxPerPattern) : NOTHING;
  return { matches: [...byTerm, ...matches].toSorted((a, b) => a.start - b.start || b.end - a.end), unread };
}

const NOTHING: { readonly matches: readonly RuleMatch[]; readonly unread: readonly PromptRule[] } = {
  matches: [],
  unread: [],
};

function findPatterns(text: PreparedText, rules: readonly PromptRule[], maxPerPattern: number) {
  const [matches, unread]: [RuleMatch[], PromptRule[]] = [[], []];
  let left = MAX_CHECK_STEPS;
  for (const rule of rules) {
    if (rule.pattern === undefined) continue;
    const budget = { left: Math.min(left, MAX_PATTERN_STEPS) };
    const before = budget.left;
    let found = findPattern(rule.pattern, text, budget);
    for (let count = 1; typeof found === 'object'; count += 1) {
      matches.push({ ...found, rule });
      found = count < maxPerPattern ? findPattern(rule.pattern, text, budget, found.end) : undefined;
    }
    if (found === 'exhausted') unread.push(rule);
    left -= before - Math.max(0, budget.left);
  }
  return { matches, unread };
}

/** The refusal that a check means; undefined where nothing refuses it. */
export function promptFailure({ findings }: PromptCheck): Failure | undefined {
  const refusing = findings.filter(({ action }) => action === 'refuse');
  const [first] = refusing;
  if (first === undefined) return undefined;
  const isPolicy = first.category !== undefined;
  return {
    kind: isPolicy ? 'policy' : 'invalid',
    certainty: 'not_sent',
    message: refusing.map(({ message }) => message).join('; '),
    param: 'prompt',
    findings,
    ...(isPolicy ? { stage: 'input' as const } : { code: 'invalid_prompt' }),
    classifiedBy: `rule ${first.rule}`,
  };
}
