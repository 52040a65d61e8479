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
 * Reads the content of a `meta` box (ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12, 6.5). The size is the `ispe` of the item
 * that `pitm` names. Without `pitm` it is the largest `ispe`: tiles and thumbnails are smaller, an alpha plane is equal.
 */
export function parseMeta(meta: Buffer): AvifMeta {
  const boxes = children(meta.subarray(4));
  const iloc = boxes.find((box) => box.type === 'iloc');
  const properties = children(only(boxes, 'iprp').content);
  const described = children(only(properties, 'ipco').content);
  if (iloc === undefined) throw damaged('AVIF has no iloc box');
  const primary = boxes.find((box) => box.type === 'pitm');
  const { width, height } = largest(
    primary ? propertiesOf(itemNamed(primary.content), properties, described) : described,
  );
  if (width === 0) throw damaged(primary ? 'AVIF has no ispe box for its primary item' : 'AVIF has no ispe box');
  const alpha = described.some(
    ({ type, content }) => type === 'auxC' && ALPHA_URNS.includes(content.toString('latin1', 4)),
  );
  return { width, height, alpha, iloc: iloc.content };
}

/** The largest `ispe` of these; no sides where there is none. */
function largest(boxes: readonly Box[]): { readonly width: number; readonly height: number } {
  let [width, height] = [0, 0];
  for (const { type, content } of boxes) {
    if (type !== 'ispe' || content.length < 12) continue;
    const [w, h] = [content.readUInt32BE(4), content.readUInt32BE(8)];
    if (w * h > width * height) [width, height] = [w, h];
  }
  return { width, height };
}

function itemNamed(pitm: Buffer): number {
  const next = numberReader(pitm, 'pitm');
  const version = next(1);
  next(3);
  return next(version === 0 ? 2 : 4);
}

/** What `ipma` associates with an item (ISO/IEC 23008-12, 9.3): places in `described`, which count from 1. */
function propertiesOf(item: number, properties: readonly Box[], described: readonly Box[]): readonly Box[] {
  const found: Box[] = [];
  for (const { content } of properties.filter(({ type }) => type === 'ipma')) {
    const next = numberReader(content, 'ipma');
    const version = next(1);
    const indexBytes = (next(3) & 1) === 1 ? 2 : 1;
    for (let entries = next(4); entries > 0; entries -= 1) {
      const isItem = next(version === 0 ? 2 : 4) === item;
      for (let left = next(1); left > 0; left -= 1) {
        const property = described[(next(indexBytes) & (indexBytes === 2 ? 0x7fff : 0x7f)) - 1];
        if (isItem && property !== undefined) found.push(property);
      }
    }
  }
  return found;
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
  const next = numberReader(iloc, 'iloc');
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
function numberReader(bytes: Buffer, box: string): (size: number) => number {
  let at = 0;
  return (size) => {
    if (at + size > bytes.length) throw damaged(`AVIF box ${box} is too short`);
    at += size;
    if (size === 0) return 0;
    if (size > 4 && size !== 8) throw damaged(`AVIF box ${box} has numbers of ${size} bytes`);
    return size === 8 ? Number(bytes.readBigUInt64BE(at - 8)) : bytes.readUIntBE(at - size, size);
  };
}
