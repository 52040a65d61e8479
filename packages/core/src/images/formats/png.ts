import { crc32 } from 'node:zlib';
import { damaged, expectEnd, fourLetters, type Picture, type Reading, skip, take } from './reading.ts';

const SIGNATURE_BYTES = 8;
/** "Chunk length … must not exceed 2^31-1", PNG third edition, 5.3. */
const MAX_CHUNK_BYTES = 2 ** 31 - 1;

/** Bit depths that each colour type allows: PNG third edition, table 11.1. */
const BIT_DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const PALETTE_COLOUR = 3;
const CRITICAL = new Set(['PLTE', 'IDAT', 'IEND']);

/**
 * PNG third edition, sections 5 and 11: every chunk's length and CRC, IHDR first, IDAT together, IEND last. Nothing may
 * follow IEND: no encoder appends anything, so bytes there mean that two answers ran into each other.
 */
export function* readPng(): Reading<Picture> {
  yield* skip(SIGNATURE_BYTES, 'the PNG signature');
  const { width, height, colour } = yield* readHeader();
  const seen = new Set<string>();
  let previous = 'IHDR';
  while (previous !== 'IEND') {
    const { type, length, crc } = yield* chunkStart();
    checkOrder(type, length, previous, seen);
    yield* chunkData(type, length, crc);
    seen.add(type);
    previous = type;
  }
  if (colour === PALETTE_COLOUR && !seen.has('PLTE')) throw damaged('PNG with palette colour has no PLTE chunk');
  yield* expectEnd('the IEND chunk');
  const alpha = colour === 4 || colour === 6 || seen.has('tRNS');
  return { type: 'png', width, height, animated: seen.has('acTL'), alpha };
}

function* readHeader(): Reading<{ width: number; height: number; colour: number }> {
  const { type, length, crc } = yield* chunkStart();
  if (type !== 'IHDR' || length !== 13) throw damaged('PNG does not begin with an IHDR chunk of 13 bytes');
  const header = yield* take(length, 'PNG chunk IHDR');
  yield* checkCrc(type, crc32(header, crc));
  const [depth = 0, colour = 0, compression, filter, interlace = 0] = header.subarray(8);
  if (!BIT_DEPTHS[colour]?.includes(depth))
    throw damaged(`PNG colour type ${colour} with ${depth} bits does not exist`);
  if (compression !== 0 || filter !== 0 || interlace > 1) throw damaged('PNG uses a method that does not exist');
  return { width: header.readUInt32BE(0), height: header.readUInt32BE(4), colour };
}

function* chunkStart(): Reading<{ type: string; length: number; crc: number }> {
  const start = yield* take(8, 'a PNG chunk header');
  const type = fourLetters(start, 4);
  const length = start.readUInt32BE(0);
  if (!/^[A-Za-z]{4}$/.test(type)) throw damaged('PNG chunk name is not four letters');
  if (length > MAX_CHUNK_BYTES) throw damaged(`PNG chunk ${type} claims ${length} bytes`);
  return { type, length, crc: crc32(start.subarray(4)) };
}

function* chunkData(type: string, length: number, crc: number): Reading {
  let sum = crc;
  yield* skip(length, `PNG chunk ${type}`, (piece) => {
    sum = crc32(piece, sum);
  });
  yield* checkCrc(type, sum);
}

function* checkCrc(type: string, crc: number): Reading {
  const stored = yield* take(4, `PNG chunk ${type}`);
  if (stored.readUInt32BE(0) !== crc) throw damaged(`PNG chunk ${type} fails its CRC`);
}

function checkOrder(type: string, length: number, previous: string, seen: ReadonlySet<string>): void {
  const critical = /^[A-Z]/.test(type);
  if (critical && !CRITICAL.has(type)) throw damaged(`PNG critical chunk ${type} is unknown or repeated`);
  if (type === 'IDAT' && seen.has('IDAT') && previous !== 'IDAT') throw damaged('PNG data chunks are not together');
  if (type === 'IEND' && !seen.has('IDAT')) throw damaged('PNG has no data chunk');
  if (type === 'IEND' && length !== 0) throw damaged('PNG chunk IEND is not empty');
}
