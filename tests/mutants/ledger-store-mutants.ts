import { defects, type Mutant } from './mutant.ts';

const CONTRACT = ['store/sqlite-ledger.test.ts'];

const holds = defects('gateway', 'store/budget-use.ts', CONTRACT, [
  ['lets a budget be passed by one', 'before + amount > bound.most', 'before + amount > bound.most + 1'],
  ['counts what a run held before against itself', 'spent + held - before + amount >', 'spent + held + amount >'],
  ['refuses what costs nothing', 'amount > 0 && ', ''],
  [
    'tells the window that ends first',
    '(other.bound.until ?? NEVER) - (one.bound.until ?? NEVER)',
    '(one.bound.until ?? NEVER) - (other.bound.until ?? NEVER)',
  ],
  ['counts a line in a day in which nothing was held', ': held.at;', ': startedAt;'],
  ['begins a window without what is in doubt', 'coalesce(possible, kept, 0) END', '0 END'],
  [
    'forgets lines that count elsewhere than they began',
    'AND counted_at <> started_at',
    'AND counted_at <> counted_at',
  ],
]);

const sqlite = defects('gateway', 'store/sqlite/budgets.ts', CONTRACT, [
  [
    'holds beside what the run held',
    '{ spent: 0, held: -Number(row.amount) });\n      removeHeld',
    '{ spent: 0, held: 0 });\n      removeHeld',
  ],
  ['holds for what is finished', 'AND caller = ? AND finished_at IS NULL', 'AND caller = ?'],
  [
    'keeps a hold after its summary',
    'windows.add(caller, window, { spent: 0, held: -Number(row.amount) });\n        const known',
    'const known',
  ],
  ['does not see a window that came later', 'remembered.delete(caller);', ''],
  ['forgets windows in which something is held', 'AND NOT EXISTS (', 'AND EXISTS (SELECT 1) OR EXISTS ('],
]);

const lines = defects('gateway', 'store/sqlite/ledger.ts', CONTRACT, [
  ['lets an unknown price be free', 'held.microUsd - line.keepsBeyond', '0'],
  ['writes lines that no budget hears of', 'held: line.possible ?? kept ?? 0', 'held: 0'],
  ['leaves settled money in doubt', 'held: -released }', 'held: 0 }'],
  ['settles what is known', "row.billed !== 'maybe'", "row.billed === 'never'"],
  ['keeps the ledger for ever', 'removeOld.run(before, limit * LINES_PER_GENERATION);', ''],
]);

const questions = defects('gateway', 'store/ledger-sql.ts', CONTRACT, [
  ['counts a generation once per attempt', 'count(DISTINCT generation)', 'count(generation)'],
  [
    'takes settled prices for unknown ones',
    'spent IS NULL OR possible IS NULL',
    'spent IS NULL OR possible IS NOT NULL',
  ],
  ['tells the first failure for the latest', 'e.started_at = g.last', 'e.started_at = g.first'],
  ['finds nothing by a provider’s request id', 'WHERE provider_request_id = ', 'WHERE request_id = '],
]);

const settlement = defects(
  'gateway',
  'store/settlement.ts',
  ['store/settlement.test.ts'],
  [
    ['charges what is free', "if (verdict === 'free') return possible.map(() => 0);", ''],
    ['loses the rest of a charge', 'index === takes ? amount + left : amount', 'amount'],
    ['frees what was billed besides', 'isCharged || wasBilled', 'isCharged'],
  ],
);

const fingerprint = defects(
  'gateway',
  'store/failure-fingerprint.ts',
  ['store/failure-fingerprint.test.ts'],
  [
    ['takes every number for another failure', ", '<n>']", ", '$&']"],
    ['takes one failure at two targets for the same', "[target ?? '', kind", "['', kind"],
  ],
);

export const LEDGER_STORE_MUTANTS: readonly Mutant[] = [
  ...holds,
  ...sqlite,
  ...lines,
  ...questions,
  ...settlement,
  ...fingerprint,
];
