import { open } from 'node:fs/promises';
import { isObject } from '@onetake/core';
import { CliError, messageOf } from '../exit.ts';
import type { BatchEvent } from './events.ts';

/** The open end of `progress.jsonl`. */
export interface Journal {
  /** Resolves when the event is on the disk; events that wait together share one sync. Rejects for good once it failed. */
  append(event: BatchEvent): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const TYPES: ReadonlySet<unknown> = new Set<BatchEvent['type']>([
  'session',
  'intended',
  'accepted',
  'withdrawn',
  'done',
  'failed',
  'unknown',
]);

/**
 * The events of a journal, and how many bytes of it are whole. A last line without its end was being written when the
 * process died; nothing was done on its word. Throws for damage anywhere else.
 */
export function readEvents(bytes: Uint8Array, name: string): { events: readonly BatchEvent[]; wholeBytes: number } {
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, wholeBytes).toString('utf8');
  const events = text
    .split('\n')
    .slice(0, -1)
    .map((line, index) => readEvent(line, `${name}, line ${index + 1}`));
  return { events, wholeBytes };
}

function readEvent(text: string, where: string): BatchEvent {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value) && TYPES.has(value.type) && typeof value.at === 'number') return value as unknown as BatchEvent;
  } catch {
    // The message below is all there is to say.
  }
  throw new CliError(`${where}: it is damaged; restore the file from a copy, or begin a new batch`);
}

/** Opens the journal behind its whole part; what was half written is cut off. */
export async function openJournal(path: string, wholeBytes: number): Promise<Journal> {
  const file = await open(path, 'a');
  await file.truncate(wholeBytes);
  let waiting: Waiting[] = [];
  let flushing: Promise<void> | undefined;
  let broken: unknown;

  async function flush(): Promise<void> {
    // Whoever comes while one sync runs shares the next.
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        if (broken !== undefined) throw broken;
        await file.appendFile(batch.map((one) => one.text).join(''));
        await file.datasync();
        for (const one of batch) one.resolve();
      } catch (error) {
        broken ??= new CliError(`${path} could not be written: ${messageOf(error)}`);
        for (const one of batch) one.reject(broken);
      }
    }
    flushing = undefined;
  }

  return {
    append(event) {
      return new Promise((resolve, reject) => {
        waiting.push({ text: `${JSON.stringify(event)}\n`, resolve, reject });
        flushing ??= Promise.resolve().then(flush);
      });
    },
    async close() {
      await flushing;
      await file.close();
    },
  };
}
