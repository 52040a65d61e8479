import type { SseEvent } from '../http.ts';
import type { JsonValue } from '../json.ts';
import { asBuffer, drain, reached } from './drain.ts';
import { type BlobTarget, createJsonScanner, type JsonScanner, type JsonScannerOptions, ScanError } from './scan.ts';

export interface SseScannerOptions extends JsonScannerOptions {
  /**
   * Called for every event with data, in order; a returned promise stops the stream until it settles. `data` is
   * undefined when it is not JSON, such as `[DONE]`.
   */
  onEvent(event: SseEvent): void | Promise<void>;
}

/** Reads one event stream as it arrives; each event's data goes through a JSON scanner, so no picture is held. */
export interface SseScanner {
  /** Throws or rejects with a `ScanError`, or with what a target or `onEvent` throws. */
  write(chunk: Uint8Array): void | Promise<void>;
  /** `truncated`: the stream ended inside an event, which is dropped as the specification says. */
  end(): { readonly truncated: boolean };
}

/** A longer field name is none of ours. */
const MAX_FIELD_CHARS = 16;
const MAX_EVENT_NAME_CHARS = 256;
const [LF, CR, COLON, SPACE] = [0x0a, 0x0d, 0x3a, 0x20];
const LINE_BREAK = Buffer.from('\n');
const BYTE_ORDER_MARK = Buffer.from('\uFEFF').toString('latin1');

/** Framing as in the HTML Living Standard, 9.2.6: LF, CRLF or CR, comments, data lines joined by a line break. */
export function createSseScanner(options: SseScannerOptions): SseScanner {
  return new Scanner(options);
}

class Scanner implements SseScanner {
  readonly #options: SseScannerOptions;
  /** What the next byte belongs to; `break` is the end of a line, not yet passed. */
  #mode: 'field' | 'data' | 'event' | 'other' | 'break' = 'field';
  #field = '';
  #firstLine = true;
  #afterColon = false;
  #afterCR = false;
  #eventName = '';
  #data: JsonScanner | undefined;
  /** Blobs the event at hand has opened: data that holds one and does not parse is damage, not plain text. */
  #blobs = 0;
  #received = 0;

  constructor(options: SseScannerOptions) {
    this.#options = options;
  }

  write(chunk: Uint8Array): void | Promise<void> {
    const { maxBytes } = this.#options;
    this.#received += chunk.length;
    if (this.#received > maxBytes) {
      throw new ScanError('too_large', `the stream is larger than the ${maxBytes} bytes allowed`);
    }
    return drain(asBuffer(chunk), 0, this.#step);
  }

  end(): { readonly truncated: boolean } {
    return { truncated: this.#data !== undefined || this.#eventName !== '' || this.#field !== '' };
  }

  readonly #step = (chunk: Buffer, at: number): number | Promise<number> => {
    if (this.#afterCR) {
      this.#afterCR = false;
      if (chunk[at] === LF) return at + 1;
    }
    if (this.#mode === 'field') return this.#readField(chunk, at);
    if (this.#mode === 'break') return this.#endLine(chunk, at);
    if (this.#afterColon) {
      this.#afterColon = false;
      if (chunk[at] === SPACE) return at + 1;
    }
    return this.#readValue(chunk, at);
  };

  /** Reads up to the colon or the end of the line; a line without a colon is a field without a value. */
  #readField(chunk: Buffer, from: number): number | Promise<number> {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte === LF || byte === CR) {
        const wait = this.#fieldName() === '' ? this.#dispatch() : this.#startValue();
        this.#mode = 'break';
        return reached(at, wait);
      }
      if (byte === COLON) {
        this.#afterColon = true;
        return reached(at + 1, this.#startValue());
      }
      if (this.#field.length < MAX_FIELD_CHARS) this.#field += String.fromCharCode(byte);
    }
    return chunk.length;
  }

  #fieldName(): string {
    if (this.#firstLine && this.#field.startsWith(BYTE_ORDER_MARK))
      this.#field = this.#field.slice(BYTE_ORDER_MARK.length);
    this.#firstLine = false;
    return this.#field;
  }

  #startValue(): void | Promise<void> {
    const field = this.#fieldName();
    this.#mode = field === 'data' || field === 'event' ? field : 'other';
    if (field === 'event') this.#eventName = '';
    if (field !== 'data') return;
    if (this.#data !== undefined) return this.#data.write(LINE_BREAK);
    this.#blobs = 0;
    this.#data = createJsonScanner({ ...this.#options, openBlob: this.#openBlob });
  }

  readonly #openBlob = (): BlobTarget => {
    this.#blobs += 1;
    return this.#options.openBlob();
  };

  #readValue(chunk: Buffer, from: number): number | Promise<number> {
    const end = lineEnd(chunk, from);
    const value = chunk.subarray(from, end);
    const wait = this.#mode === 'data' ? this.#data?.write(value) : undefined;
    if (this.#mode === 'event' && this.#eventName.length < MAX_EVENT_NAME_CHARS)
      this.#eventName += value.toString('latin1');
    if (end < chunk.length) this.#mode = 'break';
    return reached(end, wait);
  }

  #endLine(chunk: Buffer, at: number): number {
    this.#afterCR = chunk[at] === CR;
    this.#mode = 'field';
    this.#field = '';
    this.#afterColon = false;
    return at + 1;
  }

  #dispatch(): void | Promise<void> {
    const [scanner, name] = [this.#data, this.#eventName];
    this.#data = undefined;
    this.#eventName = '';
    if (scanner === undefined) return;
    const event = name === '' ? undefined : Buffer.from(name, 'latin1').toString();
    return this.#options.onEvent({ event, data: this.#parse(scanner) });
  }

  #parse(scanner: JsonScanner): JsonValue | undefined {
    try {
      return scanner.end();
    } catch (error) {
      if (error instanceof ScanError && this.#blobs === 0) return undefined;
      throw error;
    }
  }
}

function lineEnd(chunk: Buffer, from: number): number {
  const lf = chunk.indexOf(LF, from);
  const before = lf < 0 ? chunk.length : lf;
  const cr = chunk.subarray(from, before).indexOf(CR);
  return cr < 0 ? before : from + cr;
}
