import { open } from 'node:fs/promises';

/** Makes a directory's entries survive power loss: all that were made before the call, when it resolves. */
export type DirectorySync = (path: string) => Promise<void>;

interface Syncing {
  readonly now: Promise<void>;
  next?: Promise<void>;
}

/** Callers that arrive while a sync of their directory runs share the next one: the running one may have missed them. */
export function createDirectorySync(sync: DirectorySync = syncDirectory): DirectorySync {
  const syncing = new Map<string, Syncing>();

  function start(path: string): Promise<void> {
    const one: Syncing = { now: sync(path) };
    const forget = () => {
      if (one.next === undefined) syncing.delete(path);
    };
    one.now.then(forget, forget);
    syncing.set(path, one);
    return one.now;
  }

  return (path) => {
    const one = syncing.get(path);
    if (one === undefined) return start(path);
    const again = () => start(path);
    one.next ??= one.now.then(again, again);
    return one.next;
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
