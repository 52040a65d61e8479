import type { ServerResponse } from 'node:http';
import type { ChatCourse } from '../faults/chat-course.ts';
import type { Ending } from '../ledger.ts';
import { STREAM_HEADERS } from '../stream.ts';
import { wait } from '../wait.ts';
import { type Answer, jsonAnswer } from '../wire/answer.ts';
import { abandon, deliver, firstHalf } from '../wire/deliver.ts';
import type { Wire } from './wire.ts';

/** An answer on its way. */
export interface Playing {
  readonly response: ServerResponse;
  readonly headers: Readonly<Record<string, string>>;
  readonly course: ChatCourse;
  readonly wire: Pick<Wire, 'whole' | 'failed'>;
  /** How many tokens the whole answer has. */
  readonly steps: number;
  /** Says how it ended, before the last byte is written; `aborted` is said by whoever sees the caller leave. */
  settle(ended: Ending['ended']): void;
  /** How many tokens are made by now; who plays says how it is told. */
  readonly progress: { made: () => number };
}

const DEFAULT_TOKENS_PER_SECOND = 500;
const COMMENT = ': keep-alive\n\n';
const COMMENT_EVERY_MS = 250;
const MAX_TIMER_MS = 2 ** 31 - 1;
const GARBAGE = 'data: {"choices":[{"delta":{"content":" this is no JSON\n\n';
const BLANKS = Buffer.from('\n   \n   \n');

/** Streams an answer at its pace, on one timer, until it ends, breaks as told, or the caller leaves. */
export async function playStream(play: Playing & { readonly wire: Wire }): Promise<void> {
  const { response, course, wire, steps } = play;
  const { fails, breaks, ends } = course;
  let made = 0;
  play.progress.made = () => made;
  const write = (text: string) => text === '' || response.write(text);
  const end = (ended: Ending['ended'], text = '') => {
    play.settle(ended);
    response.end(text);
  };
  if (!(await wait(course.answerAfterMs ?? 0, response))) return;
  if (breaks?.at === 'before') return breakOff(play, breaks.how);
  response.writeHead(200, { ...STREAM_HEADERS, ...play.headers });
  response.flushHeaders();
  if (fails?.at !== 'first') write(wire.opening());
  if (breaks?.at === 'prelude') return breakOff(play, breaks.how);
  if (!(await waitForFirst(play))) return;
  if (fails?.at === 'first') return end('failed', wire.failure(fails.code, fails.as, 0));

  const half = Math.max(1, Math.floor(steps / 2));
  const stops = breaks || fails || ends === 'cut' || ends === 'half-event';
  const said = await speak(play, stops ? Math.min(half, steps) : steps, (index) => {
    made = index + 1;
    const event = wire.step(index);
    const garbage = course.garbage && index === half - 1 ? GARBAGE : '';
    return `${course.comments ? COMMENT : ''}${event}${garbage}`;
  });
  if (!said) return;
  if (fails) return end('failed', wire.failure(fails.code, fails.as, made));
  if (breaks) return breakOff(play, breaks.how);
  if (ends === 'half-event') return end('cut', halfOf(made < steps ? wire.step(made) : wire.finish()));
  if (ends === 'cut') return end('cut');
  end('complete', `${wire.finish()}${wire.usage}${ends === 'no-done' ? '' : wire.done}`);
}

function halfOf(text: string): string {
  return text.slice(0, Math.floor(text.length / 2));
}

async function breakOff({ response, settle }: Playing, how: 'reset' | 'silence'): Promise<void> {
  if (how === 'reset') settle('reset');
  await abandon(response, how);
}

/** The wait before the first content, with comments in it where there are to be some. */
async function waitForFirst({ response, course }: Playing): Promise<boolean> {
  const until = performance.now() + (course.firstAfterMs ?? 0);
  for (;;) {
    if (course.comments) response.write(COMMENT);
    const leftMs = until - performance.now();
    if (leftMs <= 0) return !response.closed;
    if (!(await wait(course.comments ? Math.min(leftMs, COMMENT_EVERY_MS) : leftMs, response))) return false;
  }
}

/** Says `count` tokens, each when it is due and the caller takes it; false as soon as the caller has left. */
function speak(
  { response, course: { tokensPerSecond = DEFAULT_TOKENS_PER_SECOND } }: Playing,
  count: number,
  say: (index: number) => string,
): Promise<boolean> {
  if (response.closed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let next = 0;
    let timer: NodeJS.Timeout | undefined;
    const finish = (said: boolean) => {
      clearTimeout(timer);
      response.off('close', left).off('drain', go);
      resolve(said);
    };
    const left = () => finish(false);
    const go = () => {
      const due = Math.floor(((performance.now() - startedAt) * tokensPerSecond) / 1000);
      while (next < count && next < due && !response.writableNeedDrain) {
        const text = say(next);
        next += 1;
        if (text !== '') response.write(text);
      }
      if (next >= count) return finish(true);
      if (response.writableNeedDrain) return void response.once('drain', go);
      const dueMs = startedAt + ((next + 1) * 1000) / tokensPerSecond - performance.now();
      timer = setTimeout(go, Math.min(MAX_TIMER_MS, Math.max(1, dueMs)));
    };
    response.once('close', left);
    go();
  });
}

/** Answers whole, when the last token is made, or as far as it comes. `refuse` writes an error with its status. */
export async function playWhole(play: Playing, refuse: () => Answer): Promise<void> {
  const { response, course, steps } = play;
  const { tokensPerSecond, fails, breaks } = course;
  if (!(await wait((course.answerAfterMs ?? 0) + (course.firstAfterMs ?? 0), response))) return;
  if (fails?.at !== 'first') {
    const startedAt = performance.now();
    const rate = tokensPerSecond ?? Number.POSITIVE_INFINITY;
    play.progress.made = () => Math.min(steps, rate === Number.POSITIVE_INFINITY ? steps : madeIn(startedAt, rate));
    const takesMs = steps === 0 ? 0 : (steps * 1000) / rate;
    if (!(await wait(Math.min(MAX_TIMER_MS, takesMs), response))) return;
    play.progress.made = () => steps;
  }
  if (fails) {
    play.settle('failed');
    const failed = fails.as === 'failed' ? play.wire.failed(fails.code) : undefined;
    return send(play, failed ? jsonAnswer(200, failed) : refuse());
  }
  const answer = jsonAnswer(200, play.wire.whole());
  const cut = course.cut || course.garbage || course.ends === 'cut' || course.ends === 'half-event';
  const body = cut ? firstHalf(answer.body) : answer.body;
  const at = breaks?.at === 'middle' ? 'middle' : 'before';
  if (!breaks) play.settle(cut ? 'cut' : 'complete');
  else if (breaks.how === 'reset') play.settle('reset');
  const sent = { ...answer, body: course.comments ? [BLANKS, ...body] : body };
  await deliver(response, dressed(play, sent), breaks && { at, how: breaks.how });
}

function madeIn(startedAt: number, tokensPerSecond: number): number {
  return Math.floor(((performance.now() - startedAt) * tokensPerSecond) / 1000);
}

function dressed({ headers }: Playing, answer: Answer): Answer {
  return { ...answer, headers: { ...headers, ...answer.headers } };
}

async function send(play: Playing, answer: Answer): Promise<void> {
  await deliver(play.response, dressed(play, answer));
}
