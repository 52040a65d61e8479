import { IMAGE_TYPES, type ImageType } from '@onetake/core';
import type { AssetRow } from '../store/store.ts';
import type { ThumbnailUrl } from './previews.ts';

type Stored = Pick<AssetRow, 'hash' | 'type'>;

/** The link to a stored picture. */
export function pictureUrl({ hash, type }: Stored, assetsUrl: string): string {
  return `${assetsUrl}/${hash}.${isImageType(type) ? IMAGE_TYPES[type].extension : type}`;
}

/** Null for one that is never rendered smaller. */
export function thumbnailOf({ hash, type }: Stored, thumbnailUrl: ThumbnailUrl): string | null {
  return (isImageType(type) && thumbnailUrl({ hash, type })) || null;
}

function isImageType(type: string): type is ImageType {
  return Object.hasOwn(IMAGE_TYPES, type);
}
