import { defects, type Mutant } from './mutant.ts';

const money = defects(
  'gateway',
  'money/money.ts',
  ['money/money.test.ts'],
  [
    [
      'lets everybody with a budget spend without asking',
      'key?.budget === undefined && key?.images === undefined',
      'true',
    ],
    [
      'forgets budgets of pictures',
      'key?.budget === undefined && key?.images === undefined',
      'key?.budget === undefined',
    ],
    ['takes an unknown price for nothing', 'isUnknown && key.budget && !key.allowUnknownPrice', 'false'],
    [
      'refuses an unknown price where pictures are counted alone',
      'isUnknown && key.budget && !key.allowUnknownPrice',
      'isUnknown && !key.allowUnknownPrice',
    ],
    [
      'lets go what was held when the next price is unknown',
      'spend.microUsd ?? held.get(spend.runId) ?? 0',
      'spend.microUsd ?? 0',
    ],
    ['spends while the store does not answer', 'return unasked(key, io.now() + COME_BACK_MS);', 'return undefined;'],
    ['gives up at the first word of a store that is away', '!isAway(error) || io.now() >= until', 'true'],
    ['asks a store that is away for ever', '!isAway(error) || io.now() >= until', '!isAway(error)'],
    ['asks again after any error', '!isAway(error) || io.now() >= until', 'io.now() >= until'],
    ['holds for another run', "Number(runId.slice(runId.lastIndexOf('.') + 1))", '0'],
    ['keeps what a run does not need any more', 'if (!isHeld && bounds', 'if (bounds'],
    ['writes holds of nothing', 'if (!isHeld && bounds', 'if (isHeld && bounds'],
    ['looks once for each that is refused', 'if (known) return known;', ''],
  ],
);

const refusal = defects(
  'gateway',
  'money/refusal.ts',
  ['money/money.test.ts'],
  [
    ['promises room that no window has', 'const never = wanted > most;', 'const never = false;'],
    ['tells pictures as money', "unit === 'micro_usd' ? usdText(value)", "unit !== 'bytes' ? usdText(value)"],
    [
      'says of nobody’s price that it is a charge',
      "kind: 'budget', certainty: 'not_sent', message };",
      "kind: 'budget', certainty: 'ambiguous', message };",
    ],
  ],
);

const answered = defects(
  'gateway',
  'money/answered-before.ts',
  ['money/answered-before.test.ts'],
  [
    ['never writes again', '    isComing = false;\n', ''],
    ['keeps hits without a bound', 'noted.length < MAX_NOTED', 'noted.length < Infinity'],
    ['saves nothing where the price is known', 'costUsd === undefined ? null', 'costUsd !== undefined ? null'],
    ['leaves what was noted behind', 'close: writeInTurn', 'close: async () => {}'],
  ],
);

const routes = [
  ...defects(
    'gateway',
    'http/admin.ts',
    ['http/costs.test.ts'],
    [
      [
        'shows a key what others spent',
        'if (named === undefined) return caller;',
        'if (named === undefined) return named;',
      ],
      ['lets a key ask for another', 'if (isAdmin || named === caller) return named;', 'if (caller) return named;'],
    ],
  ),
  ...defects(
    'gateway',
    'http/costs.ts',
    ['http/costs.test.ts'],
    [
      [
        'cuts the total off with the rows',
        'store.costs({ ...filter, by: [], limit: 1 })',
        'store.costs({ ...filter, by, limit: 1 })',
      ],
    ],
  ),
  ...defects(
    'gateway',
    'http/period.ts',
    ['http/period.test.ts'],
    [
      [
        'leaves out the last day',
        "instantOf('until', given.until, now, DAY_MS)",
        "instantOf('until', given.until, now, 0)",
      ],
      ['takes time that runs backwards', 'if (since < until) return', 'if (since !== until) return'],
    ],
  ),
  ...defects(
    'gateway',
    'http/settle.ts',
    ['http/settle.test.ts'],
    [
      ['lets a page settle', 'if (request.fromBrowser) throw', 'if (!request) throw'],
      ['charges a price that nobody knows', "verdict === 'charged' && usd === undefined &&", 'false &&'],
      ['takes an amount of what was free', "if (verdict === 'free')\n    throw", "if (verdict === 'none')\n    throw"],
      ['says that a known outcome was settled', "if (answer === 'not_unknown')", "if (answer === 'not_found')"],
    ],
  ),
];

const journal = defects(
  'gateway',
  'tasks/journal.ts',
  ['tasks/journal.test.ts'],
  [
    ['ends a generation without a bill', 'lines: ledgerOf(plan, generation),', ''],
    ['begins what a crash would forget', 'while (writing) await writing;\n      if', 'if'],
  ],
);

const chats = defects(
  'gateway',
  'chat/chats.ts',
  ['chat/chats.test.ts'],
  [
    ['holds for an answer that is not there yet', '{ atOnce: startsDurably }', '{ atOnce: false }'],
    ['asks a model that nobody may pay for', '...(afford && { afford })', ''],
  ],
);

const commands = defects(
  'gateway',
  'cli/commands/retry.ts',
  ['cli/commands/settle.test.ts'],
  [
    ['pays twice without a word', 'why !== undefined && !payAgain', "why === '' && !payAgain"],
    ['asks for that word where nothing was billed', "if (billed !== 'yes') return undefined;", ''],
  ],
);

/** Defects around budgets and the ledger in the gateway: who may spend, who is told what, and what is paid twice. */
export const MONEY_GATEWAY_MUTANTS: readonly Mutant[] = [
  ...money,
  ...refusal,
  ...answered,
  ...routes,
  ...journal,
  ...chats,
  ...commands,
];
