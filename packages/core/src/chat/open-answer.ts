import { readText } from '../answer.ts';
import type { ChatAnswer, ChatAnswerOptions } from './answer.ts';
import { createBodyAnswer, noAnswer } from './body-answer.ts';
import { createStreamAnswer } from './stream-answer.ts';

/**
 * Chooses by status and type: a stream, a body, or an error that is only read. What is called a page is judged by what it
 * holds: a page has nothing of an answer, and an answer under a wrong name was made and paid for.
 */
export function createChatAnswer(options: ChatAnswerOptions): ChatAnswer {
  const { status, headers } = options.head;
  const type = headers['content-type']?.toLowerCase() ?? '';
  if (status < 200 || status >= 300) return createErrorAnswer(options);
  if (type.startsWith('text/event-stream')) return createStreamAnswer(options);
  // A stream under another name is told by how it begins.
  return options.request.stream ? sniffed(options) : createBodyAnswer(options);
}

/** Nothing of it is handed on. */
function createErrorAnswer({ head: { status, headers } }: ChatAnswerOptions): ChatAnswer {
  const reader = readText((body, text) => ({ status, headers, body, text }));
  return {
    ...reader,
    conclude: async () => noAnswer('its status is that of an error'),
    hasTold: () => false,
    usage: () => undefined,
    passed: () => ({ bytes: 0, events: 0 }),
  };
}

/** Blanks keep a line open; a server that sends this many of them says nothing. */
const MAX_BLANK_BYTES = 64 * 1024;
/** Blanks and U+FEFF in UTF-8, each byte a character. */
const NOT_BLANK = /[^\s\u00EF\u00BB\u00BF]/;
/** A comment, or the names of the fields: data, event, id, retry, and llama.cpp's error. No JSON begins so. */
const BEGINS_STREAM = /[:deir]/;

function sniffed(options: ChatAnswerOptions): ChatAnswer {
  let chosen: ChatAnswer | undefined;
  let blanks = Buffer.alloc(0);
  const known = () => {
    chosen ??= createBodyAnswer(options);
    return chosen;
  };
  return {
    write(chunk) {
      if (chosen) return chosen.write(chunk);
      const said = NOT_BLANK.exec(Buffer.from(chunk).toString('latin1'));
      blanks = Buffer.concat([blanks, chunk]);
      if (said === null && blanks.length < MAX_BLANK_BYTES) return undefined;
      chosen = (said && BEGINS_STREAM.test(said[0]) ? createStreamAnswer : createBodyAnswer)(options);
      return chosen.write(blanks);
    },
    progress: () => (chosen === undefined ? 'waiting' : chosen.progress?.()),
    end: () => known().end(),
    conclude: (handOn) => known().conclude(handOn),
    hasTold: () => known().hasTold(),
    usage: () => known().usage(),
    passed: () => known().passed(),
  };
}
