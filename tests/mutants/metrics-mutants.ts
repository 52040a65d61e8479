import { defects, type Mutant } from './mutant.ts';

const METRICS_TESTS = ['metrics/metrics.test.ts'];

const counting = defects('gateway', 'metrics/counting.ts', METRICS_TESTS, [
  ['takes an unknown price for 0 dollars', 'if (spentMicroUsd === null || possibleMicroUsd === null)', 'if (false)'],
  [
    'lets every target a caller names be a label',
    'const target = begun ? bounded(begun.target) : NOBODY;',
    "const target = begun?.target ?? '';",
  ],
  [
    'counts what may be billed as spent',
    'counted.possible.inc({ target }, possibleMicroUsd / 1e6)',
    'counted.spent.inc({ target }, possibleMicroUsd / 1e6)',
  ],
]);

const looking = defects('gateway', 'metrics/looking.ts', METRICS_TESTS, [
  [
    'shows a target as closed for its worst key',
    'Math.min(own, best.get(target) ?? own)',
    'Math.max(own, best.get(target) ?? own)',
  ],
  ['says that a store is up which is away', 'looked.stored.isUp() ? 1 : 0', '1'],
]);

const now = [
  ...defects(
    'gateway',
    'now/kept.ts',
    ['now/kept.test.ts'],
    [
      ['asks the store again for everybody', 'if (asking) return asking;', ''],
      ['asks a slow store all the time', 'Math.max(forMs, (askedAt - from) * SHARE)', 'forMs'],
    ],
  ),
  ...defects(
    'gateway',
    'now/feed.ts',
    ['now/feed.test.ts'],
    [
      ['looks for nobody', 'stopTimer = listeners.size === 0 ? undefined : io.timer(', 'stopTimer = io.timer('],
      ['takes any number of listeners', 'if (listeners.size >= MOST_LISTENERS) return undefined;', ''],
      ['tells only of changes', ' || io.now() - sent.at >= AT_LEAST_EVERY_MS', ''],
    ],
  ),
  ...defects(
    'gateway',
    'now/minute.ts',
    ['now/recent.test.ts'],
    [['takes a refusal for a failure', "if (kind === 'policy') return 'refused';", '']],
  ),
];

const access = defects(
  'gateway',
  'http/metrics.ts',
  ['http/metrics.test.ts'],
  [
    ['is open to everybody', 'config.metrics.open ?', 'true ?'],
    ['makes a label of any path', 'request.routeOptions.url ?? NO_ROUTE', 'request.url'],
  ],
);

/** Metrics, and how things stand. */
export const METRICS_MUTANTS: readonly Mutant[] = [...counting, ...looking, ...now, ...access];
