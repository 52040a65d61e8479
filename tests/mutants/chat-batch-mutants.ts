import { defects } from './mutant.ts';

const LINES = ['batches/chat-lines.test.ts', 'batches/chat-takeover.test.ts'];

const answerLog = defects(
  'gateway',
  'batches/answer-log.ts',
  ['batches/answer-log.test.ts'],
  [
    ['takes what was torn off for an answer', 'about?.bytes === end - offset ?', 'about ?'],
    ['glues an answer to what was torn off', 'file.appendFile(`\\n${group', 'file.appendFile(`${group'],
    [
      'says that an answer is kept before it is',
      'return new Promise((done, failed) => {',
      'return new Promise((done, failed) => {\n        done();',
    ],
    ['forgets what came while it wrote', 'while (waiting.length > 0) {', 'if (waiting.length > 0) {'],
  ],
);

const runLines = defects('gateway', 'batches/run-chat-lines.ts', LINES, [
  ['asks again what was answered', 'if (standing.isSettled(line.index)) continue;', ''],
  ['forgets what an earlier process was answered', 'standing.settle(answer);\n', ';\n'],
  ['counts a second answer to one line', 'if (settled[index] !== 0) return;', ''],
  ['breaks off at once what could end', 'io.timer(io.now() + LAST_ANSWERS_MS, disown)', 'io.timer(io.now(), disown)'],
  [
    'goes on asking after a cancel',
    'if (ending.aborted) end();',
    'if (!ending.aborted) return endsOf({ ending: leaving, leaving }, { io });',
  ],
  ['drops an answer that could not be written', 'if (leaving.aborted) return false;', 'return false;'],
  ['gives a place for each line', 'const own = createRoom(deps.lookahead);', 'const own = createRoom(1e6);'],
]);

const answerLine = defects('gateway', 'batches/answer-line.ts', LINES, [
  ['writes down the failure of being stopped', 'if (signals.disowned.aborted) return undefined;', ''],
  ['makes a full gateway a failure', "if (answer.kind === 'queue_full') return 'full';", ''],
  ['gives up where a task waits', 'unattended: true', ''],
  ['streams a line', 'if (body.value.stream === true) throw notStreamed();', ''],
  ['goes before what somebody waits for', "priority: 'batch', unattended", 'unattended'],
  ['works on after the window', 'settings.totalTimeoutMs ?? leftMs, leftMs)', 'settings.totalTimeoutMs ?? 2 * leftMs)'],
  ['tells an answer that is too large as a broken one', 'if (bytes > MAX_LINE_ANSWER_BYTES) return TOO_LARGE;', ''],
  ['sends the first of two bodies', "findLast(({ key }) => key === 'body')", "find(({ key }) => key === 'body')"],
  ['breaks a line in two', "text.replace(/[\\r\\n]+/g, ' ')", 'text'],
]);

const written = defects('gateway', 'batches/answered-lines.ts', LINES, [
  [
    'writes answers where errors belong',
    "files[index] = file === 'output' ? OUTPUT : ERROR;",
    'files[index] = OUTPUT;',
  ],
  ['tells what was canceled as expired', "status === 'cancelling'", "status === 'cancelled'"],
]);

const room = defects(
  'gateway',
  'batches/room.ts',
  ['batches/room.test.ts'],
  [
    ['gives a place to who gave up', 'waiting.delete(got);', ''],
    ['loses a place that nobody waits for', 'if (next === undefined) free += 1;', 'if (next === undefined) return;'],
  ],
);

const command = defects(
  'gateway',
  'cli/batch/chat-session.ts',
  ['cli/commands/batch-chat.test.ts'],
  [
    ['uploads a file twice', 'if (home.state().file === undefined) {', '{'],
    [
      'begins a batch twice',
      'if (batch !== undefined || file === undefined) return;',
      'if (file === undefined) return;',
    ],
    ['begins without its key', "'idempotency-key': `batch-", "'x-key': `batch-"],
  ],
);

export const CHAT_BATCH_MUTANTS = [...answerLog, ...runLines, ...answerLine, ...written, ...room, ...command];
