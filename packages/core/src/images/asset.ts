export type ImageType = 'png' | 'jpeg' | 'webp' | 'gif' | 'svg' | 'avif';

/** The verified bytes of one image, addressed by the SHA-256 of their content (lower-case hex). */
export interface Asset {
  readonly hash: string;
  readonly bytes: number;
  readonly type: ImageType;
  readonly width: number;
  readonly height: number;
  readonly animated: boolean;
  /** True when the format declares an alpha channel; an edit's mask needs one. */
  readonly alpha: boolean;
}

/** MIME type and file extension of each image type; `.jpg`, not `.jpeg`, because that is what people's tools write. */
export const IMAGE_TYPES: Readonly<Record<ImageType, { readonly mime: string; readonly extension: string }>> = {
  png: { mime: 'image/png', extension: 'png' },
  jpeg: { mime: 'image/jpeg', extension: 'jpg' },
  webp: { mime: 'image/webp', extension: 'webp' },
  gif: { mime: 'image/gif', extension: 'gif' },
  svg: { mime: 'image/svg+xml', extension: 'svg' },
  avif: { mime: 'image/avif', extension: 'avif' },
};

/** Where the bytes of images live: memory in the library, a directory in the gateway. */
export interface AssetStore {
  create(): AssetWriter;
  /** The bytes in order; throws when the asset is not there (retention may have removed it). */
  read(asset: Pick<Asset, 'hash' | 'type'>): AsyncIterable<Uint8Array>;
}

/**
 * Receives one image's bytes before anybody knows whether they are good.
 *
 * `write` returns a promise when the caller should wait before writing more; the chunk is valid during the call only,
 * and whoever keeps it copies it. Exactly one of `commit` (durable under its hash when it resolves) and `discard` ends it.
 */
export interface AssetWriter {
  write(chunk: Uint8Array): void | Promise<void>;
  commit(asset: Asset): Promise<void>;
  discard(): Promise<void>;
}
