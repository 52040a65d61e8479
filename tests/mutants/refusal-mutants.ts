import { defects, type Mutant } from './mutant.ts';

const STEPS = ['policy/refusal-steps.test.ts'];

const steps = defects('core', 'policy/refusal-steps.ts', STEPS, [
  ['pays for a rung beyond any bound', 'if (paidAttempts(run) + 1 > Math.min(', 'if (0 > Math.min('],
  [
    'lets the ladder pay more than the policy',
    'Math.min(ladder.maxPaid, plan.policy.maxPaidAttempts)',
    'ladder.maxPaid',
  ],
  ['climbs after a preview was sent', 'run.partialSent || standingRung(run)', 'standingRung(run)'],
  ['takes a rung twice for one refusal', 'run.partialSent || standingRung(run)', 'run.partialSent'],
  ['forgets the rungs it took', 'return after ? [{ index, rung, after }] : [];', 'return after ? [] : [];'],
  ['goes to a target that is closed', 'return gate === undefined || gate.until <= now ||', 'return true ||'],
  ['goes elsewhere without fallback', 'if (at < 0 || !policy.fallback) return {};', 'if (at < 0) return {};'],
  ['takes the setting of one target to the next', 'setting !== undefined && at === target.id', 'setting !== undefined'],
  ['asks for the same seed again', 'seed: (seed + SEED_STEP) %', 'seed: seed %'],
]);

const others: readonly Mutant[] = [
  ...defects('core', 'policy/budget.ts', STEPS, [
    ['pays more after a rung than the ladder allows', 'paid >= policy.refusals.maxPaid', 'false'],
    ['ends at a refusal that was answered', '!run.rungs?.some((rung) => rung.attempt === attempt)', 'true'],
  ]),
  ...defects('core', 'policy/decide.ts', STEPS, [
    [
      'forgets which target the rung is for',
      'if (rung) return plan.targets.filter',
      'if (false) return plan.targets.filter',
    ],
  ]),
  ...defects(
    'core',
    'policy/refusal-ladder.ts',
    [...STEPS, 'policy/refusal-ladder.test.ts'],
    [['works around a clear refusal', 'FINAL_CATEGORIES.includes(one)', 'false']],
  ),
  ...defects(
    'core',
    'plan-prompt.ts',
    ['plan-prompt.test.ts'],
    [['holds rules against those who switched them off', 'wanted ?? configured?.everywhere ?? false', 'true']],
  ),
  ...defects(
    'core',
    'route.ts',
    ['plan-prompt.test.ts'],
    [['changes what strict forbids to change', '(rung) => !strict ||', '(rung) => true ||']],
  ),
];

export const REFUSAL_MUTANTS: readonly Mutant[] = [...steps, ...others];
