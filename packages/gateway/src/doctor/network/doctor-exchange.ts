import { type Io, TransportError } from '@onetake/core';
import type { DoctorIo, DoctorResponse, Tried } from '../world.ts';

/** What came of one exchange, beside what core makes of it. */
export interface Seen {
  answer?: Tried<DoctorResponse>;
  /** Epoch ms. */
  at?: number;
}

const CERTIFICATE_CODES = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|ALTNAME/;

/**
 * Core's door to the world on the doctor's, for calls that spend nothing: so that who asks for models, and what an
 * answer means, is the same code as in a generation. Notes in `seen` what came.
 */
export function exchangeIo(io: DoctorIo, timeoutMs: number, seen: Seen): Io {
  return {
    now: () => io.now(),
    timer(at, callback) {
      const handle = setTimeout(callback, Math.max(0, at - io.now()));
      handle.unref();
      return () => clearTimeout(handle);
    },
    async send(request, receiver) {
      const { url, headers } = request;
      const answer = await io.fetch({ url, headers, method: request.method === 'POST' ? 'POST' : 'GET', timeoutMs });
      seen.answer = answer;
      seen.at = io.now();
      if (!answer.ok) {
        const certificate = CERTIFICATE_CODES.test(answer.code);
        throw new TransportError('unsent', answer.code, answer.message, { certificate });
      }
      receiver.onStarted();
      receiver.onHeaders(answer.value.status, plain(answer.value.headers));
      await receiver.onData(Buffer.from(answer.value.text));
    },
  };
}

/** The doctor's text is decoded already. */
function plain(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { 'content-encoding': _encoding, 'content-length': _length, ...rest } = headers;
  return rest;
}
