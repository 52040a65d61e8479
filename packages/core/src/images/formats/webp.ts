import { damaged, expectEnd, fourLetters, type Picture, type Reading, skip, take } from './reading.ts';

type Header = Pick<Picture, 'width' | 'height' | 'alpha'>;

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** Bytes at the front of each kind of first chunk that tell the picture's size. */
const HEADER_BYTES: Readonly<Record<string, number>> = { 'VP8 ': 10, VP8L: 5, VP8X: 10 };
const FRAME_HEADER_BYTES = 16;
/** A frame's own header and the chunk header inside it. */
const MIN_FRAME_BYTES = FRAME_HEADER_BYTES + CHUNK_HEADER_BYTES;

/** RFC 9649: the RIFF size, the walk over padded chunks, the size from VP8, VP8L or VP8X; nothing may follow. */
export function* readWebp(): Reading<Picture> {
  const riff = yield* take(RIFF_HEADER_BYTES, 'the RIFF header');
  let left = riff.readUInt32LE(4) - 4;
  let header: Header | undefined;
  const seen = new Set<string>();
  while (left > 0) {
    const { type, size } = yield* chunkStart();
    const padded = size + (size % 2);
    left -= CHUNK_HEADER_BYTES + padded;
    if (left < 0) throw damaged(`WebP chunk ${type} is larger than the picture`);
    if (type === 'ANMF' && size < MIN_FRAME_BYTES) throw damaged('WebP frame is too short');
    let read = 0;
    if (header === undefined) {
      header = yield* readFirst(type, size);
      read = HEADER_BYTES[type] ?? 0;
    } else if (type === 'ANMF') {
      yield* checkFrame(header);
      read = FRAME_HEADER_BYTES;
    } else if (isStill(type) && seen.has('VP8X') && !seen.has('ANIM')) {
      checkSize(yield* readFirst(type, size), header);
      read = HEADER_BYTES[type] ?? 0;
    }
    yield* skip(padded - read, `WebP chunk ${type}`);
    seen.add(type);
  }
  if (header === undefined) throw damaged('WebP has no chunks');
  const animated = seen.has('ANIM');
  if (!(animated ? seen.has('ANMF') : [...seen].some(isStill))) throw damaged('WebP has no picture data');
  yield* expectEnd('the RIFF data');
  return { type: 'webp', ...header, animated };
}

function isStill(type: string): boolean {
  return type === 'VP8 ' || type === 'VP8L';
}

/** A canvas around a still picture is as large as the picture: libwebp opens no other. */
function checkSize({ width, height }: Header, canvas: Header): void {
  if (width === canvas.width && height === canvas.height) return;
  throw damaged(`WebP picture of ${width} × ${height} is on a canvas of ${canvas.width} × ${canvas.height}`);
}

/** RFC 9649, 2.7.1.1: halves of the offsets and the sides less one; a frame has to lie within the canvas. */
function* checkFrame(canvas: Header): Reading {
  const frame = yield* take(FRAME_HEADER_BYTES, 'a WebP frame header');
  const right = 2 * frame.readUIntLE(0, 3) + frame.readUIntLE(6, 3) + 1;
  const bottom = 2 * frame.readUIntLE(3, 3) + frame.readUIntLE(9, 3) + 1;
  if (right <= canvas.width && bottom <= canvas.height) return;
  throw damaged(`WebP frame reaches to ${right} × ${bottom} on a canvas of ${canvas.width} × ${canvas.height}`);
}

function* chunkStart(): Reading<{ type: string; size: number }> {
  const start = yield* take(CHUNK_HEADER_BYTES, 'a WebP chunk header');
  return { type: fourLetters(start, 0).replace(/[^ -~]/g, '?'), size: start.readUInt32LE(4) };
}

function* readFirst(type: string, size: number): Reading<Header> {
  const length = HEADER_BYTES[type];
  if (length === undefined || size < length) throw damaged(`WebP cannot begin with ${size} bytes of ${type}`);
  const bytes = yield* take(length, `WebP chunk ${type}`);
  if (type === 'VP8X') return extendedHeader(bytes);
  return type === 'VP8L' ? losslessHeader(bytes) : lossyHeader(bytes, size);
}

/** RFC 6386, 9.1: a key frame's tag, start code and 14-bit sides. */
function lossyHeader(bytes: Buffer, size: number): Header {
  const tag = bytes.readUIntLE(0, 3);
  const isKeyFrame = (tag & 1) === 0;
  if (!isKeyFrame || bytes.readUIntBE(3, 3) !== 0x9d012a) throw damaged('WebP lossy data is not a key frame');
  if (tag >> 5 > size - bytes.length) throw damaged('WebP lossy data is shorter than its first partition');
  return { width: bytes.readUInt16LE(6) & 0x3fff, height: bytes.readUInt16LE(8) & 0x3fff, alpha: false };
}

/** RFC 9649, 3.4: signature, two 14-bit sides less one, the alpha hint and a version of 0. */
function losslessHeader(bytes: Buffer): Header {
  const bits = bytes.readUInt32LE(1);
  if (bytes[0] !== 0x2f || bits >>> 29 !== 0) throw damaged('WebP lossless data has the wrong signature');
  return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1, alpha: ((bits >> 28) & 1) === 1 };
}

/** RFC 9649, 2.7: flags and two 24-bit sides less one. */
function extendedHeader(bytes: Buffer): Header {
  const alpha = ((bytes[0] ?? 0) & 0x10) !== 0;
  return { width: bytes.readUIntLE(4, 3) + 1, height: bytes.readUIntLE(7, 3) + 1, alpha };
}
