import { defects, type Mutant } from './mutant.ts';

const CONTRACT = ['store/sqlite-browsing.test.ts'];

const looking = defects('gateway', 'store/browsing-sql.ts', CONTRACT, [
  [
    'shows everybody the pictures of all',
    '(caller === undefined ? [] : [`d.caller',
    "(caller !== '' ? [] : [`d.caller",
  ],
  ['lets a caller mark what was handed over to others', "ofAnybody ? ''", "ofAnybody || true ? ''"],
  ['tells the marks of others', 'WHERE m.caller = ', "WHERE m.caller <> '' OR m.caller = "],
  [
    'forgets a picture between two pages of one generation',
    '(before ? [`(d.generation, d.behind) <',
    '(before ? [`(d.generation, 0) <',
  ],
]);

const steps = defects(
  'gateway',
  'store/browsing.ts',
  ['store/browsing.test.ts'],
  [
    ['looks through everything at once', 'looked < MAX_LOOKED;', 'looked < 1e12;'],
    [
      'ends at the first step that finds nothing',
      'if (found.stoppedAt === undefined) return',
      'if (found.rows.length === 0) return',
    ],
  ],
);

const forgetting: readonly Mutant[] = [
  ...defects('gateway', 'store/sqlite/retention.ts', CONTRACT, [
    ['leaves pictures in the gallery that are gone', "    'DELETE FROM delivered WHERE generation = ?',\n", ''],
  ]),
  ...defects('gateway', 'store/sqlite/references.ts', CONTRACT, [
    ['keeps the marks of a picture that is gone', 'if (row) removeMarks.run(hash);', ''],
  ]),
];

const edge: readonly Mutant[] = [
  ...defects(
    'gateway',
    'tasks/journal.ts',
    ['tasks/journal.test.ts'],
    [
      [
        'shows what was set aside in the gallery',
        'pictures: outcome.images.map(({ asset }) => deliveredPicture(asset))',
        'pictures: picturesOf(journals).map(deliveredPicture)',
      ],
    ],
  ),
  ...defects(
    'gateway',
    'http/marks.ts',
    ['http/gallery.test.ts'],
    [['lets everybody mark anything', 'isAdmin ? ({ ofAnybody: true } as const) : {}', '{ ofAnybody: true } as const']],
  ),
  ...defects(
    'gateway',
    'http/estimates.ts',
    ['http/estimates.test.ts'],
    [
      [
        'takes an unknown price for nothing',
        'sum === null || one.usd === null ? null : sum + one.usd',
        'Number(sum) + Number(one.usd)',
      ],
    ],
  ),
  ...defects(
    'gateway',
    'http/controls.ts',
    ['http/controls.test.ts'],
    [['refuses what our own page asks', ' && header !== PAGE_HEADER', '']],
  ),
];

export const GALLERY_MUTANTS: readonly Mutant[] = [...looking, ...steps, ...forgetting, ...edge];
