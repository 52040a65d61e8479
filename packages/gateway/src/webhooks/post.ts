import { type HttpRequest, type Io, type JsonObject, type SendOptions, TransportError } from '@onetake/core';
import { Webhook as Signer } from 'standardwebhooks';

/** One message, ready to be signed. */
export interface Message {
  /** The same on every try: how the receiver knows a repeat. */
  readonly id: string;
  readonly body: JsonObject;
  readonly secret: string;
}

export interface PostOptions {
  readonly io: Io;
  readonly url: string;
  readonly reach: SendOptions['reach'];
  /** For the whole exchange. */
  readonly timeoutMs: number;
}

/** How one try ended. A status line decides it, whatever becomes of the body behind it. */
export type Tried =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | {
      readonly kind: 'unanswered';
      /** Short, without the address and without anything secret. */
      readonly reason: string;
      /** Trying again cannot help. */
      readonly hopeless: boolean;
    };

/** Answers are read so that the receiver is not cut off while it writes, and dropped. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Sends one message, signed for this instant, with one POST; redirects are not followed. Never rejects, except for a
 * secret that is none. Headers and signature are those of Standard Webhooks (v1, HMAC-SHA256).
 */
export async function post({ id, body, secret }: Message, options: PostOptions): Promise<Tried> {
  const now = new Date(options.io.now());
  // The transport writes `JSON.stringify` of the same value, so these are the bytes that are sent.
  const signature = new Signer(secret).sign(id, now, JSON.stringify(body));
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': signature,
  };
  return send(body, headers, options);
}

/** The same without a signature, for receivers whose address is the secret. Never rejects. */
export function postPlain(body: JsonObject, options: PostOptions): Promise<Tried> {
  return send(body, {}, options);
}

async function send(body: JsonObject, headers: HttpRequest['headers'], options: PostOptions): Promise<Tried> {
  const { io, url, reach, timeoutMs } = options;
  const abort = new AbortController();
  const stopClock = io.timer(io.now() + timeoutMs, () => abort.abort());
  let answered: Tried | undefined;
  let received = 0;
  try {
    await io.send(
      { method: 'POST', url, headers, body: { kind: 'json', value: body } },
      {
        onStarted: () => {},
        onHeaders(status, answerHeaders) {
          answered = { kind: 'answered', status, headers: answerHeaders };
        },
        onData(chunk) {
          received += chunk.length;
          if (received > MAX_ANSWER_BYTES) throw new EnoughRead();
        },
      },
      { signal: abort.signal, connectTimeoutMs: timeoutMs, reach, readAsset: noFiles },
    );
    return answered ?? unanswered('the exchange ended without a status');
  } catch (error) {
    return answered ?? broken(error, abort.signal.aborted, timeoutMs);
  } finally {
    stopClock();
  }
}

/** Ends the exchange: nobody reads the rest. */
class EnoughRead extends Error {}

/** What a private address answered, or whether anything is there, is never told. */
function broken(error: unknown, timedOut: boolean, timeoutMs: number): Tried {
  if (!(error instanceof TransportError)) return unanswered('the answer could not be read');
  const { code, phase, certificate } = error;
  if (code === 'ADDRESS_DENIED') return { ...unanswered('the host is not on the public internet'), hopeless: true };
  if (timedOut || code === 'CONNECT_TIMEOUT') return unanswered(`no answer within ${timeoutMs} ms`);
  if (certificate) return unanswered(`the certificate was refused (${code})`);
  return unanswered(`${phase === 'unsent' ? 'could not be reached' : 'broke off'} (${code})`);
}

function unanswered(reason: string): Tried & { kind: 'unanswered' } {
  return { kind: 'unanswered', reason, hopeless: false };
}

function noFiles(): never {
  throw new Error('a webhook sends no files');
}
