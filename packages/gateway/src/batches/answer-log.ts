import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { JsonObject } from '@onetake/core';

/** What a line of chat came to, as it will stand in a file of the batch. */
export interface LineAnswer {
  /** Counts requests from 0. */
  readonly index: number;
  readonly file: 'output' | 'error';
  /** Of `ChatUsage`, where there was an answer. */
  readonly usage?: JsonObject;
  /** JSON without a line break. */
  readonly line: string;
}

/** An answer in the log, and where its line lies there. */
export interface LoggedAnswer extends Omit<LineAnswer, 'line'> {
  readonly offset: number;
  readonly bytes: number;
}

/** The answers of a batch of chat, in the order in which they came. */
export interface AnswerLog {
  /** Resolves when it survives power loss; those that come together are written together. After a rejection it may be repeated. */
  append(answer: LineAnswer): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens or makes it. Two writers, of which one has lost its lease and does not know yet, each add what they have; of
 * two answers to one line a reader takes the first.
 */
export async function openAnswerLog(path: string): Promise<AnswerLog> {
  const file = await open(path, 'a', 0o600);
  let waiting: { readonly record: string; readonly done: () => void; readonly failed: (error: unknown) => void }[] = [];
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        // What a crash or a full disk tore off before is closed by the first line break.
        await file.appendFile(`\n${group.map(({ record }) => record).join('')}`);
        await file.datasync();
        for (const { done } of group) done();
      } catch (error) {
        for (const { failed } of group) failed(error);
      }
    }
    writing = undefined;
  }

  return {
    append({ line, ...about }) {
      const record = `${JSON.stringify({ ...about, bytes: Buffer.byteLength(line) })}\t${line}\n`;
      return new Promise((done, failed) => {
        waiting.push({ record, done, failed });
        writing ??= write();
      });
    },
    async close() {
      await writing;
      await file.close();
    },
  };
}

const [TAB, NEWLINE] = [0x09, 0x0a];
const MAX_ABOUT_BYTES = 4_096;
const NOTHING = Buffer.alloc(0);

/** Every whole record in its order, some of which may be of the same line; none when there is no file. */
export async function* readAnswerLog(path: string): AsyncGenerator<LoggedAnswer> {
  /** The beginning of the record that starts at `start`, and where the chunk starts. */
  let head: Buffer = NOTHING;
  let [start, position] = [0, 0];
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
        const record = recordIn(grown(head, chunk.subarray(from, end)), start, position + end);
        if (record) yield record;
        from = end + 1;
        start = position + from;
        head = NOTHING;
      }
      head = grown(head, chunk.subarray(from));
      position += chunk.length;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function grown(head: Buffer, more: Buffer): Buffer {
  const room = MAX_ABOUT_BYTES - head.length;
  return room <= 0 || more.length === 0 ? head : Buffer.concat([head, more.subarray(0, room)]);
}

/** Undefined for what was torn off: its bytes are not as many as it says. */
function recordIn(head: Buffer, start: number, end: number): LoggedAnswer | undefined {
  const tab = head.indexOf(TAB);
  const about = tab < 0 ? undefined : parse(head.toString('utf8', 0, tab));
  const offset = start + tab + 1;
  return about?.bytes === end - offset ? { ...about, offset } : undefined;
}

function parse(text: string): Omit<LoggedAnswer, 'offset'> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
