import type { AssetName } from './disk.ts';

/**
 * Where pictures live that need no file of their own. Making, syncing and naming a file costs the same for any size,
 * which for a small picture is ten times what its bytes cost; many of them in one transaction share one sync.
 */
export interface SmallPictures {
  /** Durable when it resolves. `at` (epoch ms) is when it was written, also where it was there already. */
  put(name: AssetName, bytes: Uint8Array, at: number): Promise<void>;
  read(name: AssetName): Promise<Uint8Array | undefined>;
  /** Leaves what was written at or after `writtenBefore` (epoch ms). */
  remove(name: AssetName, writtenBefore: number): Promise<void>;
}

/**
 * Keeps the pictures put last in memory too, `recentBytes` of them, because a picture that was just made is about to
 * be handed over.
 */
export function rememberRecent(pictures: SmallPictures, recentBytes: number): SmallPictures {
  const recent = new Map<string, Uint8Array>();
  let held = 0;

  function forget(key: string): void {
    held -= recent.get(key)?.length ?? 0;
    recent.delete(key);
  }

  return {
    async put(name, bytes, at) {
      await pictures.put(name, bytes, at);
      forget(keyOf(name));
      recent.set(keyOf(name), bytes);
      held += bytes.length;
      for (const oldest of recent.keys()) {
        if (held <= recentBytes) return;
        forget(oldest);
      }
    },
    read: async (name) => recent.get(keyOf(name)) ?? pictures.read(name),
    async remove(name, writtenBefore) {
      forget(keyOf(name));
      await pictures.remove(name, writtenBefore);
    },
  };
}

function keyOf({ hash, type }: AssetName): string {
  return `${hash}.${type}`;
}
