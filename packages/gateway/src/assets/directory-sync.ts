import { open } from 'node:fs/promises';

/** Makes a directory's entries survive power loss: all that were made before the call, when it resolves. */
export type DirectorySync = (path: string) => Promise<void>;

/** Callers that arrive while a sync of their directory runs share the next one: the running one may have missed them. */
export function createDirectorySync(sync: DirectorySync = syncDirectory): DirectorySync {
  const running = new Map<string, { now: Promise<void>; next?: Promise<void> }>();

  function start(path: string): Promise<void> {
    const entry: { now: Promise<void>; next?: Promise<void> } = { now: sync(path) };
    running.set(path, entry);
    const forget = () => {
      if (running.get(path) === entry && entry.next === undefined) running.delete(path);
    };
    entry.now.then(forget, forget);
    return entry.now;
  }

  return (path) => {
    const entry = running.get(path);
    if (entry === undefined) return start(path);
    const again = () => start(path);
    entry.next ??= entry.now.then(again, again);
    return entry.next;
  };
}

async function syncDirectory(path: string): Promise<void> {
  // Windows opens no directories, and its file system logs names by itself.
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
