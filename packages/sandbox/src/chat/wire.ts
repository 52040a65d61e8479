import { randomBytes } from 'node:crypto';
import type { ChatCourse, ChatErrorCode } from '../faults/chat-course.ts';

/** How a reply is written in one API, as events of a stream or as a whole. */
export interface Wire {
  /** Events before any content. */
  opening(): string;
  /** The events of one token. */
  step(index: number): string;
  /** That it has ended, and how; after as many tokens as there are. */
  finish(): string;
  /** What follows the finish: usage of its own, and [DONE]; either may be empty. */
  readonly usage: string;
  readonly done: string;
  /** An error after `made` tokens, or a response that failed; with what has to stand before it where nothing does. */
  failure(code: ChatErrorCode, as: 'error' | 'failed', made: number): string;
  /** The whole answer, where it is not streamed. */
  whole(): object;
  /** Of a whole answer: what it is where it failed; undefined where the API has no such answer. */
  failed(code: ChatErrorCode): object | undefined;
}

/** An event whose data is JSON; with a name, as the Responses API has it. */
export function eventOf(data: object, name?: string): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

export function newId(prefix: string): string {
  return `${prefix}${randomBytes(16).toString('hex')}`;
}

/** What a wire is made of beside the reply. */
export interface Quirks extends Pick<ChatCourse, 'usage' | 'answers'> {
  /** How many tokens of what goes in were cached. */
  readonly cached: number;
}
