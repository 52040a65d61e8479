import { defects, type Mutant } from './mutant.ts';

const press = defects(
  'dashboard',
  'pages/playground/press.ts',
  ['pages/playground/press.test.ts'],
  [
    ['pays again for a press that got no answer', 'key: isSame ? last.key : draw()', 'key: draw()'],
    ['gives an old picture to a new wish', '&& last.form === form', ''],
    ['gives the same picture for ever', '!last.isAnswered && ', ''],
  ],
);

const form = defects(
  'dashboard',
  'pages/playground/form.ts',
  ['pages/playground/form.test.ts'],
  [
    ['sends what the model cannot be told', "offers[name].kind === 'off' || ", ''],
    ['asks for several of every candidate', 'form.candidates > 1 || form.n === 1 ?', 'form.n === 1 ?'],
    ['forgets how many there were', '    n,\n    compression:', '    compression:'],
    ['sends more pictures than the model works from', 'references > most)', 'references > most * 9)'],
  ],
);

const stock = defects(
  'dashboard',
  'pages/sandbox/stock-sdk.ts',
  ['pages/sandbox/stock-sdk.test.ts'],
  [
    ['says that an SDK repeats what it takes for an answer', "if (ending !== 'again') break;", ''],
    ['charges what the provider does not bill', 'isBilled(nameOf(fault), charges) ? 1 : 0', '1'],
  ],
);

const bill = defects(
  'dashboard',
  'pages/sandbox/faults.ts',
  ['pages/sandbox/stock-sdk.test.ts'],
  [
    ['counts what others used', 'models.reduce((total', 'Object.keys(bill.models).reduce((total'],
    ['hides a fault that is new', '!known.has(name)', 'false'],
  ],
);

const rows = defects(
  'dashboard',
  'pages/generations/live-rows.ts',
  ['pages/generations/words.test.ts'],
  [['moves the rows under who reads them', '!isHeld || ', 'isHeld || ']],
);

const lanes = defects(
  'dashboard',
  'pages/generations/lanes.ts',
  ['pages/generations/lanes.test.ts'],
  [
    ['draws one stage over another', 'at = Math.min(toMs, at + ms);', 'at = Math.max(toMs, at + ms);'],
    ['ends what still runs', 'const isOpen = next === undefined && endMs !== undefined;', 'const isOpen = false;'],
  ],
);

export const DASHBOARD_MUTANTS: readonly Mutant[] = [...press, ...form, ...stock, ...bill, ...rows, ...lanes];
