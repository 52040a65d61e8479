import { defects, type Mutant } from './mutant.ts';

const undelivered = defects(
  'gateway',
  'tasks/undelivered.ts',
  ['tasks/undelivered.test.ts'],
  [
    ['gives one result to two requests', 'if (entry) remove(entry.id);', ''],
    ['gives what may have arrived to any request', 'provenRetry ? ids.find', 'true ? ids.find'],
    ['gives out what is long forgotten', '?.since ?? 0) > windowMs', '?.since ?? 0) > windowMs * 99'],
    ['keeps every result for ever', 'entries.size > maxEntries', 'entries.size < 0'],
    ['takes what another node is delivering', 'provenRetry ? now : now - SETTLED_MS', 'now'],
  ],
);

const cells = defects(
  'gateway',
  'store/state-cells.ts',
  ['store/state-cells.test.ts'],
  [
    [
      'takes a lost swap for a won one',
      '(await store.swapCell(prefix + key, cell?.version ?? 0, value as JsonValue))) {',
      '((await store.swapCell(prefix + key, cell?.version ?? 0, value as JsonValue)) || true)) {',
    ],
    ['goes on with what only the process before could know', 'value: revive(value), version', 'value, version'],
    ['writes every cell every second', '([, one]) => one.value !== one.written', '() => true'],
    ['writes on after it was closed', 'if (!isClosed) stopTimer', 'stopTimer'],
    ['does not see what another node changed', 'seen.set(key, cell.value);', ''],
  ],
);

const sharedHealth = defects(
  'gateway',
  'store/shared-health.ts',
  ['store/shared-health.test.ts'],
  [
    [
      'opens a gate that another node closed for longer',
      'known.gate.until > closed.gate.until ? known : closed',
      'closed',
    ],
    ['starts without what the others know', 'for (const key of cells.keys()) adopt(key);', ''],
  ],
);

const verdict = defects(
  'gateway',
  'webhooks/verdict.ts',
  ['webhooks/verdict.test.ts'],
  [
    ['delivers for longer than a day', 'Math.max(at + giveUpAfterMs,', 'Math.max(at + giveUpAfterMs * 2,'],
    ['tries again after a 410', 'const hopeless = gone ||', 'const hopeless ='],
    ['leaves an address on that answered 410', '&& tried.status === GONE', '&& tried.status === 0'],
    ['takes a redirect for a delivery', 'tried.status < 300) {', 'tried.status < 400) {'],
    ['tries again and again at the first pace', '* 2 ** Math.min(made - 1, MAX_DOUBLINGS)', ''],
    [
      'comes before the receiver’s hint',
      'Math.floor(random * ceiling), notBefore ?? 0)',
      'Math.floor(random * ceiling))',
    ],
  ],
);

const secrets = defects(
  'gateway',
  'webhooks/secrets.ts',
  ['webhooks/secrets.test.ts'],
  [
    [
      'signs with a secret that another node has replaced',
      'if (await cells.swapCell(key, cell?.version ?? 0, secret)) return secret;',
      'await cells.swapCell(key, cell?.version ?? 0, secret); return secret;',
    ],
    ['signs with another secret than the configured one', 'if (fixed !== undefined) return fixed;', ''],
    ['makes a new secret every time', "if (typeof cell?.value === 'string') return cell.value;", ''],
    ['takes a short secret', 'bytes.length >= least && ', ''],
  ],
);

const money = defects(
  'gateway',
  'cli/batch/money.ts',
  ['cli/batch/manifest.test.ts'],
  [
    ['passes its cap', 'if (priceMicros > left) return undefined;', ''],
    ['forgets what is reserved', ' - room.reservedMicros', ''],
    ['takes an unknown charge for none', 'Math.max(known, micros(reservedUsd ?? 0))', 'known'],
    ['reserves for repeats that do not fit', 'Math.min(paidAttempts, fitting)', 'paidAttempts'],
    [
      'spends on what has no price under a cap',
      'if (priceMicros === undefined) return undefined;',
      'if (priceMicros === undefined) return {};',
    ],
  ],
);

const manifest = defects(
  'gateway',
  'cli/batch/manifest.ts',
  ['cli/batch/manifest.test.ts'],
  [
    ['sends an open line under another key', "{ kind: 'repeat', line, intended } :", 'start :'],
    ['uses the key of a round that failed', 'state.rounds + 1) }', '1) }'],
    [
      'repeats under a key that is no longer known',
      'now - intended.at < KEY_LIFETIME_MS',
      'now - intended.at < KEY_LIFETIME_MS * 9',
    ],
    ['counts a round that was withdrawn', 'rounds: state.rounds - 1', 'rounds: state.rounds'],
    ['sends what cannot work', ' || unusable) return false', ') return false'],
    ['pays again for what may be paid', 'selection.unknown ? start : undefined', 'start'],
    ['begins a line that is open', "state.status === 'sent' || state.status === 'accepted' ||", ''],
  ],
);

const feeder = defects(
  'gateway',
  'tasks/feeder.ts',
  ['tasks/feeder.test.ts'],
  [
    [
      'lets urgent work wait behind what was first',
      'if (loop.waits && head.tag < loop.waits.tag)',
      'if (loop.waits && head.tag < -1)',
    ],
    ['goes before who waits with what it does not know', 'if (head === ANYTHING) return firstOf(queue, options);', ''],
    ['starts more of a caller than it may run', 'roomPerCaller?.() ?? MAX_AT_ONCE', 'MAX_AT_ONCE'],
    ['forgets a lower tag for a higher one', 'if (loop.head === undefined || head.tag < loop.head.tag) loop', 'loop'],
    [
      'forgets what came during a claim',
      'if (!onlyBusy) return lower(loop.head, next);',
      'if (!onlyBusy) return next;',
    ],
    ['keeps turns that nothing took', 'for (const turn of turns) turn.giveBack();', ''],
    ['forgets the queue when the store fails', 'loop.head = lower(loop.head, head);', ''],
    ['forgets callers who were busy', 'if (!onlyBusy)', 'if (onlyBusy !== null)'],
    [
      'starts for callers who run as much as they may',
      '{ queue, most, exceptCallers }',
      '{ queue, most, exceptCallers: [] }',
    ],
    [
      'draws the queue of a closed target into memory',
      'options.unsent(queue) >= MAX_UNSENT',
      'options.unsent(queue) < 0',
    ],
    ['lets fairness stand still', 'clock.started(queue, generation.tag ?? head.tag);', ''],
  ],
);

const backlog = defects(
  'gateway',
  'tasks/backlog.ts',
  ['tasks/backlog.test.ts'],
  [
    ['lets a key have one more waiting', 'own >= maxQueuedPerKey', 'own > maxQueuedPerKey'],
    ['lets one more wait in all', 'all >= maxQueued', 'all > maxQueued'],
    ['counts beside what the store says', 'byCaller.clear();', ''],
    ['owes what others took', 'all = Math.max(0, all + change);', 'all += change;'],
  ],
);

const tasks = [
  ...defects(
    'gateway',
    'tasks/following.ts',
    ['tasks/following.test.ts'],
    [
      ['lets a look set its own journal back', 'next === undefined || running.live(id) ||', 'next === undefined ||'],
      ['shows a task to another caller', '(caller === undefined || first.caller === caller)', 'true'],
    ],
  ),
  ...defects(
    'gateway',
    'tasks/tasks.ts',
    ['tasks/tasks.test.ts'],
    [
      [
        'says that a cancellation was confirmed',
        "failure?.certainty === 'not_sent' || failure?.cancel === 'confirmed'",
        'true',
      ],
      ['leaves a canceled task in its queue', 'if (waiting) worker.start', 'if (waiting && !waiting) worker.start'],
    ],
  ),
  ...defects(
    'gateway',
    'tasks/job-news.ts',
    ['tasks/job-news.test.ts'],
    [['believes news from anybody', ' || !timingSafeEqual(expected, given)', '']],
  ),
  ...defects(
    'gateway',
    'tasks/elsewhere.ts',
    ['tasks/elsewhere.test.ts'],
    [['tells events twice', 'events.slice(live.journals[run]?.length ?? 0)', 'events']],
  ),
  ...defects(
    'gateway',
    'tasks/throughput.ts',
    ['tasks/throughput.test.ts'],
    [['counts turns for pictures', 'sum + start.pictures', 'sum + 1']],
  ),
];

export const GATEWAY_MUTANTS: readonly Mutant[] = [
  ...undelivered,
  ...cells,
  ...sharedHealth,
  ...verdict,
  ...secrets,
  ...money,
  ...manifest,
  ...feeder,
  ...backlog,
  ...tasks,
];
