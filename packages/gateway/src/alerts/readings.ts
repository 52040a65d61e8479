import type { TargetReport } from '@onetake/core';
import { durationText, shareText } from './amounts.ts';
import type { Reading } from './reading.ts';
import { type ActiveRules, levelOf, type Rule, type RuleName } from './rules.ts';

/** What is known when the rules are evaluated; what is absent could not be looked up, and says nothing. */
export interface Facts {
  readonly now: number;
  /** By a rule's window: how requests ended here. */
  readonly recent: (windowMs: number) => RecentFacts;
  readonly targets: readonly TargetFacts[];
  readonly streaks: readonly Streak[];
  readonly budgets: readonly BudgetFacts[];
  readonly unknownOutcomes: CountedFacts | undefined;
  readonly waiting: WaitingFacts | undefined;
  readonly models: readonly ModelFacts[];
  readonly disk: readonly DiskFacts[];
  readonly givenUp: CountedFacts | undefined;
  /** Rules whose facts could not be looked up once so far. */
  readonly unanswered: readonly RuleName[];
  /** Epoch ms: what happens here is counted since then. */
  readonly countedSince: number;
}

export interface RecentFacts {
  readonly completed: number;
  readonly failed: number;
  /** The attempts at each target that made pictures: waiting for a turn is not in their time. */
  readonly byTarget: ReadonlyMap<string, { readonly completed: number; readonly p95Ms: number | undefined }>;
}

export type TargetFacts = Pick<
  TargetReport,
  'target' | 'credential' | 'state' | 'credentialState' | 'lastFailureAt' | 'reason'
>;

/** The same failure of one target, again and again. */
export interface Streak {
  readonly target: string;
  /** Requests in a row. */
  readonly count: number;
  readonly lastAt: number;
  /** What it was, with nothing in it that changes from one to the next. */
  readonly failure: string;
}

export interface BudgetFacts {
  readonly key: string;
  readonly window: string;
  readonly used: number;
  readonly most: number;
}

export interface CountedFacts {
  readonly count: number;
  /** There may be more: so many are looked at. */
  readonly isAtLeast: boolean;
}

export interface WaitingFacts {
  /** Of the one that waits longest of those that were looked at; undefined where nothing waits that long. */
  readonly oldestAt: number | undefined;
}

export interface ModelFacts {
  readonly target: string;
  /** ISO date. */
  readonly on: string;
  readonly days: number;
  readonly successor?: string;
}

export interface DiskFacts {
  readonly subject: string;
  readonly used: number;
  readonly most: number;
}

type Found = Pick<Reading, 'subject' | 'value' | 'message'>;
type Evaluate = (facts: Facts, rule: Rule) => readonly Found[];

const BYTES_PER_GB = 1e9;

/** One sentence per subject; a rule that knows nothing finds nothing. */
const EVALUATE: Readonly<Record<RuleName, Evaluate>> = {
  failure_rate({ recent }, { windowMs = 0, minRequests = 1 }) {
    const { completed, failed } = recent(windowMs);
    const all = completed + failed;
    if (all < minRequests) return [];
    const value = failed / all;
    const message = `${shareText(value)} of ${all} requests failed within ${durationText(windowMs)}`;
    return [{ subject: '', value, message }];
  },

  p95_latency: ({ recent }, { windowMs = 0, minRequests = 1 }) =>
    [...recent(windowMs).byTarget].flatMap(([target, { completed, p95Ms: value }]) => {
      if (value === undefined || completed < minRequests) return [];
      const message = `${target} took ${durationText(value)} or longer for one request in twenty within ${durationText(windowMs)}`;
      return [{ subject: target, value, message }];
    }),

  breaker_open: ({ now, targets }, { windowMs = 0 }) =>
    bySubject(
      targets.map(({ target, credential, state, lastFailureAt = 0, reason }) => ({
        subject: target,
        value: state !== 'closed' && lastFailureAt > now - windowMs ? 1 : 0,
        message: `the breaker of ${target} (key of ${credential}) is ${state.replace('_', '-')}${because(reason)}`,
      })),
    ),

  key_dead: ({ now, targets }, { windowMs = 0 }) =>
    bySubject(
      targets.map(({ credential, credentialState, lastFailureAt = 0, reason }) => ({
        subject: credential,
        value: credentialState !== 'closed' && lastFailureAt > now - windowMs ? 1 : 0,
        message: `the key of ${credential} is not accepted, or its account is used up${because(reason)}`,
      })),
    ),

  budget: ({ budgets }) =>
    bySubject(
      budgets
        // Of what may spend nothing at all no share is used.
        .filter(({ most }) => most > 0)
        .map(({ key, window, used, most }) => ({
          subject: key,
          value: used / most,
          message: `key ${key} has used ${shareText(used / most)} of its ${window}`,
        })),
    ),

  repeated_failure: ({ now, streaks }, { windowMs = 0 }) =>
    streaks
      .filter(({ lastAt }) => lastAt > now - windowMs)
      .map(({ target, count, failure }) => ({
        subject: target,
        value: count,
        message: `${target} failed ${count} ${count === 1 ? 'request' : 'requests'} in a row in the same way: ${failure}`,
      })),

  unknown_outcomes: ({ unknownOutcomes }, { windowMs = 0 }) =>
    counted(
      unknownOutcomes,
      (count) => `${count} requests within ${durationText(windowMs)} may have been billed, and nobody knows`,
    ),

  queue_age({ now, waiting }) {
    if (waiting === undefined) return [];
    const value = waiting.oldestAt === undefined ? 0 : Math.max(0, now - waiting.oldestAt);
    return [{ subject: '', value, message: `a task has waited for ${durationText(value)}` }];
  },

  model_retiring: ({ models }) =>
    models.map(({ target, on, days, successor }) => {
      const when =
        days <= 0 ? `was shut down on ${on}` : `shuts down on ${on}, in ${days} ${days === 1 ? 'day' : 'days'}`;
      const next = successor === undefined ? '' : `; its successor is ${successor}`;
      return { subject: target, value: days, message: `${target} ${when}${next}` };
    }),

  disk: ({ disk }) =>
    disk.map(({ subject, used, most }) => ({
      subject,
      value: used / most,
      message: `${subject}: ${gigabytes(used)} of ${gigabytes(most)} are used (${shareText(used / most)})`,
    })),

  webhooks_given_up: ({ givenUp }, { windowMs = 0 }) =>
    counted(givenUp, (count) => `${count} webhooks were given up within ${durationText(windowMs)}`),
};

/** What every rule that is on finds, over or not. */
export function evaluate(facts: Facts, rules: ActiveRules): readonly Reading[] {
  return (Object.keys(rules) as RuleName[]).flatMap((name) => {
    const rule = rules[name];
    if (rule === undefined) return [];
    return EVALUATE[name](facts, rule).map((found): Reading => {
      const level = levelOf(found.value, rule);
      const { at, severity } = level ?? rule.levels[0];
      return { rule: name, ...found, threshold: at, severity, isOver: level !== undefined };
    });
  });
}

/** What is known of these begins anew with the process. */
const COUNTED_HERE: readonly RuleName[] = [
  ...(['failure_rate', 'p95_latency', 'breaker_open', 'key_dead', 'repeated_failure'] as const),
];

/**
 * Nothing found is nothing wrong, except where there was no time to find it: what a process counts itself must have
 * been watched for the rule's whole window, so that a restart is no recovery.
 */
export function isUnknown(
  { rule, subject }: Pick<Reading, 'rule' | 'subject'>,
  { now, countedSince, unanswered }: Pick<Facts, 'now' | 'countedSince' | 'unanswered'>,
  readings: readonly Reading[],
  rules: ActiveRules,
): boolean {
  if (readings.some((one) => one.rule === rule && one.subject === subject)) return false;
  return (
    unanswered.includes(rule) || (COUNTED_HERE.includes(rule) && now - countedSince < (rules[rule]?.windowMs ?? 0))
  );
}

/** A subject that several have found something of stands once, by the largest. */
function bySubject(found: readonly Found[]): readonly Found[] {
  const largest = new Map<string, Found>();
  for (const one of found) if ((largest.get(one.subject)?.value ?? -1) < one.value) largest.set(one.subject, one);
  return [...largest.values()];
}

function counted(facts: CountedFacts | undefined, say: (count: string) => string): readonly Found[] {
  if (facts === undefined) return [];
  const { count, isAtLeast } = facts;
  return [{ subject: '', value: count, message: say(isAtLeast ? `${count} or more` : String(count)) }];
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / BYTES_PER_GB).toFixed(1)} GB`;
}
