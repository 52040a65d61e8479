import type { ChatEndpoint } from '../chat/endpoints.ts';
import { eventsIn } from '../chat/stream-events.ts';
import { errorIn } from '../chat/told-failure.ts';
import { errorFor } from '../error-classes.ts';
import type { Failure } from '../failure.ts';
import { asBuffer } from '../images/drain.ts';
import { isObject, type JsonObject, parseJson, withoutByteOrderMark } from '../json.ts';
import type { PolicySettings } from '../model-names.ts';
import { type ChatEnd, type ChatFacts, openChat } from './chat-call.ts';
import type { Engine } from './engine.ts';
import { createFlow } from './flow.ts';

export interface ChatOptions {
  /** Default `chat/completions`. */
  readonly endpoint?: ChatEndpoint;
  readonly policy?: PolicySettings;
  readonly signal?: AbortSignal;
}

/** The provider's own answer, untouched, and what is known beside it. */
export interface ChatResult<Answer = JsonObject> extends ChatFacts {
  readonly answer: Answer;
}

/** The provider's events as they come, each parsed when it is asked for. It may be iterated once. */
export interface ChatStream<Event = JsonObject> extends AsyncIterable<Event> {
  /** What is known beside them; undefined until the stream has ended. */
  facts(): ChatFacts | undefined;
}

export interface Chat {
  /**
   * `body` is what the endpoint takes, without `stream`; `Answer` is what the caller knows it to answer. Throws the
   * error of the cause for everything that is no whole answer.
   */
  create<Answer = JsonObject>(body: object, options?: ChatOptions): Promise<ChatResult<Answer>>;
  /**
   * Asks when it is iterated. Before the first content everything is repeated as the policy allows; a stream that
   * breaks off later throws the error of the cause. Who leaves the loop ends the provider's work.
   */
  stream<Event = JsonObject>(body: object, options?: ChatOptions): ChatStream<Event>;
}

export function createChat(engine: Engine): Chat {
  return {
    create: (body, options = {}) => create(engine, body, options),
    stream: (body, options = {}) => {
      let facts: ChatFacts | undefined;
      const events = stream(engine, body, options, (end) => {
        facts = end.facts;
      });
      // The caller says what the events of the endpoint are; here they are only JSON.
      return { [Symbol.asyncIterator]: () => events as AsyncGenerator<never>, facts: () => facts };
    },
  };
}

async function create<Answer>(
  engine: Engine,
  body: object,
  { endpoint = 'chat/completions', policy, signal }: ChatOptions,
): Promise<ChatResult<Answer>> {
  const chunks: Uint8Array[] = [];
  const sink = { begin: () => {}, write: (bytes: Uint8Array) => void chunks.push(bytes) };
  const cancel = signal ?? new AbortController().signal;
  const opened = openChat(
    engine,
    { endpoint, bytes: json({ ...body, stream: undefined }), policy, cancel },
    () => sink,
  );
  const { facts, ...end } = await endOf(opened, signal);
  if (!end.outcome.ok) throw errorFor(end.outcome.failure, { journals: [end.journal], of: 'chat', signal });
  const answer = parseJson(withoutByteOrderMark(Buffer.concat(chunks).toString()));
  if (answer === undefined) throw errorFor(NO_JSON, { journals: [end.journal], of: 'chat' });
  // What the endpoint answers is the caller's to know; here it is only JSON.
  return { answer: answer as Answer, ...facts };
}

const NO_JSON: Failure = {
  kind: 'server',
  certainty: 'completed',
  message: 'the answer is no JSON object, though no stream was asked for',
};

const NO_EVENTS: Failure = {
  kind: 'server',
  certainty: 'completed',
  message: 'the answer is no stream of events, though one was asked for; this server may answer `create` alone',
};

async function* stream(
  engine: Engine,
  body: object,
  { endpoint = 'chat/completions', policy, signal }: ChatOptions,
  onEnd: (end: ChatEnd) => void,
): AsyncGenerator<JsonObject> {
  const leave = new AbortController();
  const flow = createFlow(() => leave.abort());
  const cancel = signal ? AbortSignal.any([signal, leave.signal]) : leave.signal;
  const bytes = json({ ...body, stream: true });
  const sink = { begin: () => {}, write: flow.write };
  const opened = openChat(engine, { endpoint, bytes, policy, cancel }, () => sink);
  let hasEvents = false;
  const ended = endOf(opened, signal).finally(() => flow.end());
  // Told below, where the events before it have been taken.
  ended.catch(() => {});
  try {
    for await (const slice of flow.body) {
      for (const event of eventsIn(asBuffer(slice), Number.POSITIVE_INFINITY)) {
        hasEvents ||= event.text !== undefined;
        // What went wrong is thrown; among the events it would be taken for one that says something.
        if (isObject(event.value) && !errorIn(event)) yield event.value;
      }
    }
    const end = await ended;
    onEnd(end);
    if (!end.outcome.ok) throw errorFor(end.outcome.failure, { journals: [end.journal], of: 'chat', signal });
    if (!hasEvents) throw errorFor(NO_EVENTS, { journals: [end.journal], of: 'chat' });
  } finally {
    leave.abort();
  }
}

async function endOf(opened: ReturnType<typeof openChat>, signal: AbortSignal | undefined): Promise<ChatEnd> {
  if (!opened.ok) throw errorFor(opened.failure, { of: 'chat', signal });
  return opened.ended;
}

function json(body: object): Uint8Array {
  return Buffer.from(JSON.stringify(body));
}
