import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';

/** A file of one JSON value a line that only grows, until it is replaced by what its lines come to. */
export interface JsonLines {
  /** Bytes of the file now. */
  readonly size: number;
  /** Returns when the line is written, so that a process killed a moment later has not forgotten it. */
  append(value: unknown): void;
  /** Puts these lines in the place of all others, at once. */
  replace(values: readonly unknown[]): void;
  clear(): void;
  close(): void;
}

/** Opens `path`, made when it is not there, and gives `take` its values in order; a line that a kill cut short is removed. */
export function openJsonLines(path: string, take: (value: unknown) => void): JsonLines {
  const whole = wholeLines(path);
  for (const line of whole.toString('utf8').split('\n')) {
    const value = parsed(line);
    if (value !== undefined) take(value);
  }
  let size = whole.length;
  let file = openSync(path, 'a');
  ftruncateSync(file, size);
  return {
    get size() {
      return size;
    },
    append(value) {
      size += writeSync(file, `${JSON.stringify(value)}\n`);
    },
    replace(values) {
      const text = values.map((value) => `${JSON.stringify(value)}\n`).join('');
      writeFileSync(`${path}.new`, text);
      closeSync(file);
      renameSync(`${path}.new`, path);
      file = openSync(path, 'a');
      size = Buffer.byteLength(text);
    },
    clear() {
      ftruncateSync(file);
      size = 0;
    },
    close: () => closeSync(file),
  };
}

function wholeLines(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    return bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
