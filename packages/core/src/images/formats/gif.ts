import { damaged, type Picture, type Reading, skip, skipRest, take, truncated } from './reading.ts';

const SCREEN_BYTES = 13;
const EXTENSION = 0x21;
const GRAPHIC_CONTROL = 0xf9;
const IMAGE = 0x2c;
const TRAILER = 0x3b;

/**
 * GIF89a: header, logical screen, blocks to the trailer. Bytes after the trailer are tolerated, because old encoders
 * pad and every decoder stops there.
 */
export function* readGif(): Reading<Picture> {
  const screen = yield* take(SCREEN_BYTES, 'the GIF logical screen');
  yield* skip(colourTableBytes(screen[10] ?? 0), 'the GIF colour table');
  const canvas = { width: screen.readUInt16LE(6), height: screen.readUInt16LE(8) };
  let images = 0;
  let alpha = false;
  let block = yield* oneByte('a GIF block');
  while (block !== TRAILER) {
    if (block === EXTENSION) {
      if (yield* readExtension()) alpha = true;
    } else if (block === IMAGE) {
      yield* passImage(canvas);
      images += 1;
    } else {
      throw damaged(`GIF block 0x${block.toString(16)} does not exist`);
    }
    block = yield* oneByte('a GIF block');
  }
  if (images === 0) throw damaged('GIF has no image');
  yield* skipRest();
  return { type: 'gif', ...canvas, animated: images > 1, alpha };
}

/** Returns whether it is a graphic control with the transparency flag. */
function* readExtension(): Reading<boolean> {
  if ((yield* oneByte('a GIF extension')) !== GRAPHIC_CONTROL) {
    yield* passSubBlocks();
    return false;
  }
  const control = yield* take(6, 'a GIF graphic control');
  if (control[0] !== 4 || control[5] !== 0) throw damaged('GIF graphic control has the wrong length');
  return ((control[1] ?? 0) & 1) === 1;
}

/** A frame has to lie within the canvas (GIF89a, 20); a decoder that lets one grow it pays for what it claims. */
function* passImage(canvas: Pick<Picture, 'width' | 'height'>): Reading {
  const descriptor = yield* take(9, 'a GIF image descriptor');
  const right = descriptor.readUInt16LE(0) + descriptor.readUInt16LE(4);
  const bottom = descriptor.readUInt16LE(2) + descriptor.readUInt16LE(6);
  if (right > canvas.width || bottom > canvas.height) {
    throw damaged(`GIF frame reaches to ${right} × ${bottom} on a canvas of ${canvas.width} × ${canvas.height}`);
  }
  yield* skip(colourTableBytes(descriptor[8] ?? 0), 'a GIF colour table');
  const codeBits = yield* oneByte('GIF image data');
  if (codeBits < 1 || codeBits > 11) throw damaged(`GIF code size of ${codeBits} bits does not exist`);
  if ((yield* passSubBlocks()) === 0) throw damaged('GIF image has no data');
}

/** Passes over the sub-blocks up to their empty terminator in one taker; returns the data bytes in them. */
function* passSubBlocks(): Reading<number> {
  let left = 0;
  let passed = 0;
  let ended = false;
  yield (piece) => {
    let at = 0;
    while (!ended && at < piece.length) {
      if (left === 0) {
        left = piece[at] ?? 0;
        passed += left;
        ended = left === 0;
        at += 1;
      }
      const taken = Math.min(left, piece.length - at);
      left -= taken;
      at += taken;
    }
    return at;
  };
  if (!ended) throw truncated('GIF data');
  return passed;
}

function* oneByte(what: string): Reading<number> {
  return (yield* take(1, what)).readUInt8(0);
}

function colourTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}
