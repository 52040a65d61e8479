import { defects, type Mutant } from './mutant.ts';

const BUDGET = ['policy/retry-budget.test.ts', 'repeats.test.ts'];

const budget = defects('core', 'policy/retry-budget.ts', BUDGET, [
  ['leaves a target without repeats for ever', 'seconds * policy.refillPerSecond', '0 * seconds'],
  ['gives back less than a repeat drew', '(drawn ?? policy.successGain)', 'policy.successGain'],
  ['saves up more than the capacity', 'Math.min(policy.capacity, refilled.units + gain)', 'refilled.units + gain'],
  ['has one more repeat in flight than it may', 'budget.openRepeats + 1 > mayBeOpen', 'budget.openRepeats > mayBeOpen'],
  ['takes every failure for a throttle', "after.kind === 'throttled'", 'true'],
  ['lends a repeat', 'refilled.units < cost', 'refilled.units <= 0'],
  ['takes from who has a clock that was set back', 'Math.max(0, now - budget.at)', '(now - budget.at)'],
]);

const repeats = defects(
  'core',
  'repeats.ts',
  ['repeats.test.ts'],
  [
    ['forgets what is in flight', 'others.find(([, { budget }]) => budget.open === 0) ?? others[0]', 'others[0]'],
    ['gives back twice what was drawn once', 'delete entry.drawn;', ''],
  ],
);

const run = defects(
  'core',
  'loop.ts',
  ['repeats-in-runs.test.ts'],
  [
    [
      'keeps from the journal why it gave up',
      "{ type: 'target-skipped', at, target, reason: NO_REPEATS, kind: 'unavailable' },",
      '',
    ],
    ['does not say when to come back', 'withReturnTime(failed, last, runId, plan, gate)', 'failed'],
  ],
);

const money = defects(
  'core',
  'attempt-cost.ts',
  ['chat-cost.test.ts'],
  [
    ['takes an estimate for what was told', "usage?.estimated === true ? 'estimated' : 'usage'", "'usage'"],
    ['is sure of a charge for an answer nobody saw', "!((numberAt(usage, 'output_tokens') ?? 0) > 0)", 'false'],
    ['takes chat for pictures that cost nothing', '!isChatPlan(plan) && ', "plan.route !== '' || "],
  ],
);

const prices = defects(
  'core',
  'price.ts',
  ['chat-cost.test.ts'],
  [
    ['takes the whole price for cached input', 'cached * cachedInput', 'cached * textInput'],
    ['counts cached input twice', 'input - pictures - cached', 'input - pictures'],
  ],
);

const tokens = defects(
  'core',
  'account.ts',
  ['pacer-tokens.test.ts'],
  [
    ['holds an estimate for what broke off', "return { kind: 'other', ...used }", "return { kind: 'other' }"],
    [
      'holds an estimate for what was refused late',
      "certainty === 'failed') return { kind: 'accepted', ...used }",
      "certainty === 'failed') return { kind: 'accepted' }",
    ],
  ],
);

const answers = defects(
  'core',
  'chat/http-answer.ts',
  ['chat/http-answer.test.ts'],
  [
    ['hides a provider’s own 5xx', 'status >= 500 && status <= 599 ? status : undefined', 'undefined'],
    ['lets callers repeat what may be billed', "billed(failure) === 'no' && failure.notBefore", 'failure.notBefore'],
    ['lets callers repeat without saying when', '&& failure.notBefore !== undefined', ''],
    [
      'says that a lost connection was none',
      "failure.certainty === 'not_sent' ? row.code : 'connection_lost'",
      'row.code',
    ],
  ],
);

/** Repeats and their budget, and what is told of chat: tokens, cost, answers. */
export const REPEAT_MUTANTS: readonly Mutant[] = [
  ...budget,
  ...repeats,
  ...run,
  ...money,
  ...prices,
  ...tokens,
  ...answers,
];
