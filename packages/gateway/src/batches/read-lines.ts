import { createReadStream } from 'node:fs';

export interface TextLine {
  /** Counts requests from 0; blank lines are none. */
  readonly index: number;
  /** As an editor counts, from 1. */
  readonly number: number;
  /** Undefined when it has more than `maxLineBytes`. */
  readonly text: string | undefined;
}

const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 * 1024;

/** The lines of a file of UTF-8 as they are read; one line at a time is in memory, and of one too long nothing. */
export async function* readLines(path: string, maxLineBytes: number): AsyncGenerator<TextLine> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let index = 0;
  let number = 0;

  const take = (): TextLine | undefined => {
    number += 1;
    const text = bytes > maxLineBytes ? undefined : withoutMark(Buffer.concat(pieces).toString('utf8'), number);
    pieces = [];
    bytes = 0;
    if (text?.trim() === '') return undefined;
    index += 1;
    return { index: index - 1, number, text };
  };
  const add = (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= maxLineBytes) pieces.push(piece);
    else pieces = [];
  };

  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, end));
      from = end + 1;
      const line = take();
      if (line) yield line;
    }
    add(chunk.subarray(from));
  }
  const last = bytes > 0 ? take() : undefined;
  if (last) yield last;
}

/** Editors on Windows put a byte order mark before the first line. */
function withoutMark(text: string, number: number): string {
  return number === 1 && text.startsWith('\u{feff}') ? text.slice(1) : text;
}
