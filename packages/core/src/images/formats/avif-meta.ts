import { damaged, fourLetters } from './reading.ts';

/** Largest number of items that `iloc` may list; a grid of tiles has a few hundred. */
const MAX_ITEMS = 65_536;

/** What `auxC` says of an alpha plane: MIAF's name for it, and HEIF's older one. */
const ALPHA_URNS = ['urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0', 'urn:mpeg:hevc:2015:auxid:1\0'];

export interface AvifMeta {
  readonly width: number;
  readonly height: number;
  readonly alpha: boolean;
  readonly iloc: Buffer;
}

/**
 * Reads the content of a `meta` box (ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12, 6.5). Of several `ispe` the largest is
 * the picture's: tiles of a grid and thumbnails are smaller, an alpha plane is equal.
 */
export function parseMeta(meta: Buffer): AvifMeta {
  const boxes = children(meta.subarray(4));
  const iloc = boxes.find((box) => box.type === 'iloc');
  const properties = children(only(boxes, 'iprp').content);
  const described = children(only(properties, 'ipco').content);
  if (iloc === undefined) throw damaged('AVIF has no iloc box');
  let [width, height] = [0, 0];
  for (const { type, content } of described) {
    if (type !== 'ispe' || content.length < 12) continue;
    const [w, h] = [content.readUInt32BE(4), content.readUInt32BE(8)];
    if (w * h > width * height) [width, height] = [w, h];
  }
  if (width === 0) throw damaged('AVIF has no ispe box');
  const alpha = described.some(
    ({ type, content }) => type === 'auxC' && ALPHA_URNS.includes(content.toString('latin1', 4)),
  );
  return { width, height, alpha, iloc: iloc.content };
}

interface Box {
  readonly type: string;
  readonly content: Buffer;
}

function children(bytes: Buffer): readonly Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = at + 8 <= bytes.length ? bytes.readUInt32BE(at) : 0;
    if (size < 8 || at + size > bytes.length) throw damaged('AVIF box inside meta has an impossible length');
    boxes.push({ type: fourLetters(bytes, at + 4), content: bytes.subarray(at + 8, at + size) });
    at += size;
  }
  return boxes;
}

function only(boxes: readonly Box[], type: string): Box {
  const found = boxes.find((box) => box.type === type);
  if (found === undefined) throw damaged(`AVIF has no ${type} box`);
  return found;
}

/** The end of the last byte range that lies in the file itself (ISO/IEC 14496-12, 8.11.3: `iloc` versions 0 to 2). */
export function furthestByte(iloc: Buffer): number {
  const next = numberReader(iloc);
  const version = next(1);
  next(3);
  const sizes = next(2);
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = version > 0 ? sizes & 15 : 0;
  const items = next(version < 2 ? 2 : 4);
  if (items > MAX_ITEMS) throw damaged(`AVIF lists ${items} items`);
  let furthest = 0;
  for (let item = 0; item < items; item += 1) {
    next(version < 2 ? 2 : 4);
    const inFile = version === 0 || (next(2) & 15) === 0;
    next(2);
    const from = next(baseBytes);
    const extents = next(2);
    if (extents > 1 && offsetBytes + lengthBytes === 0) throw damaged('AVIF item has several ranges without places');
    for (let extent = 0; extent < extents; extent += 1) {
      next(indexBytes);
      const end = from + next(offsetBytes) + next(lengthBytes);
      if (inFile) furthest = Math.max(furthest, end);
    }
  }
  return furthest;
}

/** Reads big-endian numbers of 0 to 8 bytes one after the other; no bytes are the number 0. */
function numberReader(bytes: Buffer): (size: number) => number {
  let at = 0;
  return (size) => {
    if (at + size > bytes.length) throw damaged('AVIF box iloc is too short');
    at += size;
    if (size === 0) return 0;
    if (size > 4 && size !== 8) throw damaged(`AVIF box iloc has numbers of ${size} bytes`);
    return size === 8 ? Number(bytes.readBigUInt64BE(at - 8)) : bytes.readUIntBE(at - size, size);
  };
}
