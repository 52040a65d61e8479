import { furthestByte, parseMeta } from './avif-meta.ts';
import {
  damaged,
  Flaw,
  fourLetters,
  type Picture,
  type Reading,
  skip,
  skipRest,
  take,
  takeUpTo,
  truncated,
} from './reading.ts';

/** The index of an AVIF is some hundred bytes; a grid of tiles some thousand. */
const MAX_INDEX_BYTES = 1024 * 1024;
const MAX_BRANDS_BYTES = 4096;

/**
 * ISO/IEC 14496-12 boxes to the last byte, and AVIF 1.1 inside: the brand, the size from `meta`, and every byte range
 * that `iloc` names lies within the picture, which tells of a cut between two boxes. Sides are those before rotation.
 */
export function* readAvif(): Reading<Picture> {
  const start = yield* boxStart();
  if (start?.type !== 'ftyp') throw damaged('AVIF does not begin with an ftyp box');
  const animated = yield* readBrands(start.length);
  let end = start.headerBytes + start.length;
  let meta: Buffer | undefined;
  let hasData = false;
  for (let box = yield* boxStart(); box !== undefined; box = yield* boxStart()) {
    hasData ||= box.type === 'mdat';
    if (box.type === 'meta' && meta === undefined) {
      if (box.length > MAX_INDEX_BYTES) throw damaged(`AVIF box meta claims ${box.length} bytes`);
      meta = yield* take(box.length, 'AVIF box meta');
      end += box.headerBytes + box.length;
    } else {
      end += box.headerBytes + (yield* passBox(box));
    }
  }
  if (meta === undefined) throw truncated('AVIF, before its meta box');
  const { width, height, alpha, iloc } = parseMeta(meta);
  if (furthestByte(iloc) > end || (animated && !hasData)) throw truncated('AVIF picture data');
  return { type: 'avif', width, height, animated, alpha };
}

interface BoxStart {
  readonly type: string;
  readonly headerBytes: number;
  /** Bytes after the header; infinite for a box that reaches to the end. */
  readonly length: number;
}

/** Undefined when the picture ends here. */
function* boxStart(): Reading<BoxStart | undefined> {
  const start = yield* takeUpTo(8);
  if (start.length === 0) return undefined;
  if (start.length < 8) throw truncated('an AVIF box header');
  const type = fourLetters(start, 4).replace(/[^ -~]/g, '?');
  const short = start.readUInt32BE(0);
  if (short === 0) return { type, headerBytes: 8, length: Number.POSITIVE_INFINITY };
  const headerBytes = short === 1 ? 16 : 8;
  const size = short === 1 ? Number((yield* take(8, 'an AVIF box header')).readBigUInt64BE(0)) : short;
  if (size < headerBytes) throw damaged(`AVIF box ${type} has an impossible length`);
  return { type, headerBytes, length: size - headerBytes };
}

function* passBox(box: BoxStart): Reading<number> {
  if (box.length === Number.POSITIVE_INFINITY) return yield* skipRest();
  yield* skip(box.length, `AVIF box ${box.type}`);
  return box.length;
}

/** Returns whether the major brand is a sequence; `avis` among the compatible brands only says that one is inside. */
function* readBrands(length: number): Reading<boolean> {
  if (length < 8 || length > MAX_BRANDS_BYTES) throw damaged('AVIF box ftyp has an impossible length');
  const brands = yield* take(length, 'AVIF box ftyp');
  const major = fourLetters(brands, 0);
  const all = [major];
  for (let at = 8; at + 4 <= length; at += 4) all.push(fourLetters(brands, at));
  if (!all.includes('avif') && !all.includes('avis')) {
    throw new Flaw('not_an_image', 'ISO media file of another brand than AVIF, such as HEIC or MP4');
  }
  return major === 'avis';
}
