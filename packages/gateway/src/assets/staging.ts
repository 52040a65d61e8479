import type { Asset, AssetStore, AssetWriter } from '@onetake/core';

/** Pictures that are kept all together or not at all. */
export interface Staging {
  /** A store whose commits wait for `keep`; the hash is known before. */
  readonly assets: AssetStore;
  /** Makes everything committed so far durable. */
  keep(): Promise<void>;
  /** Removes everything that was not kept. */
  discard(): Promise<void>;
}

/** A request with one bad picture must not leave its good ones behind, where no generation refers to them. */
export function stageAssets(assets: AssetStore): Staging {
  let waiting: { readonly writer: AssetWriter; readonly asset: Asset }[] = [];
  return {
    assets: {
      create() {
        const writer = assets.create();
        return {
          write: (chunk) => writer.write(chunk),
          commit: async (asset) => void waiting.push({ writer, asset }),
          discard: () => writer.discard(),
        };
      },
      read: (asset) => assets.read(asset),
    },
    async keep() {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next.writer.commit(next.asset);
    },
    async discard() {
      const left = waiting;
      waiting = [];
      await Promise.all(left.map(({ writer }) => writer.discard()));
    },
  };
}
