/** How much an alert asks of who reads it, from the least. */
export const SEVERITIES = ['notice', 'warning', 'critical'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** What a rule's values are: a part of 1, milliseconds, how many, or days that are left. */
export type Unit = 'share' | 'ms' | 'count' | 'days';

export interface Level {
  readonly at: number;
  readonly severity: Severity;
}

/** What is watched, and when it is told. */
export interface Rule {
  /** One sentence: what it says when it fires. */
  readonly what: string;
  readonly advice: string;
  readonly unit: Unit;
  /** It is over at or above its threshold; `below`: at or below it. */
  readonly is: 'above' | 'below';
  /** The mildest first; the first one's `at` is the threshold, which is a setting. */
  readonly levels: readonly [Level, ...Level[]];
  /** It must be over for so long before it fires. */
  readonly forMs: number;
  /** What is looked at lies within the last so many ms; absent where it is a standing and no stretch of time. */
  readonly windowMs?: number;
  /** Fewer requests in the window than this say nothing. */
  readonly minRequests?: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const one = (severity: Severity): Rule['levels'] => [{ at: 1, severity }];

/** Every rule by its name, in the order they are listed. */
export const RULES = {
  failure_rate: {
    what: 'so large a share of the requests of the last minutes failed (refused and canceled ones are not counted)',
    advice: 'Look at `onetake failures --since 1h`: it groups what went wrong and says what helps.',
    ...{ unit: 'share', is: 'above', forMs: 2 * MINUTE_MS, windowMs: 5 * MINUTE_MS, minRequests: 10 },
    levels: [
      { at: 0.2, severity: 'warning' },
      { at: 0.5, severity: 'critical' },
    ],
  },
  p95_latency: {
    what: 'a target took this long or longer for one in twenty of the pictures of the last minutes',
    advice: 'Put a faster target before it in its route, or ask its provider whether something is wrong there.',
    ...{ unit: 'ms', is: 'above', forMs: 5 * MINUTE_MS, windowMs: 15 * MINUTE_MS, minRequests: 10 },
    levels: [{ at: 3 * MINUTE_MS, severity: 'warning' }],
  },
  breaker_open: {
    what: 'a target failed so often that nothing is sent to it for a while',
    advice: 'Look at `onetake targets show TARGET`; when its provider is well again, `onetake targets reset TARGET`.',
    ...{ unit: 'count', is: 'above', forMs: MINUTE_MS, windowMs: HOUR_MS },
    levels: one('warning'),
  },
  key_dead: {
    what: 'a provider refuses one of our keys, or its account is used up',
    advice: 'Correct the key or top up the account in the provider’s console, then `onetake targets reset TARGET`.',
    ...{ unit: 'count', is: 'above', forMs: 0, windowMs: DAY_MS },
    levels: one('critical'),
  },
  budget: {
    what: 'a key has spent, or holds, so large a share of a budget',
    advice: 'Make it a larger budget if that is meant: at its end its requests get 402.',
    ...{ unit: 'share', is: 'above', forMs: 0 },
    levels: [
      { at: 0.75, severity: 'notice' },
      { at: 0.9, severity: 'warning' },
      { at: 1, severity: 'critical' },
    ],
  },
  repeated_failure: {
    what: 'one target gave several requests in a row the same failure, and nothing else in between',
    advice: 'It will not go away by itself: look at `onetake failures` for what it is and who has to act.',
    ...{ unit: 'count', is: 'above', forMs: 0, windowMs: HOUR_MS },
    levels: [{ at: 3, severity: 'warning' }],
  },
  unknown_outcomes: {
    what: 'nobody knows whether so many requests of the last day were made and billed, and nobody settled them',
    advice:
      'Compare `onetake generations --unknown` with the provider’s bill and settle each: they hold budget until then.',
    ...{ unit: 'count', is: 'above', forMs: 0, windowMs: DAY_MS },
    levels: [{ at: 10, severity: 'warning' }],
  },
  queue_age: {
    what: 'a task has waited this long for its first attempt (lines of batches may)',
    advice: 'Look at `onetake targets`: raise the limit that binds, add a target, or give the route less.',
    ...{ unit: 'ms', is: 'above', forMs: MINUTE_MS },
    levels: [{ at: HOUR_MS, severity: 'warning' }],
  },
  model_retiring: {
    what: 'a model that is routed to or in use stops working within so many days',
    advice: 'Put its successor into the routes that name it before that day; `onetake doctor` says which.',
    ...{ unit: 'days', is: 'below', forMs: 0 },
    levels: [
      { at: 30, severity: 'notice' },
      { at: 7, severity: 'warning' },
      { at: 0, severity: 'critical' },
    ],
  },
  disk: {
    what: 'so large a share of the data directory’s disk is full, or pictures are kept beyond retention.bytes',
    advice: 'Make room, or set retention.bytes below what the disk has for pictures: the oldest go when it is reached.',
    ...{ unit: 'share', is: 'above', forMs: MINUTE_MS },
    levels: [
      { at: 0.9, severity: 'warning' },
      { at: 0.97, severity: 'critical' },
    ],
  },
  webhooks_given_up: {
    what: 'so many webhooks of the last hours were not accepted and are not tried any more',
    advice:
      'Look at `onetake webhooks list --state given-up`, mend the receiver, then `onetake webhooks redeliver --given-up`.',
    ...{ unit: 'count', is: 'above', forMs: 0, windowMs: 6 * HOUR_MS },
    levels: one('warning'),
  },
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleName = keyof typeof RULES;

export const RULE_NAMES = Object.keys(RULES) as readonly RuleName[];

export function isRuleName(name: unknown): name is RuleName {
  return typeof name === 'string' && Object.hasOwn(RULES, name);
}

/** The rules that are on, as they are configured. */
export type ActiveRules = Readonly<Partial<Record<RuleName, Rule>>>;

/** What may be set of a rule; absent: as it is by default. */
export interface RuleSettings {
  readonly threshold?: number;
  readonly forMs?: number;
  readonly windowMs?: number;
  readonly minRequests?: number;
}

/** A rule with what is set of it. Levels that its threshold has passed fall away; what is at the threshold is as grave as they were. */
export function withSettings(rule: Rule, { threshold, ...settings }: RuleSettings): Rule {
  const [first] = rule.levels;
  const at = threshold ?? first.at;
  const passed = rule.levels.filter((level) => isOver(at, level.at, rule));
  const rest = rule.levels.slice(1).filter((level) => !isOver(at, level.at, rule));
  return { ...rule, ...settings, levels: [{ at, severity: passed.at(-1)?.severity ?? first.severity }, ...rest] };
}

function isOver(value: number, threshold: number, { is }: Pick<Rule, 'is'>): boolean {
  return is === 'above' ? value >= threshold : value <= threshold;
}

/** The gravest level that a value has come to; undefined where it has come to none. */
export function levelOf(value: number, rule: Rule): Level | undefined {
  return rule.levels.findLast((level) => isOver(value, level.at, rule));
}
