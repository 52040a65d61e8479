import type { JsonValue } from '../json.ts';
import { type Base64Decoder, createBase64Decoder, isBase64Front } from './base64.ts';
import { asBuffer, drain, reached } from './drain.ts';
import { JsonSkeleton } from './json-skeleton.ts';
import { ScanError } from './scan-error.ts';

export { ScanError };

/** Receives the decoded bytes of one large base64 string. */
export interface BlobTarget {
  /** A returned promise stops the scanning until it settles. The bytes are valid during the call only. */
  write(bytes: Uint8Array): void | Promise<void>;
  /** Called once after the last byte, and never for a damaged blob; returns the blob's index. */
  end(): number;
}

export interface JsonScannerOptions {
  openBlob(): BlobTarget;
  /** Of the whole text, blobs included. */
  readonly maxBytes: number;
  /**
   * Strings of up to this many bytes, as written between their quotes, stay in the value. Default 1024. The first byte
   * more decides, so the front of a data URL must fit in it.
   */
  readonly inlineLimit?: number;
}

/** Reads one JSON text as it arrives. After either method threw, the scanner is of no further use. */
export interface JsonScanner {
  /** Throws or rejects with a `ScanError` (malformed blob, a bound passed), or with what the target throws. */
  write(chunk: Uint8Array): void | Promise<void>;
  /** The parsed value; throws a `ScanError`. */
  end(): JsonValue;
}

const DEFAULT_INLINE_LIMIT = 1024;
/**
 * Every scanner decodes into this, as no target keeps what it is given: fresh memory for each piece of each picture
 * would cost more in collecting garbage than the decoding does. It holds what a socket reads at once.
 */
const SCRATCH = Buffer.allocUnsafeSlow(64 * 1024);
const MAX_DEPTH = 512;
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Takes base64 out of JSON as it arrives. A string value longer than `inlineLimit` whose front is base64, after a
 * `data:…;base64,` that is dropped, is decoded into a `BlobTarget` and stands in the result as `{"$blob": index}`.
 * Everything else is what `JSON.parse` makes of it; only that and one chunk is in memory.
 *
 * A provider could write `{"$blob": 0}` itself. That is harmless: an index is looked up only among the blobs of the
 * same answer, so it can name nothing but a picture which that provider sent anyway.
 */
export function createJsonScanner(options: JsonScannerOptions): JsonScanner {
  return new Scanner(options);
}

interface OpenBlob {
  readonly target: BlobTarget;
  readonly decoder: Base64Decoder;
  /** The front of an escape whose end is in the next chunk. */
  escape: string;
}

class Scanner implements JsonScanner {
  readonly #options: JsonScannerOptions;
  readonly #inlineLimit: number;
  readonly #skeleton = new JsonSkeleton();
  /** The open containers, innermost last; true for an object. */
  readonly #containers: boolean[] = [];
  #mode: 'structure' | 'value' | 'plain' | 'blob' | 'closing' = 'structure';
  #keyNext = false;
  #escaped = false;
  /** Where the skeleton holds the opening quote of the string at hand. */
  #stringAt = 0;
  #blob: OpenBlob | undefined;
  #received = 0;

  constructor(options: JsonScannerOptions) {
    this.#options = options;
    this.#inlineLimit = options.inlineLimit ?? DEFAULT_INLINE_LIMIT;
  }

  write(chunk: Uint8Array): void | Promise<void> {
    const { maxBytes } = this.#options;
    this.#received += chunk.length;
    if (this.#received > maxBytes) {
      throw new ScanError('too_large', `the answer is larger than the ${maxBytes} bytes allowed`);
    }
    return drain(asBuffer(chunk), 0, this.#step);
  }

  end(): JsonValue {
    const text = this.#skeleton.toString().replace(/^\uFEFF/, '');
    if (this.#mode !== 'structure' || this.#containers.length > 0 || text.trim() === '') {
      throw new ScanError('truncated', `the answer ends after ${this.#received} bytes, before its JSON does`);
    }
    try {
      return JSON.parse(text);
    } catch {
      throw new ScanError('malformed', 'the answer is not JSON');
    }
  }

  readonly #step = (chunk: Buffer, at: number): number | Promise<number> => {
    switch (this.#mode) {
      case 'structure':
        return this.#passStructure(chunk, at);
      case 'value':
      case 'plain':
        return this.#passString(chunk, at);
      case 'blob':
        return this.#passBlob(chunk, at);
      case 'closing':
        return this.#closeBlob(at);
    }
  };

  #passStructure(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && this.#mode === 'structure') {
      const byte = chunk[at];
      if (byte === QUOTE) this.#mode = this.#keyNext ? 'plain' : 'value';
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#open(byte === OPEN_BRACE);
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#close();
      else if (byte === COMMA) this.#keyNext = this.#containers.at(-1) === true;
      else if (byte === COLON) this.#keyNext = false;
      at += 1;
    }
    this.#skeleton.append(chunk, from, at);
    this.#stringAt = this.#skeleton.length - 1;
    return at;
  }

  #open(isObject: boolean): void {
    if (this.#containers.length === MAX_DEPTH) {
      throw new ScanError('too_large', `the answer is nested deeper than ${MAX_DEPTH} levels`);
    }
    this.#containers.push(isObject);
    this.#keyNext = isObject;
  }

  #close(): void {
    this.#containers.pop();
    this.#keyNext = false;
  }

  /** Copies a string that stays, or the front of one that may not, whose nature its first `inlineLimit` + 1 bytes tell. */
  #passString(chunk: Buffer, from: number): number | Promise<number> {
    const collected = this.#skeleton.length - this.#stringAt - 1;
    const room = this.#mode === 'value' ? this.#inlineLimit + 1 - collected : chunk.length;
    const end = Math.min(chunk.length, from + room);
    let at = from;
    let closed = false;
    let escaped = this.#escaped;
    for (; at < end && !closed; at += 1) {
      const byte = chunk[at];
      closed = byte === QUOTE && !escaped;
      escaped = byte === BACKSLASH && !escaped;
    }
    this.#escaped = escaped;
    if (closed) this.#mode = 'structure';
    this.#skeleton.append(chunk, from, at);
    return this.#mode === 'value' && at - from === room ? reached(at, this.#openBlob()) : at;
  }

  /** Turns the string at hand into a blob if its front is base64; otherwise it stays where it is. */
  #openBlob(): void | Promise<void> {
    const { text, rest } = jsonUnescape(this.#skeleton.latin1From(this.#stringAt + 1));
    const digits = text.replace(/^data:[^,]{0,256};base64,/i, '');
    this.#mode = isBase64Front(digits) ? 'blob' : 'plain';
    if (this.#mode === 'plain') return;
    this.#skeleton.cutTo(this.#stringAt);
    this.#escaped = false;
    this.#blob = { target: this.#options.openBlob(), decoder: createBase64Decoder(SCRATCH), escape: rest };
    return this.#give(digits, false);
  }

  #passBlob(chunk: Buffer, from: number): number | Promise<number> {
    const quote = chunk.indexOf(QUOTE, from);
    const last = quote >= 0;
    const end = last ? quote : chunk.length;
    if (last) this.#mode = 'closing';
    return reached(end, this.#give(this.#unescaped(chunk.toString('latin1', from, end), last), last));
  }

  #unescaped(written: string, last: boolean): string {
    const blob = this.#openedBlob();
    if (blob.escape === '' && !written.includes('\\')) return written;
    const { text, rest } = jsonUnescape(blob.escape + written);
    if (last && rest !== '') throw notBase64();
    blob.escape = rest;
    return text;
  }

  #give(digits: string, last: boolean): void | Promise<void> {
    const { decoder, target } = this.#openedBlob();
    const bytes = decoder.write(digits, last);
    if (bytes === undefined) throw notBase64();
    if (bytes.length > 0) return target.write(bytes);
  }

  #closeBlob(quote: number): number {
    const { target } = this.#openedBlob();
    this.#skeleton.appendAscii(`{"$blob":${target.end()}}`);
    this.#blob = undefined;
    this.#mode = 'structure';
    return quote + 1;
  }

  #openedBlob(): OpenBlob {
    if (this.#blob === undefined) throw new Error('no blob is open');
    return this.#blob;
  }
}

function notBase64(): ScanError {
  return new ScanError('malformed', 'a large base64 string in the answer holds something else');
}

/**
 * Resolves JSON's escapes as far as base64 can hold them; line breaks inside base64 (RFC 2045) are dropped. `rest` is
 * an escape cut off at the end. Any other escape stays, and is found not to be base64.
 */
function jsonUnescape(written: string): { text: string; rest: string } {
  const rest = /\\(?:u[0-9A-Fa-f]{0,3})?$/.exec(written.slice(-5))?.[0] ?? '';
  const whole = written.slice(0, written.length - rest.length);
  // PHP escapes every slash, one digit in 64: the native search spares those the callback.
  const slashed = whole.includes('\\\\') ? whole : whole.replaceAll('\\/', '/');
  if (!slashed.includes('\\')) return { text: slashed, rest };
  const text = slashed.replace(/\\(?:u00([0-7][0-9A-Fa-f])|([/rn]))/g, (_, code?: string, letter?: string) => {
    if (letter !== undefined) return letter === '/' ? '/' : '';
    return String.fromCharCode(Number.parseInt(code ?? '', 16)).trim();
  });
  return { text, rest };
}
