import type { Dispatcher } from 'undici';
import type { Receiver } from '../io.ts';
import { decodedSink } from './content-encoding.ts';
import { type Delivery, type DeliveryHooks, deliver } from './delivery.ts';

type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** An answer whose head has come. */
export interface Answer extends Delivery {
  /** Every byte that its content-length announced has come. */
  readonly complete: () => boolean;
}

/** Hands the head to the receiver now and the body chunk by chunk; throws what the receiver throws. */
export function openAnswer(
  controller: Dispatcher.DispatchController,
  head: { readonly status: number; readonly headers: RawHeaders },
  receiver: Receiver,
  hooks: Pick<DeliveryHooks, 'done' | 'failed'>,
): Answer {
  const { 'content-encoding': encoding, ...headers } = joined(head.headers);
  const sink = decodedSink(encoding, receiver);
  receiver.onHeaders(head.status, encoding === undefined ? headers : withoutLength(headers));
  const delivery = deliver(sink, { pause: () => controller.pause(), resume: () => controller.resume(), ...hooks });
  let missingBytes = Number(headers['content-length'] ?? Number.NaN);
  return {
    ...delivery,
    push(chunk) {
      missingBytes -= chunk.length;
      delivery.push(chunk);
    },
    complete: () => missingBytes === 0,
  };
}

function joined(headers: RawHeaders): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? value : value.join(', ')]),
  );
}

/** The length of the compressed bytes says nothing about the bytes that are handed on. */
function withoutLength({ 'content-length': _length, ...headers }: Record<string, string>): Record<string, string> {
  return headers;
}
