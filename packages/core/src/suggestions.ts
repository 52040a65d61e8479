import { presentable } from './classify.ts';
import type { Failure } from './failure.ts';
import type { PromptFinding } from './policy/prompt-finding.ts';
import { FINAL_CATEGORIES, REFUSAL_CATEGORIES, type RefusalCategory } from './policy/refusal-category.ts';
import type { Refusal } from './policy/refusal-ladder.ts';
import type { Rewrite } from './policy/rewrite.ts';

/** A refusal as a caller is told of it. */
export interface RefusalReport {
  readonly stage: Refusal['stage'] | 'unknown';
  /** The provider's own code, such as `moderation_blocked` or `IMAGE_SAFETY`; or the rule that refused the prompt here. */
  readonly reason?: string;
  /** Empty where the provider does not say what it was. */
  readonly categories: readonly RefusalCategory[];
  /** The provider's words, at most 300 characters, without keys and markup; absent where no provider was asked. */
  readonly said?: string;
  /** One to three, the most promising first. */
  readonly suggestions: readonly string[];
}

export interface SuggestionContext {
  /** What the rules would say instead. */
  readonly rewrite?: Rewrite | undefined;
  /** Pictures went along, and may be what was refused. */
  readonly hasImages?: boolean;
}

const MAX_SAID_CHARS = 300;
const MAX_SUGGESTIONS = 3;
const MAX_SHOWN_CHANGES = 2;

/** What a refusal says and what could be done about it; undefined for any other failure. */
export function refusalReport(failure: Failure, context: SuggestionContext = {}): RefusalReport | undefined {
  if (failure.kind !== 'policy') return undefined;
  if (failure.findings) return ruleReport(failure.findings);
  const categories = categoriesOf(failure);
  return {
    stage: failure.stage ?? 'unknown',
    ...(failure.code !== undefined && { reason: failure.code }),
    categories,
    said: shortened(failure.message),
    suggestions: suggestionsOf(failure, categories, context),
  };
}

/** A refusal by our own rules: nobody else has seen the prompt. */
function ruleReport(findings: readonly PromptFinding[]): RefusalReport {
  const refusing = findings.filter(({ action }) => action === 'refuse');
  const named = refusing.flatMap(({ category }) => category ?? []);
  const [first] = refusing;
  return {
    stage: 'input',
    ...(first && { reason: first.rule }),
    categories: REFUSAL_CATEGORIES.filter((category) => named.includes(category)),
    suggestions: refusing.map(({ wayOut }) => wayOut).slice(0, MAX_SUGGESTIONS),
  };
}

function shortened(message: string): string {
  const chars = [...presentable(message)];
  return chars.length <= MAX_SAID_CHARS ? chars.join('') : `${chars.slice(0, MAX_SAID_CHARS - 1).join('')}…`;
}

/** OpenAI's list of what was violated, wherever it stands in the text. */
const VIOLATIONS = /safety_violations\s*=\s*\[([^\]]{0,300})\]/i;

/**
 * The words providers use: OpenAI's `safety_violations=[…]` and moderation categories, Azure's filters, the moderation
 * reasons of Black Forest Labs, Google's finish and block reasons, and plain sentences. They are read where an adapter
 * left them, in the message and the code.
 */
const WORDS: readonly (readonly [RefusalCategory, RegExp])[] = [
  ['minors', /\bminors\b|\bcsam\b|\bcsae\b|\bunder-?age\b|child[ _-](?:safety|abuse|exploitation|sexual|porn)/i],
  ['sexual', /\bsexual|\bnud(?:e|ity)\b|\bnsfw\b|\bporn|\berotic|\badult[ _-]content/i],
  ['violence', /\bviolen|\bgor[ey]\b|\bgraphic content\b|\bweapons?\b|\bbloody?\b/i],
  ['hate', /\bhate\b|\bhateful\b|\bharass|\bracis[mt]|\bextremis[mt]/i],
  ['self_harm', /\bself[-_ /]?harm|\bsuicid/i],
  [
    'likeness',
    /copyright|trade ?mark|intellectual property|\blikeness\b|public figure|celebrit|real (?:person|people)|derivative works?|third[- ]party content|protected[ _]material|recitation/i,
  ],
  ['personal_data', /\bspii\b|\bpersonal(?:ly)?[ _-](?:identif|data|information)|\bprivacy\b/i],
  ['other', /\bjailbreak\b|\bprofanity\b|\billicit\b|\bdeception\b|\bbio_policy\b/i],
];

/** What the provider says that the refusal is about; its own list goes before anything read out of its sentences. */
export function categoriesOf({ message, code = '' }: Pick<Failure, 'message' | 'code'>): readonly RefusalCategory[] {
  const [, listed] = VIOLATIONS.exec(message) ?? [];
  if (listed !== undefined && listed.trim() !== '') {
    const named = categoriesIn(listed);
    return named.length > 0 ? named : ['other'];
  }
  const named = categoriesIn(`${message} ${code.replaceAll('_', ' ')} ${code}`);
  if (named.length < RECITED_CATEGORIES || FILTER_RESULT.test(message)) return named;
  return named.filter((category) => category === 'minors');
}

/** A sentence that names so many recites a policy, and says nothing of this request; a filter's results do. */
const RECITED_CATEGORIES = 4;
const FILTER_RESULT = /\b(?:hate|sexual|violence|self[_-]harm): (?:low|medium|high)\b/i;

function categoriesIn(text: string): readonly RefusalCategory[] {
  const found = WORDS.flatMap(([category, words]) => (words.test(text) ? [category] : []));
  return REFUSAL_CATEGORIES.filter((category) => found.includes(category));
}

const BY_CATEGORY: Readonly<Record<RefusalCategory, string>> = {
  minors: 'Leave out everything sexual, hurtful or revealing about young people; no wording of it is accepted.',
  sexual:
    'Leave out nudity and words for bodies or underwear; say what the people wear, where they are and what they do.',
  violence:
    'Leave out wounds, blood and weapons in use; show the moment before or after, or name the thing as a toy, a film prop or a museum piece.',
  hate: 'Leave out slogans, symbols and words against groups of people; for history, describe place, time and clothing.',
  self_harm: 'Show the feeling, not the act: solitude, rain, an empty room, a hand held out.',
  likeness:
    'Leave out names of persons, brands, characters and studios; describe looks, clothing, colours and the manner of drawing instead.',
  personal_data: 'Leave out names, addresses, numbers and documents of real people.',
  other: 'Say in plain words what the picture shows; leave out instructions about rules, filters or the model itself.',
};

const OTHER_WORDS =
  'Say it in other words: the prompt was refused before anything was drawn, and the same words will be refused again.';
const ONCE_MORE =
  'Ask for the same once more if a second payment is acceptable: the picture was withheld, not the prompt, and another seed may pass.';
const PICTURES = 'Try without the pictures that were sent along, or with others: one of them may be what was refused.';
const SIMPLER = 'Shorten the prompt to its subject and add details one at a time, to find the words that are refused.';
const ANOTHER_MODEL = 'Try another model: providers judge differently.';

function suggestionsOf(
  { stage }: Failure,
  categories: readonly RefusalCategory[],
  { rewrite, hasImages = false }: SuggestionContext,
): readonly string[] {
  // Of what is final there is nothing to suggest but to leave it.
  const final = categories.filter((category) => FINAL_CATEGORIES.includes(category));
  const topics = final.length > 0 ? final : categories;
  const advice = topics.map((category) => BY_CATEGORY[category]);
  if (final.length > 0) return advice.slice(0, MAX_SUGGESTIONS);
  const isOutput = stage === 'output';
  return [
    ...(rewrite ? [instead(rewrite)] : []),
    ...advice.slice(0, rewrite ? 1 : 2),
    ...(isOutput ? [ONCE_MORE] : []),
    ...(hasImages ? [PICTURES] : []),
    ...(stage === 'input' && !rewrite ? [OTHER_WORDS] : []),
    ...(categories.length === 0 ? [SIMPLER] : []),
    ANOTHER_MODEL,
  ].slice(0, MAX_SUGGESTIONS);
}

function instead({ changes }: Rewrite): string {
  const shown = changes.slice(0, MAX_SHOWN_CHANGES).map(({ from, to }) => `“${to}” instead of “${presentable(from)}”`);
  return `Say ${shown.join(', and ')}.`;
}
