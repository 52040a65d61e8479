import type { Asset, AssetStore } from './asset.ts';

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

export interface MemoryAssetsOptions {
  /** Bytes of all committed images together; the oldest go first. Default 256 MiB. */
  readonly maxBytes?: number;
}

/** Keeps images in memory. Reading one that was dropped, or never was, throws. */
export function createMemoryAssets(options: MemoryAssetsOptions = {}): AssetStore {
  const { maxBytes = DEFAULT_MAX_BYTES } = options;
  const images = new Map<string, { readonly chunks: readonly Uint8Array[]; readonly bytes: number }>();
  let held = 0;

  const drop = (name: string) => {
    held -= images.get(name)?.bytes ?? 0;
    images.delete(name);
  };

  const keep = (asset: Asset, chunks: readonly Uint8Array[]) => {
    if (asset.bytes > maxBytes) {
      throw new Error(
        `image of ${asset.bytes} bytes is larger than the ${maxBytes} bytes allowed in memory; raise maxBytes`,
      );
    }
    const name = nameOf(asset);
    drop(name);
    for (const oldest of images.keys()) {
      if (held + asset.bytes <= maxBytes) break;
      drop(oldest);
    }
    images.set(name, { chunks, bytes: asset.bytes });
    held += asset.bytes;
  };

  return {
    create() {
      let chunks: Uint8Array[] = [];
      return {
        write: (chunk) => void chunks.push(Uint8Array.from(chunk)),
        commit: async (asset) => keep(asset, chunks),
        discard: async () => {
          chunks = [];
        },
      };
    },
    async *read(asset) {
      const image = images.get(nameOf(asset));
      if (image === undefined) throw new Error(`image ${asset.hash} is not in memory; it was dropped or never stored`);
      yield* image.chunks;
    },
  };
}

function nameOf(asset: Pick<Asset, 'hash' | 'type'>): string {
  return `${asset.hash}.${asset.type}`;
}
