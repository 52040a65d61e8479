import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type JsonObject } from '@onetake/core';
import { CliError, codeOf, EXIT, messageOf } from '../exit.ts';
import { writeAtomically } from '../picture-file.ts';
import type { BatchEvent } from './events.ts';
import type { InputFormat } from './input.ts';
import { type Journal, openJournal, readEvents } from './journal.ts';
import type { InputLine } from './line.ts';
import { takeLock } from './lock.ts';

/** `batch.json`: what was asked. It is written once, last of all: where it is, there is a batch. */
export interface BatchFile {
  /** Of this format. */
  readonly version: 1;
  /** Random; part of every Idempotency-Key. */
  readonly id: string;
  readonly created: string;
  /** Which gateway it was sent through: an address, or the data directory of one on this machine. */
  readonly gateway: string;
  readonly input: { readonly name: string; readonly format: InputFormat; readonly lines: number };
  /** What the command says of every line. */
  readonly fields: JsonObject;
  readonly max_cost_usd: number | null;
}

/** A batch in its directory, locked for this process. */
export interface OpenBatch {
  readonly directory: string;
  readonly batch: BatchFile;
  readonly lines: readonly InputLine[];
  readonly events: readonly BatchEvent[];
  readonly journal: Journal;
  close(): Promise<void>;
}

const FILES = { batch: 'batch.json', lines: 'lines.jsonl', progress: 'progress.jsonl', lock: 'batch.lock' } as const;

/** Makes the directory of a new batch. A directory that holds anything else is refused: pictures get names in it. */
export async function createBatch(
  directory: string,
  batch: BatchFile,
  lines: readonly InputLine[],
): Promise<OpenBatch> {
  await makeDirectory(directory);
  const unlock = await takeLock(join(directory, FILES.lock));
  try {
    await checkEmpty(directory);
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    await writeAtomically(join(directory, FILES.lines), Buffer.from(text));
    await writeAtomically(join(directory, FILES.progress), Buffer.alloc(0));
    await writeAtomically(join(directory, FILES.batch), Buffer.from(`${JSON.stringify(batch, undefined, 2)}\n`));
    return await opened(directory, batch, lines, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Opens the batch of a directory; what a killed process half wrote is removed. */
export async function openBatch(directory: string): Promise<OpenBatch> {
  // Before the lock, so that a wrong directory is left as it is.
  await readBatchFile(directory);
  const unlock = await takeLock(join(directory, FILES.lock));
  try {
    const batch = await readBatchFile(directory);
    for (const name of await readdir(directory)) {
      if (isHalfWritten(name)) await rm(join(directory, name), { force: true });
    }
    const text = await readFile(join(directory, FILES.lines), 'utf8');
    const lines = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as InputLine);
    return await opened(directory, batch, lines, unlock);
  } catch (error) {
    await unlock();
    throw error instanceof CliError ? error : new CliError(`${directory} cannot be read: ${messageOf(error)}`);
  }
}

async function opened(
  directory: string,
  batch: BatchFile,
  lines: readonly InputLine[],
  unlock: () => Promise<void>,
): Promise<OpenBatch> {
  const path = join(directory, FILES.progress);
  const { events, wholeBytes } = readEvents(await readFile(path), path);
  const journal = await openJournal(path, wholeBytes);
  const close = async () => {
    await journal.close();
    await unlock();
  };
  return { directory, batch, lines, events, journal, close };
}

export async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw new CliError(`${directory} cannot be made: ${messageOf(error)}; choose another --out`, EXIT.usage);
  }
}

/** Throws for what no unfinished beginning of a batch has left there. */
export async function checkEmpty(directory: string): Promise<void> {
  const ours: readonly string[] = [FILES.lock, FILES.lines, FILES.progress];
  const names = await readdir(directory);
  if (names.includes(FILES.batch))
    throw new CliError(
      `${directory} holds a batch; go on with it by onetake batch resume ${directory}, or choose another --out`,
      EXIT.usage,
    );
  const strange = names.find((name) => !ours.includes(name) && !isHalfWritten(name) && !name.startsWith(FILES.lock));
  if (strange !== undefined)
    throw new CliError(`${directory} is not empty (${strange}); choose another --out`, EXIT.usage);
}

function isHalfWritten(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.part');
}

async function readBatchFile(directory: string): Promise<BatchFile> {
  const path = join(directory, FILES.batch);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      throw new CliError(`${directory} holds no batch (there is no ${FILES.batch}); name the --out of one`, EXIT.usage);
    throw new CliError(`${path} cannot be read: ${messageOf(error)}`);
  }
  if (isObject(value) && value.version === 1 && typeof value.id === 'string') return value as unknown as BatchFile;
  throw new CliError(`${path} is not of this version of onetake; resume it with the one that began it`);
}
