import { randomUUID } from 'node:crypto';

/** Bytes that callers send ahead of a request, as some protocols want it; kept in memory, so a restart forgets them. */
export interface Uploads {
  /** A name to send to; `kind` keeps the protocols apart. */
  open(kind: string): string;
  /** False where no such name was opened. */
  put(kind: string, name: string, bytes: Buffer): boolean;
  /** Undefined where nothing was sent yet. */
  get(kind: string, name: string): Buffer | undefined;
}

const MAX_UPLOADS = 200;
const MAX_BYTES = 128 * 1024 * 1024;

/** Keeps up to 200 uploads and 128 MiB; the oldest go first. */
export function createUploads(): Uploads {
  const kept = new Map<string, Buffer | undefined>();
  let size = 0;
  const removeOldest = () => {
    for (const [name, bytes] of kept) {
      if (kept.size <= MAX_UPLOADS && size <= MAX_BYTES) return;
      kept.delete(name);
      size -= bytes?.length ?? 0;
    }
  };
  return {
    open(kind) {
      const name = randomUUID();
      kept.set(`${kind}/${name}`, undefined);
      removeOldest();
      return name;
    },
    put(kind, name, bytes) {
      const key = `${kind}/${name}`;
      if (!kept.has(key)) return false;
      size += bytes.length - (kept.get(key)?.length ?? 0);
      kept.set(key, bytes);
      removeOldest();
      return true;
    },
    get: (kind, name) => kept.get(`${kind}/${name}`),
  };
}
