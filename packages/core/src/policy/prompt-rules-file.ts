import starter from '../data/prompt-rules.json' with { type: 'json' };
import { isObject, type JsonValue } from '../json.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import { PatternError } from './pattern-syntax.ts';
import type { PromptRule, PromptRules } from './prompt-rules.ts';
import { indexTerms, MAX_TERM_WORDS, wordsOf } from './prompt-words.ts';
import { REFUSAL_CATEGORIES } from './refusal-category.ts';

export type ReadRules =
  | { readonly ok: true; readonly rules: PromptRules }
  /** Each names its place, such as `rules[3].pattern`. */
  | { readonly ok: false; readonly faults: readonly string[] };

const MAX_RULES = 500;
const MAX_PATTERNS = 100;
const MAX_TERMS = 5_000;
const MAX_TEXT_CHARS = 300;
const MAX_FAULTS = 20;
const KEYS = ['id', 'category', 'terms', 'pattern', 'action', 'message', 'suggestion', 'replace'];
const ACTIONS = ['refuse', 'warn', 'rewrite'] as const;

/**
 * Reads `{"rules": [{id, action, message, terms or pattern, category?, suggestion?, replace?}]}` with all its faults at
 * once; what reads a file turns its text into JSON first.
 */
export function readPromptRules(json: unknown): ReadRules {
  const faults: string[] = [];
  const report = (at: string, expected: string, got: unknown) => {
    const shown = got === undefined ? 'nothing' : JSON.stringify(got).slice(0, 100);
    faults.push(`${at}: expected ${expected}, got ${shown}`);
    return undefined;
  };
  const given: readonly JsonValue[] = isObject(json) && Array.isArray(json.rules) ? json.rules : [];
  if (!isObject(json) || !Array.isArray(json.rules))
    report('rules', 'a list of rules', isObject(json) ? json.rules : json);
  if (given.length > MAX_RULES) report('rules', `at most ${MAX_RULES} rules`, given.length);
  const read = given.slice(0, MAX_RULES).flatMap((rule, index) => readRule(rule, `rules[${index}]`, report) ?? []);
  const ids = read.map(({ rule }) => rule.id);
  for (const id of new Set(ids.filter((one, index) => ids.indexOf(one) !== index)))
    report('rules', 'ids that differ', id);
  const terms = read.flatMap(({ rule, terms: own }) => own.map((term) => ({ term, of: rule })));
  if (terms.length > MAX_TERMS) report('rules', `at most ${MAX_TERMS} terms in all`, terms.length);
  const patterns = read.filter(({ rule }) => rule.pattern !== undefined).length;
  if (patterns > MAX_PATTERNS) report('rules', `at most ${MAX_PATTERNS} patterns`, patterns);
  if (faults.length > 0) return { ok: false, faults: faults.slice(0, MAX_FAULTS) };
  return { ok: true, rules: { rules: read.map(({ rule }) => rule), terms: indexTerms(terms) } };
}

type Report = (at: string, expected: string, got: unknown) => undefined;

interface ReadRule {
  readonly rule: PromptRule;
  readonly terms: readonly string[];
}

function readRule(value: JsonValue, at: string, report: Report): ReadRule | undefined {
  if (!isObject(value)) return report(at, 'an object', value);
  for (const key of Object.keys(value))
    if (!KEYS.includes(key)) report(`${at}.${key}`, `one of ${KEYS.join(', ')}`, key);
  const text = (key: string, isOptional = false) => readText(value[key], `${at}.${key}`, isOptional, report);
  const id = text('id');
  if (id !== undefined && !/^[a-z0-9][a-z0-9-]{0,59}$/.test(id))
    report(`${at}.id`, 'small letters, digits and hyphens', id);
  if (id?.startsWith('prompt-')) report(`${at}.id`, 'an id that does not begin with prompt-, as Onetake’s own do', id);
  const action =
    ACTIONS.find((one) => one === value.action) ?? report(`${at}.action`, ACTIONS.join(', '), value.action);
  const category = readCategory(value.category, at, report);
  const [message, suggestion, replace] = [text('message'), text('suggestion', true), text('replace', true)];
  if ((action === 'rewrite') !== (replace !== undefined) && action !== undefined)
    report(
      `${at}.replace`,
      action === 'rewrite' ? 'the words of a rewrite' : 'nothing beside this action',
      value.replace,
    );
  if ((value.terms === undefined) === (value.pattern === undefined))
    report(at, 'either terms or a pattern', value.terms === undefined ? 'neither' : 'both');
  const terms = value.terms === undefined ? [] : readTerms(value.terms, `${at}.terms`, report);
  const pattern = value.pattern === undefined ? undefined : readPattern(value.pattern, `${at}.pattern`, report);
  if (id === undefined || action === undefined || message === undefined) return undefined;
  const rule: PromptRule = {
    id,
    action,
    message,
    ...(category !== undefined && { category }),
    ...(suggestion !== undefined && { suggestion }),
    ...(replace !== undefined && { replace }),
    ...(pattern !== undefined && { pattern }),
  };
  return { rule, terms };
}

function readText(value: JsonValue | undefined, at: string, isOptional: boolean, report: Report): string | undefined {
  if (value === undefined && isOptional) return undefined;
  const isGood =
    typeof value === 'string' && value.trim() !== '' && value.length <= MAX_TEXT_CHARS && value.isWellFormed();
  return isGood ? value : report(at, `a text of 1 to ${MAX_TEXT_CHARS} characters`, value);
}

function readCategory(value: JsonValue | undefined, at: string, report: Report) {
  if (value === undefined) return undefined;
  return (
    REFUSAL_CATEGORIES.find((one) => one === value) ?? report(`${at}.category`, REFUSAL_CATEGORIES.join(', '), value)
  );
}

function readTerms(value: JsonValue, at: string, report: Report): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) {
    report(at, 'a list of terms', value);
    return [];
  }
  return value.flatMap((term: JsonValue, index) => {
    const where = `${at}[${index}]`;
    const read = readText(term, where, false, report);
    if (read === undefined) return [];
    const words = wordsOf(read).length;
    if (words > 0 && words <= MAX_TERM_WORDS) return [read];
    report(where, words === 0 ? 'a term with a letter or a digit' : `at most ${MAX_TERM_WORDS} words`, term);
    return [];
  });
}

function readPattern(value: JsonValue, at: string, report: Report): Pattern | undefined {
  if (typeof value !== 'string') return report(at, 'a regular expression', value);
  try {
    return compilePattern(value);
  } catch (error) {
    if (error instanceof PatternError) return report(at, `a pattern of the known syntax (${error.message})`, value);
    throw error;
  }
}

/** The rules that ship; a file of one's own stands in their place. */
export function starterRules(): PromptRules {
  const read = readPromptRules(starter);
  if (!read.ok) throw new TypeError(`prompt-rules.json: ${read.faults.join('; ')}`);
  return read.rules;
}
