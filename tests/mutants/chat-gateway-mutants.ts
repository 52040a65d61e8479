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
    ['says of a stop that the caller canceled', "if (failure.kind !== 'canceled') return event;", 'return event;'],
  ],
);

const interrupted = defects(
  'gateway',
  'chat/interrupted.ts',
  ['chat/interrupted.test.ts', 'chat/chats.test.ts'],
  [
    [
      'leaves what a dead process began open',
      'store.append(fence, added,',
      'Promise.resolve(summaryOf).catch(fence, added,',
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
    ['tells an error twice', '!outcome.ok && !outcome.told', '!outcome.ok'],
    [
      'lets a stream that broke off end like a good one',
      'if (!outcome.ok && !outcome.told) response',
      'if (false) response',
    ],
    ['says 200 before anything was said', 'if (!isOpen) open(200, {});\n      void', 'void'],
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
  ...interrupted,
  ...answer,
  ...outlet,
  ...controls,
];
