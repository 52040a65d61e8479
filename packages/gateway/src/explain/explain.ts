import { FAILURES, type Failure, type FailureKind } from '@onetake/core';
import { entryFor, explainedProviders, knownErrors } from './catalogue.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import { kindOfWords } from './kind-words.ts';
import type { KnownError, KnownErrors } from './known-error.ts';
import { nearestEntries } from './nearest.ts';
import { codePresence, hasPhrase, phraseWords } from './present.ts';

export interface Found {
  readonly entry: KnownError;
  readonly confidence: 'certain' | 'likely' | 'near';
  /** What it was recognised by, in the catalogue's own words: nothing of the text is repeated. */
  readonly matched: readonly string[];
}

export interface Explanation {
  /** Whether something was recognised; else `found` has what is nearest, or nothing. */
  readonly known: boolean;
  /** The likeliest first, at most five. */
  readonly found: readonly Found[];
  /** The class it belongs to, by its status or words, where nothing was recognised. */
  readonly general?: { readonly kind: FailureKind; readonly advice: string };
}

const MAX_FOUND = 5;
const MAX_NEAR = 3;

/** What an entry gets for each thing it is recognised by; from `KNOWN` on it is known, from `CERTAIN` on beyond doubt. */
const POINTS = {
  code: 50,
  sharedCode: 30,
  status: 8,
  otherStatus: -10,
  itsProvider: 15,
  otherProvider: -15,
  whole: 16,
};
const [KNOWN, CERTAIN] = [22, 50];

/** How far behind the best an entry may be to be told beside it. */
const MAX_BEHIND = 20;

/**
 * Explains an error by the catalogue: a sentence, a code, a status, a pasted answer or body, a stack trace, or our own
 * envelope. Pure and offline; `provider` says whose it is, and counts for nothing where nobody of that name is known. Of
 * the text the first 65,536 characters are read.
 */
export function explain(text: string, options: { readonly provider?: string | undefined } = {}): Explanation {
  const provider = explainedProviders().find((name) => name === options.provider);
  const evidence = evidenceOf(text);
  const whose = provider === undefined ? hintedProviders(evidence) : new Set([provider]);
  const scored = knownErrors()
    .flatMap((group) => group.entries.map((entry) => scoreOf(entry, group, evidence, whose)))
    .filter(({ score }) => score >= KNOWN)
    .toSorted((a, b) => b.score - a.score);
  const best = scored[0]?.score ?? 0;
  const found = scored
    .filter(({ score }) => score >= best - MAX_BEHIND)
    .slice(0, MAX_FOUND)
    .map(({ entry, matched, score }): Found => {
      return { entry, confidence: score >= CERTAIN ? 'certain' : 'likely', matched };
    });
  return found.length > 0 ? { known: true, found } : unknown(text, evidence, provider);
}

/**
 * The entry for a failure of a run: the one its provider's words are recognised by, where that is of the failure's kind,
 * or else the one of its code and kind.
 */
export function entryForFailure(failure: Failure, provider?: string): KnownError | undefined {
  const { kind, code, message, status } = failure;
  const told = [status, code, message].filter((one) => one !== undefined).join(' ');
  const { known, found } = explain(told, { provider });
  const first = known ? found.find(({ entry }) => entry.kind === kind) : undefined;
  return first?.entry ?? entryFor(kind, code, provider);
}

function unknown(text: string, evidence: Evidence, provider: string | undefined): Explanation {
  const ofAll = knownErrors().flatMap(({ entries }) => entries);
  const asked = provider === undefined ? ofAll : ofAll.filter((entry) => isAbout(entry, provider));
  const found = nearestEntries(text, asked, MAX_NEAR).map(({ entry, covered }): Found => {
    return { entry, confidence: 'near', matched: [`${Math.round(covered * 100)} % of its words`] };
  });
  const byStatus = statusEntries(evidence);
  const kind = kindOfWords(evidence) ?? byStatus[0]?.kind;
  const ofStatus = byStatus.slice(0, 1).map((entry): Found => {
    return {
      entry,
      confidence: 'near',
      matched: [`status ${entry.match.statuses.find((one) => evidence.statuses.has(one))}`],
    };
  });
  return {
    known: false,
    found: [...found, ...ofStatus],
    ...(kind && { general: { kind, advice: FAILURES[kind].advice } }),
  };
}

/** What the statuses alone mean, by the group of bare statuses. */
function statusEntries({ statuses }: Evidence): readonly KnownError[] {
  const http = knownErrors().find(({ provider }) => provider === 'http')?.entries ?? [];
  return http.filter(({ match }) => match.statuses.some((one) => statuses.has(one)));
}

function isAbout({ id, providers }: KnownError, provider: string): boolean {
  return providers.length === 0 || providers.includes(provider) || id.startsWith(`${provider}/`);
}

/** Whose text it is, by hosts, headers, names of SDKs, and the provider that our envelope names. */
function hintedProviders({ words, fields }: Evidence): ReadonlySet<string> {
  const hinted = knownErrors().filter(
    ({ provider, hints }) => fields.has(`provider:${provider}`) || hints.some((hint) => hasPhrase(words, hint)),
  );
  return new Set(hinted.flatMap(namesOf));
}

/** A group that is no provider itself stands for those of its entries. */
function namesOf({ provider, entries }: KnownErrors): readonly string[] {
  const named = entries.flatMap((one) => one.providers);
  return named.length === 0 || named.includes(provider) ? [provider] : named;
}

interface Scored {
  readonly entry: KnownError;
  readonly score: number;
  readonly matched: readonly string[];
}

function scoreOf(entry: KnownError, group: KnownErrors, evidence: Evidence, whose: ReadonlySet<string>): Scored {
  const { codes, statuses, phrases } = entry.match;
  const [code, presence = 0] =
    codes.map((one) => [one, codePresence(one, evidence)] as const).find(([, present]) => present > 0) ?? [];
  const spoken = phrases.filter((one) => hasPhrase(evidence.words, one));
  const [phrase] = spoken.toSorted((a, b) => phraseWords(b) - phraseWords(a));
  const status = statuses.find((one) => evidence.statuses.has(one));
  const isStatusEnough = codes.length === 0 && group.provider === 'http' && status !== undefined;
  if (code === undefined && phrase === undefined && !isStatusEnough) return { entry, score: 0, matched: [] };
  const matched = [
    ...(code === undefined ? [] : [`code ${code.replace(':', ' ')}`]),
    ...(phrase === undefined ? [] : [`words “${phrase}”`]),
    ...(status === undefined ? [] : [`status ${status}`]),
  ];
  const isShared = entry.providers.length === 0;
  const wordPoints = phrase === undefined ? 0 : pointsOf(phrase) * (group.provider === 'http' ? 0.5 : 1);
  const statusPoints = status !== undefined ? POINTS.status : contradicts(statuses, evidence) ? POINTS.otherStatus : 0;
  const isOurs = (isShared && group.provider !== 'network') || entry.match.umbrella === true;
  const codePoints = isOurs ? (code === undefined ? 0 : POINTS.sharedCode) : POINTS.code * presence;
  const told = Math.max(phrase === undefined ? 0 : phraseWords(phrase), code === undefined ? 0 : 1);
  const wholePoints = evidence.contentWords <= told + 1 ? POINTS.whole : 0;
  const score = codePoints + wordPoints + statusPoints + wholePoints + providerPoints(entry, group, whose);
  return { entry, score, matched };
}

function contradicts(statuses: readonly number[], evidence: Evidence): boolean {
  return statuses.length > 0 && evidence.statuses.size > 0;
}

function providerPoints({ providers }: KnownError, { provider }: KnownErrors, whose: ReadonlySet<string>): number {
  if (whose.has(provider) && providers.length === 0) return provider === 'onetake' ? POINTS.itsProvider : 0;
  if (providers.length === 0 || whose.size === 0) return 0;
  if (providers.some((one) => whose.has(one))) return POINTS.itsProvider;
  const isNamed = [...whose].some((one) => !NOBODY.has(one));
  return isNamed ? POINTS.otherProvider : 0;
}

/** Groups that are no provider: their hints say nothing of whose text it is. */
const NOBODY: ReadonlySet<string> = new Set(['network', 'http', 'onetake']);

/** The longer the phrase, the less it is there by chance. */
function pointsOf(phrase: string): number {
  const words = phraseWords(phrase);
  return words <= 1 ? 14 : Math.min(54, 10 + words * 5 + (words > 2 ? 6 : 0));
}
