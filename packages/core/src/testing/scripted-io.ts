import type { HttpRequest } from '../http.ts';
import { type Io, type Receiver, type SendOptions, TransportError } from '../io.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

/** How a scripted peer treats one request. Times are milliseconds from the moment it was sent. */
export type Behaviour =
  /** The connection fails before anything left. */
  | { readonly kind: 'refuse'; readonly afterMs: number; readonly code?: string; readonly certificate?: boolean }
  /** Nothing ever connects; only a clock or a cancel ends it. */
  | { readonly kind: 'unreachable' }
  /** The request arrives and the connection dies. */
  | { readonly kind: 'reset'; readonly afterMs: number }
  | { readonly kind: 'hang' }
  | {
      readonly kind: 'answer';
      readonly afterMs: number;
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string;
      /** After so many bytes of the body the connection dies, or stays silent. */
      readonly cut?: { readonly atByte: number; readonly by: 'reset' | 'silence' };
    }
  /** A body that comes in pieces, each so long after the one before it was taken. */
  | {
      readonly kind: 'stream';
      readonly afterMs: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly pieces: readonly { readonly afterMs: number; readonly body: string | Uint8Array }[];
      /** Default `end`. */
      readonly by?: 'end' | 'reset' | 'silence';
    };

export interface Sent {
  readonly at: number;
  readonly request: HttpRequest;
  /** Bytes of it may have left. */
  started: boolean;
}

export interface ScriptedIo extends Io, VirtualClock {
  /** Every request in the order it was sent. */
  readonly sent: readonly Sent[];
}

/** An `Io` in virtual time whose network is a function from request to behaviour. */
export function createScriptedIo(play: (request: HttpRequest, index: number) => Behaviour, startAt = 0): ScriptedIo {
  const clock = createVirtualClock(startAt);
  const sent: Sent[] = [];
  const pause = (ms: number) => new Promise<void>((resolve) => clock.timer(clock.now() + ms, resolve));

  async function perform(behaviour: Behaviour, entry: Sent, receiver: Receiver, signal: AbortSignal): Promise<void> {
    if (behaviour.kind === 'unreachable' || signal.aborted) return forever();
    if (behaviour.kind === 'refuse') {
      await pause(behaviour.afterMs);
      const { code = 'ECONNREFUSED', certificate = false } = behaviour;
      throw new TransportError('unsent', code, `scripted ${code}`, { certificate });
    }
    entry.started = true;
    receiver.onStarted();
    if (behaviour.kind === 'hang') return forever();
    await pause(behaviour.afterMs);
    // An aborted connection is destroyed: nothing is heard of it any more.
    if (signal.aborted) return forever();
    if (behaviour.kind === 'reset') throw new TransportError('sent', 'ECONNRESET', 'scripted reset');
    if (behaviour.kind === 'answer') return answer(behaviour, receiver);
    receiver.onHeaders(200, { 'content-type': 'text/event-stream', ...behaviour.headers });
    for (const { afterMs, body } of behaviour.pieces) {
      if (afterMs > 0) await pause(afterMs);
      if (signal.aborted) return forever();
      await receiver.onData(Buffer.from(body));
    }
    if (behaviour.by === 'silence') return forever();
    if (behaviour.by === 'reset') throw new TransportError('answering', 'ECONNRESET', 'scripted reset in the stream');
  }

  return {
    ...clock,
    sent,
    send(request, receiver, options) {
      const entry: Sent = { at: clock.now(), request, started: false };
      sent.push(entry);
      const performed = perform(play(request, sent.length - 1), entry, receiver, options.signal);
      return Promise.race([performed, ending(clock, entry, options)]);
    },
  };
}

async function answer(behaviour: Behaviour & { kind: 'answer' }, receiver: Receiver): Promise<void> {
  receiver.onHeaders(behaviour.status, { 'content-type': 'application/json', ...behaviour.headers });
  const bytes = Buffer.from(behaviour.body);
  await receiver.onData(bytes.subarray(0, behaviour.cut?.atByte ?? bytes.length));
  if (behaviour.cut?.by === 'silence') return forever();
  if (behaviour.cut) throw new TransportError('answering', 'ECONNRESET', 'scripted reset in the body');
}

function ending(clock: VirtualClock, entry: Sent, { signal, connectTimeoutMs }: SendOptions): Promise<never> {
  return new Promise((_resolve, reject) => {
    const phase = () => (entry.started ? 'sent' : 'unsent');
    const abort = () => reject(new TransportError(phase(), 'ABORTED', 'aborted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    clock.timer(clock.now() + connectTimeoutMs, () => {
      if (!entry.started) reject(new TransportError('unsent', 'CONNECT_TIMEOUT', 'scripted connect timeout'));
    });
  });
}

function forever(): Promise<never> {
  return new Promise(() => {});
}
