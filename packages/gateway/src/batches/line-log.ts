import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { JsonObject } from '@onetake/core';

/** What one line of a batch became when it was begun; `index` counts requests from 0. */
export type LineRecord =
  | { readonly index: number; readonly task: string }
  /** It ended before there was a task; its answer. */
  | { readonly index: number; readonly refused: { readonly status: number; readonly body: JsonObject } }
  /** The batch ended before it. */
  | { readonly index: number; readonly left: true };

/** The lines of a batch that were begun, in their order, without gaps. */
export interface LineLog {
  /** How many are in it. */
  length(): number;
  /** Resolves when they survive power loss. One call at a time. */
  append(records: readonly LineRecord[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens or makes it. What a crash tore off is closed by a line break: a reader passes over it. Two writers, of which
 * one has lost its lease and does not know yet, each add what follows what is there; a reader takes the first.
 */
export async function openLineLog(path: string): Promise<LineLog> {
  let length = 0;
  for await (const { index } of readLineLog(path)) length = index + 1;
  const file = await open(path, 'a', 0o600);
  if ((await file.stat()).size > 0) await file.appendFile('\n');
  return {
    length: () => length,
    async append(records) {
      if (records.length === 0) return;
      await write(file, `${records.map((record) => JSON.stringify(record)).join('\n')}\n`);
      length += records.length;
    },
    close: () => file.close(),
  };
}

/** From record `from` on; none when there is no file. */
export async function* readLineLog(path: string, from = 0): AsyncGenerator<LineRecord> {
  let next = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      const record = parse(text);
      if (record?.index !== next) continue;
      next += 1;
      if (record.index >= from) yield record;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function write(file: FileHandle, text: string): Promise<void> {
  await file.appendFile(text);
  await file.datasync();
}

function parse(text: string): LineRecord | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
