import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { type Receiver, TransportError } from '../io.ts';
import type { Sink } from './delivery.ts';
import { deepestCode } from './fault.ts';

/** We ask for no compression; some peers compress all the same. */
const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
} as const;

/** What a compressed answer may become, in bytes. */
const MAX_DECODED_BYTES = 256 * 1024 * 1024;

/**
 * The sink for an answer with this `content-encoding`: the receiver itself, or a decoder before it that is never
 * further ahead than its own buffer. Throws a TransportError for an encoding nobody here can read.
 */
export function decodedSink(encoding: string | undefined, receiver: Receiver): Sink {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return { take: (chunk) => receiver.onData(chunk), end: () => {} };
  if (Object.hasOwn(DECODERS, name)) return decodingSink(name as keyof typeof DECODERS, receiver);
  const known = Object.keys(DECODERS).join(', ');
  throw broken(`The answer's content-encoding is ${JSON.stringify(name)}; readable are ${known}.`);
}

function decodingSink(name: keyof typeof DECODERS, receiver: Receiver): Sink {
  const decoder = DECODERS[name]();
  let fault: TransportError | undefined;
  decoder.on('error', (error) => {
    fault = broken(`The answer's ${name} content-encoding is broken: ${error.message} (${deepestCode(error)}).`, error);
  });

  const pump = async () => {
    let bytes = 0;
    try {
      for await (const chunk of decoder) {
        bytes += chunk.length;
        if (bytes > MAX_DECODED_BYTES) {
          throw broken(`The answer's ${name} content-encoding holds more than ${MAX_DECODED_BYTES} bytes.`);
        }
        await receiver.onData(chunk);
      }
    } catch (error) {
      throw fault ?? error;
    }
  };
  let ended: Promise<void> | undefined;
  let step = Promise.withResolvers<void>();
  return {
    take(chunk) {
      step = Promise.withResolvers();
      const { promise, resolve } = step;
      if (ended === undefined) {
        ended = pump();
        // A decoder that fails forgets the callback of the write it was at.
        ended.catch((error) => step.reject(error));
      }
      decoder.write(chunk, (error) => error ?? resolve());
      return promise;
    },
    end() {
      decoder.end();
      return ended;
    },
  };
}

function broken(message: string, cause?: unknown): TransportError {
  return new TransportError('answering', 'CONTENT_ENCODING', message, { cause });
}
