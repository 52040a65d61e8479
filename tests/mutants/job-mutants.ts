import { defects, type Mutant } from './mutant.ts';

const TURNS = ['turns.test.ts'];

const job = defects(
  'core',
  'job.ts',
  ['job.test.ts'],
  [
    ['takes a failed look for the job’s end', 'looked && failure?.certainty', 'failure?.certainty'],
    [
      'does not look at a job whose cancellation is unconfirmed',
      'const last = await pollAttempt(work, attempt);',
      "const last = { type: 'still-waiting' };",
    ],
    ['gives a job up that is not found once', 'now - missed.since >= UNKNOWN_MS', 'true'],
    ['waits for ever for a job that nobody knows', 'now - missed.since >= UNKNOWN_MS', 'false'],
    ['looks as often at an old job as at a new one', '(now - startedAt) * POLL_SHARE_OF_AGE', '0'],
    ['looks again before the provider allows it', 'Math.max(now + after, failure.notBefore ?? 0)', 'now + after'],
    ['says that an unconfirmed cancellation was confirmed', "confirmed ? 'confirmed' : 'unconfirmed'", "'confirmed'"],
  ],
);

const undecided = defects(
  'core',
  'job.ts',
  ['providers/undecided.test.ts'],
  [['takes an error beside no job for its end', " && progress.kind !== 'waiting';", ';']],
);

const run = defects('core', 'loop.ts', TURNS, [
  ['keeps a turn whose decision changed', 'return turn.giveBack();', 'return;'],
  ['gives up its turn when a job is accepted', "if (event.type !== 'attempt-ended') return;", ''],
  [
    'forgets the place of a job that goes on',
    'if (open?.handle === undefined || target',
    'if (open !== null || target',
  ],
]);

const queue = defects('core', 'run-gates.ts', TURNS, [
  ['waits in the queue when its turn has come', ' || target.id === turn?.id) return []', ') return []'],
]);

const looks = defects(
  'core',
  'loop.ts',
  ['job.test.ts'],
  [
    [
      'gives a job so many looks and no more',
      'if (openAttempt(recorder.run())?.handle === undefined) decided += 1;',
      'decided += 1;',
    ],
  ],
);

const turns = defects('core', 'turns.ts', TURNS, [
  ['drops the turn it came with', 'inHand?.turn.giveBack();', ''],
  [
    'goes with a turn for fewer pictures',
    'if (inHand?.target === target.id && inHand.images === claim.images) {',
    'if (inHand?.target === target.id) {',
  ],
  ['lets fairness stand still', 'if (turn) clock?.started(target.id, own.tag);', ''],
]);

const health = defects('core', 'health.ts', TURNS, [
  ['closes a pool for one of its keys', 'if (closed.includes(undefined)) return undefined;', ''],
  ['opens a pool with its last key', 'a.until - b.until', 'b.until - a.until'],
  ['goes with a key that cools', '(name) => gateOf(target.id, name, now) === undefined', '() => true'],
]);

const gates = defects('core', 'gates.ts', TURNS, [
  ['closes one target where another node’s key was refused', "gate.by === 'credential' ? '' : target", 'target'],
  ['forgets its own gate for another node’s shorter one', 'return [own, ...others]', 'return [...others]'],
]);

export const JOB_MUTANTS: readonly Mutant[] = [
  ...job,
  ...undecided,
  ...run,
  ...queue,
  ...looks,
  ...turns,
  ...health,
  ...gates,
];
