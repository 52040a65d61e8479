import { ownPath, type Picture } from '../../api/gallery.ts';

/** Browsers drop downloads that begin at the same moment. */
const BETWEEN_MS = 200;
const WORDS = 6;

/** `a-red-fox-in-the-snow-1a2b3c4d.png`. */
export function fileName({ prompt, hash, type }: Pick<Picture, 'prompt' | 'hash' | 'type'>): string {
  const words = prompt
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .slice(0, WORDS);
  return `${[...words, hash.slice(0, 8)].join('-')}.${type === 'jpeg' ? 'jpg' : type}`;
}

/** Saves them one after the other. */
export async function downloadAll(pictures: readonly Picture[]): Promise<void> {
  for (const picture of pictures) {
    const link = document.createElement('a');
    link.href = ownPath(picture.url);
    link.download = fileName(picture);
    link.click();
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
}
