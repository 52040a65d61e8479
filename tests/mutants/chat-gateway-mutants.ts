import { defects, type Mutant } from './mutant.ts';

const journal = defects(
  'gateway',
  'tasks/journal.ts',
  ['tasks/journal.test.ts', 'chat/chats.test.ts'],
  [
    ['writes behind with nobody to hear of it', 'isGivenUp = true;\n        onError(error);', 'isGivenUp = true;'],
    ['writes what is durable once more', 'durable += added.length;', 'durable += 0;'],
    ['holds an answer until its journal is written', 'writing ??= begin();', 'await (writing ??= begin());'],
  ],
);

const chats = defects(
  'gateway',
  'chat/chats.ts',
  ['chat/chats.test.ts'],
  [
    ['leaves an answer to whoever asks the same', 'task: true,', ''],
    ['lets more run than may', 'if (worker.running.size() >= options.maxLive) return undefined;', ''],
    ['goes on with an answer that was broken off', '        live.cancel();\n', ''],
    ['keeps what was asked until its journal is written', 'chat.asked = undefined;', ''],
    ['says of a stop that the caller canceled', "if (failure.kind !== 'canceled') return event;", 'return event;'],
  ],
);

const creation = defects(
  'gateway',
  'chat/creation.ts',
  ['chat/chats.test.ts'],
  [
    ['gives up what could not be created at once', 'isAway(failure) ? failure : error', '!error ? failure : error'],
    ['creates what was refused once, and never again', 'creation = begin();\n        await', 'await'],
  ],
);

const interrupted = defects(
  'gateway',
  'chat/interrupted.ts',
  ['chat/interrupted.test.ts', 'chat/chats.test.ts'],
  [
    [
      'leaves what a dead process began open',
      '      .append(fence, added, summaryOf(stored, [[...events, ...added]]))\n',
      "      .read('')\n",
    ],
    ['is certain of what nobody knows', "open.free ? 'rejected' : 'ambiguous'", "'rejected'"],
    ['finishes what is finished', 'if (run.finished) return [];', ''],
  ],
);

const answer = defects(
  'gateway',
  'http/chat-answer.ts',
  ['http/chat-routes.test.ts'],
  [
    ['tells an error twice', 'outcome.ok || outcome.told ?', 'outcome.ok ?'],
    ['tells nothing of what is no stream', 'else if (!isEventStream) misplaced', 'else if (!reply) misplaced'],
    ['lets a stream that broke off end like a good one', 'if (failure) response', 'if (!failure) response'],
    ['says 200 before anything was said', 'if (!isOpen) open(200, {});\n    void', 'void'],
    ['is silent for twice as long as may be', 'KEEP_ALIVE_MS / 2', 'KEEP_ALIVE_MS'],
    ['holds an answer for who does not take it', 'void outlet.write(piece)', 'response.write(piece)'],
    ['hands out half of an answer', 'head === undefined || !outcome.ok', 'head === undefined'],
  ],
);

const outlet = defects(
  'gateway',
  'http/chat-outlet.ts',
  ['http/chat-outlet.test.ts'],
  [
    ['writes on to a caller who takes nothing', 'return held.promise;', 'return undefined;'],
    ['waits for ever for a caller who takes nothing', 'else response.destroy();', 'else watch(now);'],
    ['waits for a caller who has left', "response.on('close', release);", ''],
  ],
);

const controls = defects(
  'gateway',
  'http/chat-controls.ts',
  ['http/chat-controls.test.ts'],
  [
    ['pays for what nobody waits for', "onDisconnect: 'cancel'", "onDisconnect: 'keep'"],
    ['ignores what cannot be had for chat', 'Object.hasOwn(FOR_PICTURES, name) &&', 'false &&'],
  ],
);

/** Defects of chat over HTTP: who is told what, what is written, and who waits. */
export const CHAT_GATEWAY_MUTANTS: readonly Mutant[] = [
  ...journal,
  ...chats,
  ...creation,
  ...interrupted,
  ...answer,
  ...outlet,
  ...controls,
];
