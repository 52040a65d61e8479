import { AnswerFault } from '../exchange.ts';
import type { Failure } from '../failure.ts';
import type { HttpResponse } from '../http.ts';
import { asBuffer } from '../images/drain.ts';
import { type JsonObject, parseJson } from '../json.ts';
import type { ChatAnswer, ChatAnswerOptions, HandOn } from './answer.ts';
import { createFrames } from './frames.ts';
import { createMarks, type ToldError } from './marks.ts';
import { openingOf } from './opening.ts';
import { eventsIn, type StreamEvent } from './stream-events.ts';
import { brokenOffBy, errorOf, filteredPrompt, saidNothing, toldFailure } from './told-failure.ts';

/** A prelude is a few events; a stream that says this much without saying anything has begun. */
const MAX_PRELUDE_BYTES = 1024 * 1024;

const BLANK_LINE = Buffer.from('\n\n');

/**
 * Passes a stream on in whole events, from its first content on. Until then nothing reaches the caller, and an error
 * counts as if it had come with its status. After it an error passes as it is, and is the last thing that does.
 */
export function createStreamAnswer(options: ChatAnswerOptions): ChatAnswer {
  const { head, request } = options;
  const frames = createFrames();
  const marks = createMarks(request.endpoint, options.choices);
  let prelude: Buffer[] = [];
  let preludeBytes = 0;
  let begun = false;
  let told = false;

  const failureOf = (error: JsonObject) => toldFailure(options.provider, options.redact(error), head, options.now());

  /** What may pass now; undefined while nothing was said. */
  const opened = (slice: Buffer): Buffer | undefined => {
    const said = saysMore(slice, options);
    if (said === true) return released(slice);
    if (said === 'done') throw new AnswerFault(unsaid([...prelude, slice]));
    if (said) throw new AnswerFault(failureOf(said));
    if (preludeBytes + slice.length > MAX_PRELUDE_BYTES) return released(slice);
    prelude.push(slice);
    preludeBytes += slice.length;
    return undefined;
  };
  const released = (slice: Buffer): Buffer => {
    const whole = prelude.length === 0 ? slice : Buffer.concat([...prelude, slice]);
    prelude = [];
    begun = true;
    options.begin();
    return whole;
  };
  const pass = (slice: Buffer, handOn: HandOn): void | Promise<void> => {
    const error = marks.look(slice);
    return error === undefined ? handOn(slice) : endWith(error, slice, handOn);
  };
  const endWith = ({ error, end }: ToldError, slice: Buffer, handOn: HandOn): Promise<void> | never => {
    const fault = new AnswerFault(brokenOffBy(failureOf(error)));
    told = true;
    const taken = handOn(slice.subarray(0, end));
    if (taken === undefined) throw fault;
    return taken.then(() => {
      throw fault;
    });
  };
  const take = (slice: Buffer, handOn: HandOn): void | Promise<void> => {
    const whole = begun ? slice : opened(slice);
    return whole && pass(whole, handOn);
  };

  return {
    write(chunk) {
      const slice = frames.push(asBuffer(chunk));
      return slice && take(slice, options.handOn);
    },
    progress: () => (begun ? (marks.isComplete() && !told ? 'complete' : 'begun') : 'waiting'),
    end: () => responseOf(head),
    async conclude(handOn) {
      const rest = frames.flush();
      const isRead = rest !== undefined && isReadable(rest);
      if (isRead) await take(rest, handOn);
      if (!begun) {
        const error = bareError(prelude);
        return error ? failureOf(error) : unsaid(prelude);
      }
      if (marks.isComplete()) return undefined;
      // What is said of the end must not become part of the last event.
      if (isRead) await handOn(BLANK_LINE);
      return cutOff();
    },
    hasTold: () => told,
    usage: () => marks.usage(),
    passed: () => marks.passed(),
  };
}

/** Whether an answer begins in these events, or they end without one; the error that they tell in place of one. */
function saysMore(slice: Buffer, { request, background }: ChatAnswerOptions): boolean | 'done' | JsonObject {
  for (const event of eventsIn(slice)) {
    const opening = openingOf(event, request.endpoint);
    if (opening.kind === 'failed') return opening.error;
    if (opening.kind === 'done') return 'done';
    if (opening.kind === 'content' || (background && event.text !== undefined)) return true;
  }
  return false;
}

function responseOf({ status, headers }: ChatAnswerOptions['head']): HttpResponse {
  return { status, headers, body: null, text: '' };
}

/** An error under the type of a stream that is none: JSON that was not made an event. */
function bareError(slices: readonly Buffer[]): JsonObject | undefined {
  return errorOf(parseJson(Buffer.concat(slices).toString()));
}

/** Some servers leave out the last blank line; what is cut off in the middle is no event. */
function isReadable(rest: Buffer): boolean {
  return [...eventsIn(rest)].every(({ value, text, name }: StreamEvent) => {
    return value !== undefined || text?.trim() === '[DONE]' || (name === 'error' && text !== undefined);
  });
}

/** Why a stream ended that never began. */
function unsaid(slices: readonly Buffer[]): Failure {
  const events = slices.flatMap((slice) => [...eventsIn(slice)]);
  return (
    filteredPrompt(events.map(({ value }) => value)) ??
    saidNothing('the stream ended before it said anything, without an error; it may have been cut off')
  );
}

function cutOff(): Failure {
  return {
    kind: 'network',
    certainty: 'ambiguous',
    message: 'the stream ended in the middle of the answer, without an error; it was cut off',
    classifiedBy: 'stream without an end',
  };
}
