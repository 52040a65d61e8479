import { defects, type Mutant } from './mutant.ts';

const FREE = ['policy/decide-free.test.ts'];
const HOSTS = ['hosts.test.ts'];

const free = defects(
  'core',
  'policy/free.ts',
  [...FREE, ...HOSTS],
  [
    [
      'takes what is lost at a free target for a possible charge',
      "...failure,\n    certainty: 'rejected',",
      '...failure,',
    ],
    ['waits for a dead host for ever', 'missed.looks >= MAX_MISSED_LOOKS ||', ''],
    ['gives a job up after one failed look', 'const MAX_MISSED_LOOKS = 3', 'const MAX_MISSED_LOOKS = 1'],
    ['counts the total time instead of progress', 'open.movedAt ?? open.startedAt', 'open.startedAt'],
    ['gives up what waits for its turn there', "open.stage === 'queued' || missed", 'missed'],
    ['gives a job up before it looks', '|| (open.pollAt ?? now) <= now) return', ') return'],
    [
      'takes a server that tells nothing for one that stands still',
      'if (tells || stallMs >= firstByteMs)',
      'if (true)',
    ],
    [
      'repeats a picture that is none without end',
      '=== id && outcome?.ok === false',
      '!== id && outcome?.ok === false',
    ],
    ['tries too little memory on the same host', '&& isOnce && hostsOf(target) > 1', '&& isOnce'],
    ['leaves cut-off work undone', "if (failure.kind === 'interrupted') return true;", ''],
  ],
);

const decide = defects('core', 'policy/decide.ts', FREE, [
  [
    'waits for the late answer of what costs nothing',
    'if (open.free) return continueFree',
    'if (false) return continueFree',
  ],
  ['asks nobody where the money is spent', 'mayPay || target.free)', 'mayPay)'],
  ['pays where it may not, after a free target', '.filter(({ target }) => mayPay || target.free)', ''],
  [
    'leaves hosts of a pool untried',
    'Math.max(maxFreeAttemptsBeforeFallback, hostsOf(target))',
    'maxFreeAttemptsBeforeFallback',
  ],
]);

const money = [
  ...defects('core', 'policy/budget.ts', FREE, [
    ['forgets a lost payment behind a free target', '[failure, ...failures].every', '[failure].every'],
  ]),
  ...defects(
    'core',
    'journal.ts',
    ['journal.test.ts'],
    [
      ['counts free attempts as paid', 'if (one.free) return false;', ''],
      [
        'takes a failed look for news',
        '{ pollFailure: event.failure.kind } : {',
        '{ pollFailure: event.failure.kind, movedAt: event.at } : {',
      ],
    ],
  ),
];

const hosts = [
  ...defects('core', 'turns.ts', HOSTS, [
    ['goes back to the host that failed', 'preferred(credentialsOf(target), avoid)', 'credentialsOf(target)'],
  ]),
  ...defects('core', 'environment.ts', HOSTS, [
    ['asks another server about a job', '|| hostCredential(id, baseUrl) !== credential) return', ') return'],
  ]),
  ...defects('core', 'loop.ts', HOSTS, [
    [
      'keeps the place of a job that was given up',
      "return end({ type: 'attempt-ended', at,",
      "return recorder.record({ type: 'attempt-ended', at,",
    ],
    ['tells a stalled host nothing', 'endedBecause(decision.because, ended) : ended', 'ended : ended'],
  ]),
  ...defects('core', 'turn-queue.ts', HOSTS, [
    [
      'gives the next picture to the host that just made one',
      '|| one.usedAt - best.usedAt',
      '|| best.usedAt - one.usedAt',
    ],
  ]),
];

const watch = [
  ...defects(
    'core',
    'watch.ts',
    ['watch.test.ts'],
    [
      ['lets a server stand still', 'now - seen.movedAt >= stallMs', 'false'],
      ['takes a failed look for standing still', 'if (progress !== undefined) note', 'note'],
      ['gives up where it may be billed', 'if (target.free && now', 'if (now'],
      ['looks on after the answer', 'over.abort();\n    stopTimer();', ''],
    ],
  ),
  ...defects(
    'core',
    'exchange-clocks.ts',
    ['watch.test.ts'],
    [['lets no progress hold the first-byte clock', '(options.progressAt?.() ?? began)', 'began']],
  ),
];

const loads = [
  ...defects(
    'core',
    'host-loads.ts',
    ['host-loads.test.ts'],
    [
      ['asks servers at every choice', 'now - before.askedAt < ASK_EVERY_MS', 'now < before.askedAt'],
      ['believes what was told long ago', 'io.now() - found.askedAt > STALE_MS', 'false'],
    ],
  ),
  ...defects(
    'core',
    'turn-queue.ts',
    ['host-loads.test.ts'],
    [
      ['sends to the server with most to do', 'busy(one) - busy(best)', 'busy(best) - busy(one)'],
      ['counts our own jobs twice', 'Math.max(jobs, inFlight)', 'jobs + inFlight'],
    ],
  ),
];

/** What costs nothing is made again, on another host, and never paid for. */
export const FREE_MUTANTS: readonly Mutant[] = [...free, ...decide, ...money, ...hosts, ...watch, ...loads];
