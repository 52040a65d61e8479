import { defects, type Mutant } from './mutant.ts';

const now = defects(
  'dashboard',
  'pages/now/standing.ts',
  ['pages/now/standing.test.ts'],
  [
    [
      'calls a limit binding because something waits for something else',
      'waiting > 0 && share >= NEARLY',
      'waiting > 0',
    ],
    ['hides the breaker of a key behind one that is half open', "if (key === 'open')", "if (key === 'none')"],
    ['shows what is well before what is not', 'rankOf(one) - rankOf(other)', 'rankOf(other) - rankOf(one)'],
  ],
);

const keys = defects(
  'dashboard',
  'pages/keys/wanted.ts',
  ['pages/keys/wanted.test.ts'],
  [
    ['takes what is no number for no limit', 'Number.isFinite(amount) ? amount : text', 'amount'],
    [
      'makes a key for pages that never ends',
      "expiriesFor(use).includes(draft.expires) ? draft.expires : 'hour'",
      'draft.expires',
    ],
    ['shows a refusal of the budget at no field', "budget: 'usd', ", ''],
  ],
);

const costs = defects(
  'dashboard',
  'pages/costs/table.ts',
  ['pages/costs/table.test.ts'],
  [
    ['lets a name run in a spreadsheet', '/^[=+\\-@\\t\\r]/.test(text)', 'false'],
    ['lets a comma in a name move the columns', '/[",\\r\\n]/.test(safe)', '/[\\r\\n]/.test(safe)'],
    ['begins with the day after the first', 'last ?? 0) - length + 1 + index', 'last ?? 0) - length + 2 + index'],
  ],
);

const others = [
  ...defects(
    'dashboard',
    'ui/budget-words.ts',
    ['ui/budget-words.test.ts'],
    [['counts what is held as free', '(spent + held) / most', 'spent / most']],
  ),
  ...defects(
    'dashboard',
    'api/failures.ts',
    ['pages/failures/grouping.test.ts'],
    [['asks with an address that no server takes', 'encodeURIComponent(start).length', 'start.length']],
  ),
];

/** What those who run a gateway read on its page, and what they send from it. */
export const OPERATOR_PAGE_MUTANTS: readonly Mutant[] = [...now, ...keys, ...costs, ...others];
