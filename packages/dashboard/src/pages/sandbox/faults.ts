import type { Bill, BillCount, Fault, Faults } from '../../api/sandbox.ts';

/** One thing to choose: what stands where a model's name would, and what it does. */
export interface Choice {
  /** `sandbox/500`, or `sandbox-task/failed:2`. */
  readonly provider: 'sandbox' | 'sandbox-task';
  readonly example: string;
  readonly name: string;
  readonly sentence: string;
  readonly charges: boolean;
}

export interface Group {
  readonly title: string;
  readonly choices: readonly Choice[];
}

const GROUPS: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['It works', ['ok', 'slow', 'big']],
  [
    'The work is done and the answer gets lost',
    [
      'reset-after-accept',
      'reset-mid-body',
      'hang-after-accept',
      'stall-mid-body',
      '502-html',
      '504',
      'truncated-json',
    ],
  ],
  ['The provider fails', ['500', '500-billed', '503', '408', '409', 'error-in-200']],
  ['It is too much', ['429', '429-date', '429-concurrency', 'quota', '503-overloaded']],
  [
    'A 200 that is not what was asked for',
    [
      'empty',
      'no-data',
      'zero',
      'text',
      'html',
      'truncated',
      'black',
      'wrong-size',
      'jpeg-as-png',
      'partial',
      'nsfw-flag',
    ],
  ],
  ['It refuses', ['policy', 'policy-output', '400', '401', '402', '403', '404', 'retired']],
];

/** Large, or of links, which the protocol of pictures in JSON has none of. */
const OTHERS = 'Others';

/** What the sandbox can do to a picture, sorted by what it does; what is new there stands under "Others". */
export function groupsOf({ faults, ports }: Faults): readonly Group[] {
  const images = faults.filter(({ api }) => api === 'images').map((fault) => choiceOf(fault, 'sandbox'));
  const grouped = GROUPS.map(([title, names]) => ({
    title,
    choices: names.flatMap((name) => images.find((one) => one.name === name) ?? []),
  }));
  const known = new Set(GROUPS.flatMap(([, names]) => names));
  const jobs = faults.filter(({ api }) => api === 'tasks').map((fault) => choiceOf(fault, 'sandbox-task'));
  const doors = ports.map(
    ({ name, sentence }): Choice => ({
      ...{ provider: 'sandbox', example: name, name, sentence, charges: false },
    }),
  );
  return [
    ...grouped,
    { title: 'No connection', choices: doors },
    { title: 'Jobs that are looked at', choices: jobs },
    { title: OTHERS, choices: images.filter(({ name }) => !known.has(name)) },
  ].filter(({ choices }) => choices.length > 0);
}

function choiceOf({ example, name, sentence, charges }: Fault, provider: Choice['provider']): Choice {
  return { provider, example, name, sentence, charges };
}

/** Prepared: what happens most, and costs most. */
export const STORIES: readonly { readonly script: string; readonly title: string }[] = [
  { script: 'reset-after-accept', title: 'The connection dies after the work is done' },
  { script: '500-billed', title: 'A 500 that is billed all the same' },
  { script: '500,ok', title: 'It fails once, then works' },
  { script: '429:2,ok', title: 'Throttled for two seconds' },
  { script: 'truncated', title: 'A 200 with two thirds of a picture' },
  { script: 'hang-after-accept', title: 'It never answers' },
];

const NOTHING: BillCount = { requests: 0, images: 0, charged: 0, charged_usd: 0 };

/** What came onto the bill of these models in between. */
export function billedBetween(before: Bill, after: Bill, models: readonly string[]): BillCount {
  const sum = (bill: Bill, count: keyof BillCount) =>
    models.reduce((total, model) => total + (bill.models[model] ?? NOTHING)[count], 0);
  const grown = (count: keyof BillCount) => Math.max(0, sum(after, count) - sum(before, count));
  return {
    ...{ requests: grown('requests'), images: grown('images'), charged: grown('charged') },
    charged_usd: Math.round(grown('charged_usd') * 1e6) / 1e6,
  };
}

/** As the bill names what `sandbox/500,ok` is played by. */
export function billName(target: string): string {
  return target.replace(/^sandbox(?:-task)?\//, '');
}
