import { defects, type Mutant } from './mutant.ts';

const state = defects(
  'gateway',
  'alerts/state.ts',
  ['alerts/state.test.ts'],
  [
    [
      'tells again at every look',
      "if (told === undefined) return 'fired';",
      "if (told === undefined || true) return 'fired';",
    ],
    ['tells of what is silenced', 'if (isSilenced) return', 'if (isSilenced && change === undefined) return'],
    ['forgets what a silence kept back', 'row.isMuted || now - told.at >= wait', 'now - told.at >= wait'],
    ['takes a moment for a recovery', 'now - wellSince < recoverAfterMs', 'now - wellSince < 0'],
    ['fires at the first look', 'row.isFiring || now - since >= forMs', 'true'],
    ['has no bound on messages', 'sentAt.length >= policy.maxMessagesPerMinute', 'false'],
  ],
);

const nodes = defects(
  'gateway',
  'alerts/nodes.ts',
  ['alerts/nodes.test.ts'],
  [
    ['holds on to what a node that is gone found', 'name !== node && now - at <= staleMs', 'name !== node'],
    ['has no bound on subjects', 'if (all.length <= MAX_SUBJECTS) return all;', 'return all;'],
  ],
);

const watch = defects(
  'gateway',
  'alerts/watch.ts',
  ['alerts/watch.test.ts'],
  [
    [
      'sends what another node has sent',
      'isSame || (await options.cells.swapCell(CELL, cell?.version ?? 0, wireOf(shared)))',
      '(await options.cells.swapCell(CELL, cell?.version ?? 0, wireOf(shared))) || true',
    ],
  ],
);

const told = [
  ...defects(
    'gateway',
    'alerts/state.ts',
    ['alerts/watch.test.ts'],
    [['recovers while nobody knows', 'return isUnknown(row) ? row :', 'return false ? row :']],
  ),
  ...defects(
    'gateway',
    'http/config.ts',
    ['config/alerts.test.ts'],
    [
      [
        'shows the address of a channel',
        'channels.map(({ name, kind }) => ({ name, kind }))',
        'channels.map((one) => ({ ...one }))',
      ],
    ],
  ),
  ...defects(
    'gateway',
    'config/file.ts',
    ['config/alerts.test.ts'],
    [['says an address in a fault', 'if (/^alerts\\.channels', 'if (/^alerts\\.never']],
  ),
];

export const ALERT_MUTANTS: readonly Mutant[] = [...state, ...nodes, ...watch, ...told];
