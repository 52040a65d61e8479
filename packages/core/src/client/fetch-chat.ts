import type { ChatHead } from '../chat/chat.ts';
import type { ChatEndpoint } from '../chat/endpoints.ts';
import { chatErrorEvent, nextSequenceNumber } from '../chat/error-event.ts';
import type { Event } from '../journal.ts';
import { answeredBy, requestIdHeader } from './answer-headers.ts';
import type { Asking } from './asking.ts';
import { type ChatEnd, openChat } from './chat-call.ts';
import type { Engine } from './engine.ts';
import { errorAnswer, failureFacts } from './error-answer.ts';
import { createFlow, type Flow } from './flow.ts';

/** What came of an answer so far. */
interface Seen {
  head?: ChatHead;
  /** The last slice of whole events. */
  last?: Uint8Array;
}

/**
 * A request of chat as an answer: of a stream once its first content is there, else once it is whole, so that whatever
 * goes wrong before has a status of its own. Rejects only with the reason of the caller's signal.
 */
export async function fetchChat(
  engine: Engine,
  endpoint: ChatEndpoint,
  { bytes, policy, signal }: Asking,
): Promise<Response> {
  const leave = new AbortController();
  const flow = createFlow(() => leave.abort());
  const cancel = signal ? AbortSignal.any([signal, leave.signal]) : leave.signal;
  const seen: Seen = {};
  const whole: Uint8Array[] = [];
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const opened = openChat(engine, { endpoint, bytes, policy, cancel }, ({ stream }) => ({
    begin: (head) => {
      seen.head = head;
      begin();
    },
    write: (slice) => {
      if (!stream) return void whole.push(slice);
      seen.last = slice;
      return flow.write(slice);
    },
  }));
  if (!opened.ok) return errorAnswer(opened.failure, 'chat', engine.io.now());
  await (opened.stream ? Promise.race([begun, opened.ended]) : opened.ended);
  signal?.throwIfAborted();
  const { head } = seen;
  if (opened.stream && head) {
    void opened.ended.then((end) => endStream(end, { engine, endpoint, flow, seen, signal }));
    return new Response(flow.body, { status: head.status, headers: headersOf(head) });
  }
  const end = await opened.ended;
  if (!end.outcome.ok || head === undefined) return failed(end, engine);
  return new Response(Buffer.concat(whole), { status: head.status, headers: headersOf(head, end) });
}

interface Streaming extends Pick<Asking, 'signal'> {
  readonly engine: Engine;
  readonly endpoint: ChatEndpoint;
  readonly flow: Flow;
  readonly seen: Seen;
}

/** A stream that broke off ends with one error: the provider's own where it told one, else ours. */
function endStream({ outcome }: ChatEnd, { engine, endpoint, flow, seen, signal }: Streaming): void {
  if (signal?.aborted) flow.fail(signal.reason);
  else if (outcome.ok || outcome.told) flow.end();
  else {
    const onetake = failureFacts(outcome.failure, 'chat', engine.io.now());
    const sequenceNumber = nextSequenceNumber(seen.last);
    flow.end(Buffer.from(chatErrorEvent(endpoint, outcome.failure, { sequenceNumber, onetake })));
  }
}

function failed({ outcome, facts }: ChatEnd, engine: Engine): Response {
  const { provider, model, attempts } = facts;
  const failure = outcome.ok ? NO_HEAD : outcome.failure;
  const told = { ...(provider !== '' && { provider, model }), attempts };
  return errorAnswer(failure, 'chat', engine.io.now(), told);
}

const NO_HEAD = { kind: 'empty', certainty: 'completed', message: 'the answer ended before it began' } as const;

/** Who answers; of an answer that is whole also how it went, and the provider's id of it. */
function headersOf({ contentType, target }: ChatHead, end?: ChatEnd): Record<string, string> {
  const told = { 'content-type': contentType, ...answeredBy(target) };
  if (end === undefined) return told;
  const last = end.journal.findLast((event): event is EndedAttempt => event.type === 'attempt-ended');
  return { ...told, 'x-onetake-attempts': String(end.facts.attempts), ...requestIdHeader(last?.requestId) };
}

type EndedAttempt = Event & { type: 'attempt-ended' };
