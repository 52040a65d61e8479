import { readText } from '../answer.ts';
import type { ChatAnswer, ChatAnswerOptions } from './answer.ts';
import { createBodyAnswer } from './body-answer.ts';
import { createStreamAnswer } from './stream-answer.ts';

/** Chooses by status and type: a stream, a body, or an error that is only read. */
export function createChatAnswer(options: ChatAnswerOptions): ChatAnswer {
  const { status, headers } = options.head;
  const type = headers['content-type'] ?? '';
  if (status < 200 || status >= 300 || /\bhtml\b/.test(type)) return errorAnswer(options);
  if (type.startsWith('text/event-stream')) return createStreamAnswer(options);
  // A stream under another name is told by how it begins.
  if (options.request.stream && !/\bjson\b/.test(type)) return sniffed(options);
  return createBodyAnswer(options);
}

/** Nothing of it is handed on. */
function errorAnswer({ head: { status, headers } }: ChatAnswerOptions): ChatAnswer {
  const reader = readText((body, text) => ({ status, headers, body, text }));
  return {
    ...reader,
    conclude: async () => undefined,
    hasTold: () => false,
    usage: () => undefined,
    passed: () => ({ bytes: 0, events: 0 }),
  };
}

function sniffed(options: ChatAnswerOptions): ChatAnswer {
  let chosen: ChatAnswer | undefined;
  const known = () => {
    chosen ??= createBodyAnswer(options);
    return chosen;
  };
  return {
    write(chunk) {
      chosen ??= (
        /^\s*[{[<]/.test(Buffer.from(chunk.subarray(0, 64)).toString()) ? createBodyAnswer : createStreamAnswer
      )(options);
      return chosen.write(chunk);
    },
    progress: () => (chosen === undefined ? 'waiting' : chosen.progress?.()),
    end: () => known().end(),
    conclude: (handOn) => known().conclude(handOn),
    hasTold: () => known().hasTold(),
    usage: () => known().usage(),
    passed: () => known().passed(),
  };
}
