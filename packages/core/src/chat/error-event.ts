import type { Failure } from '../failure.ts';
import type { JsonObject } from '../json.ts';
import type { ChatEndpoint } from './endpoints.ts';
import { chatHttpAnswer } from './http-answer.ts';

interface ErrorEventOptions {
  /** Of `responses`: the number that follows the last event's. */
  readonly sequenceNumber: number;
  /** What is told beside the error. */
  readonly onetake: JsonObject;
}

/**
 * The one event by which a stream that broke off says so, in the words of its endpoint; nothing comes after it, no
 * `[DONE]` either. A Responses `error` event carries its fields at the top; the `error` object beside them is what
 * SDKs of chat completions look for.
 */
export function chatErrorEvent(
  endpoint: ChatEndpoint,
  failure: Failure,
  { sequenceNumber, onetake }: ErrorEventOptions,
): string {
  const { message, param = null } = failure;
  const { type, code } = chatHttpAnswer(failure);
  const error = { message, type, code, param };
  if (endpoint !== 'responses') return `data: ${JSON.stringify({ error, onetake })}\n\n`;
  const event = { type: 'error', code, message, param, sequence_number: sequenceNumber, error, onetake };
  return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
}

/** The sequence number that follows those in these events of a Responses stream; 0 where they have none. */
export function nextSequenceNumber(events: Uint8Array | undefined): number {
  if (events === undefined) return 0;
  const numbers = [
    ...Buffer.from(events)
      .toString('latin1')
      .matchAll(/"sequence_number":\s*(\d{1,15})/g),
  ];
  return numbers.length === 0 ? 0 : Number(numbers.at(-1)?.[1]) + 1;
}
