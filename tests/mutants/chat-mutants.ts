import { defects, type Mutant } from './mutant.ts';

const RUNS = ['chat/run-chat.test.ts', 'chat/chat-simulation.test.ts'];

const answers = [
  ...defects('core', 'policy/decide.ts', RUNS, [
    [
      'glues a second answer on',
      'if (last && run.answerBegun) return',
      'if (last && run.answerBegun === undefined) return',
    ],
  ]),
  ...defects('core', 'chat/stream-answer.ts', RUNS, [
    ['takes a stream that was cut for whole', 'return cutOff();', 'return undefined;'],
    ['joins our error to half an event', 'if (isRead) await handOn(BLANK_LINE);', ''],
    ['begins before anything was said', "if (opening.kind === 'content' ||", "if (opening.kind !== 'content' ||"],
    [
      'goes on after an error was passed',
      'if (taken === undefined) throw fault;',
      'if (taken === undefined) return taken as never;',
    ],
  ]),
  ...defects(
    'core',
    'chat/frames.ts',
    ['chat/frames.test.ts'],
    [
      ['hands on half an event', 'const end = isWhole ? length : lastEnd(chunk);', 'const end = length;'],
      ['forgets what a blank line began with', 'beforeLast = length > 1 ? (chunk[length - 2] ?? LF) : last;', ''],
    ],
  ),
];

const patience = defects(
  'core',
  'policy/patience.ts',
  ['chat/patience.test.ts', 'chat/plan-chat.test.ts'],
  [
    ['stays where a clock ran out', "if (another && failure.kind === 'timeout') return true;", ''],
    ['has a caller wait for hours', 'return queues ? Math.max(0, createdAt + given - now) : given;', 'return now;'],
    [
      'hurries a task',
      'if (maxLostMs === undefined || plan.unattended) return false;',
      'if (maxLostMs === undefined) return false;',
    ],
  ],
);

/** Chat: one answer, whole events, and no caller left waiting. */
export const CHAT_MUTANTS: readonly Mutant[] = [...answers, ...patience];
