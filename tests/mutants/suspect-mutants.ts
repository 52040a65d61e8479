import type { Mutant } from './mutant.ts';

const STEPS = 'policy/suspect-steps.ts';
const SIMULATION = ['simulation.test.ts'];
const UNIT = ['policy/suspect-steps.test.ts'];

const inCore: readonly Omit<Mutant, 'package'>[] = [
  {
    name: 'pays for another picture that nobody asked for',
    file: STEPS,
    from: "suspect !== 'retry_new_seed' || ",
    to: '',
    tests: SIMULATION,
  },
  {
    name: 'pays for another picture beyond what is allowed',
    file: STEPS,
    from: 'if (!isPaymentLeft(run, plan.policy)) return undefined;',
    to: '',
    tests: UNIT,
  },
  {
    name: 'pays for another picture after the deadline',
    file: STEPS,
    from: 'now >= plan.deadlineAt || ',
    to: '',
    tests: UNIT,
  },
  {
    name: 'tries to cure a size with a seed',
    file: STEPS,
    from: "  'undecodable',\n]",
    to: "  'undecodable',\n  'wrong_size',\n]",
    tests: UNIT,
  },
  {
    name: 'sends the seed that made a bad picture again',
    file: STEPS,
    from: 'request.seed + before * SEED_STEP',
    to: 'request.seed',
    tests: UNIT,
  },
  {
    name: 'loses the picture at hand when the second try fails',
    file: 'policy/budget.ts',
    from: 'if (!outcome.ok && made) return made;',
    to: '',
    tests: SIMULATION,
  },
  {
    name: 'goes on paying after the try for a better picture failed',
    file: 'policy/decide.ts',
    from: "if (last && pictureAtHand(run)) return { do: 'finish', outcome: last };",
    to: '',
    tests: [...UNIT, ...SIMULATION],
  },
  {
    name: 'hands out a doubted picture under fail',
    file: STEPS,
    from: "return suspect === 'fail';",
    to: 'return false;',
    tests: UNIT,
  },
  {
    name: 'calls a doubted picture of a paid provider free',
    file: STEPS,
    from: 'run.attempts.at(-1)?.free ?',
    to: 'run.attempts.length > 0 ?',
    tests: UNIT,
  },
];

export const SUSPECT_MUTANTS: readonly Mutant[] = inCore.map((mutant) => ({ ...mutant, package: 'core' }));
