import { ScanError } from '../images/scan-error.ts';

/** Cuts a stream of Server-Sent Events into slices of whole events, without reading them. */
export interface Frames {
  /** The whole events that are there with this chunk, as one slice; undefined where none is complete yet. */
  push(chunk: Buffer): Buffer | undefined;
  /** What came after the last whole event, at the stream's end. */
  flush(): Buffer | undefined;
}

interface FramesOptions {
  /** One event may be as large as this; default 32 MiB. */
  readonly maxEventBytes?: number;
}

const MAX_EVENT_BYTES = 32 * 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;
const NOTHING = Buffer.alloc(0);

/**
 * An event ends with its blank line, whose line breaks may be LF, CR LF or CR, mixed (WHATWG HTML, 9.2.5). A slice is
 * the chunk's own memory unless an event began in an earlier chunk. After a CR that ends a blank line a slice ends at
 * once: an LF that belongs to it comes with the next one. Throws a `ScanError` for an event above the bound.
 */
export function createFrames({ maxEventBytes = MAX_EVENT_BYTES }: FramesOptions = {}): Frames {
  const tail = createTail(maxEventBytes);
  // The two bytes before the next chunk; a stream begins as after a line break.
  let last = LF;
  let beforeLast = LF;

  const endsBlankLine = (chunk: Buffer, at: number): boolean => {
    const before = at > 0 ? chunk[at - 1] : last;
    if (before === LF) return true;
    if (before !== CR) return false;
    if (chunk[at] === CR) return true;
    const beforeBreak = at > 1 ? chunk[at - 2] : at === 1 ? last : beforeLast;
    return beforeBreak === LF || beforeBreak === CR;
  };
  /** Where the last whole event of the chunk ends; 0 where none does. */
  const lastEnd = (chunk: Buffer): number => {
    let lf = chunk.lastIndexOf(LF);
    let cr = chunk.lastIndexOf(CR);
    for (let at = Math.max(lf, cr); at >= 0; at = Math.max(lf, cr)) {
      if (endsBlankLine(chunk, at)) return at + 1;
      if (at === lf) lf = at === 0 ? -1 : chunk.lastIndexOf(LF, at - 1);
      else cr = at === 0 ? -1 : chunk.lastIndexOf(CR, at - 1);
    }
    return 0;
  };
  const remember = (chunk: Buffer) => {
    const { length } = chunk;
    beforeLast = length > 1 ? (chunk[length - 2] ?? LF) : last;
    last = chunk[length - 1] ?? LF;
  };

  return {
    push(chunk) {
      const { length } = chunk;
      if (length === 0) return undefined;
      // Nearly every chunk is one whole event.
      const isWhole = length > 1 && chunk[length - 1] === LF && chunk[length - 2] === LF;
      const end = isWhole ? length : lastEnd(chunk);
      remember(chunk);
      if (end === 0) {
        tail.hold(chunk);
        return undefined;
      }
      const ended = end === length ? chunk : chunk.subarray(0, end);
      const whole = tail.isEmpty() ? ended : tail.release(ended);
      if (end < length) tail.hold(chunk.subarray(end));
      return whole;
    },
    flush: () => (tail.isEmpty() ? undefined : tail.release()),
  };
}

/** The beginning of an event. Its memory doubles, so that each byte is copied a few times, into however many chunks it was cut. */
function createTail(maxBytes: number) {
  let memory: Buffer = NOTHING;
  let length = 0;

  const hold = (bytes: Buffer) => {
    const needed = length + bytes.length;
    if (needed > maxBytes) {
      throw new ScanError('too_large', `one event of the stream is larger than the ${maxBytes} bytes allowed`);
    }
    if (length === 0) memory = bytes;
    else {
      if (memory.length < needed) {
        const grown = Buffer.allocUnsafe(Math.max(needed, 2 * memory.length));
        memory.copy(grown, 0, 0, length);
        memory = grown;
      }
      bytes.copy(memory, length);
    }
    length = needed;
  };
  return {
    isEmpty: () => length === 0,
    hold,
    release(rest?: Buffer): Buffer {
      if (rest) hold(rest);
      const whole = memory.subarray(0, length);
      memory = NOTHING;
      length = 0;
      return whole;
    },
  };
}
