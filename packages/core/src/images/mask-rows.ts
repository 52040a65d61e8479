/** Why a mask cannot be read; its message says what to do. */
export class MaskError extends Error {
  override readonly name = 'MaskError';
}

/** A PNG as its header and chunks describe it. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  /** The tRNS chunk: an alpha per palette entry, or the one sample that is transparent. */
  readonly transparency: Buffer | undefined;
  /** The compressed rows, in pieces. */
  readonly data: readonly Buffer[];
}

const GREY = 0;
const RGB = 2;
const PALETTE = 3;
const GREY_ALPHA = 4;
const RGB_ALPHA = 6;
/** Samples per pixel by colour type: PNG third edition, table 11.1. */
const CHANNELS: Readonly<Record<number, number>> = {
  [GREY]: 1,
  [RGB]: 3,
  [PALETTE]: 1,
  [GREY_ALPHA]: 2,
  [RGB_ALPHA]: 4,
};
const SIGNATURE_BYTES = 8;

/** Reads the chunks of a PNG that was verified when it was stored. Throws a `MaskError` for one that marks nothing or is interlaced. */
export function readLayout(png: Buffer): Layout {
  const data: Buffer[] = [];
  let header: Buffer | undefined;
  let transparency: Buffer | undefined;
  for (let at = SIGNATURE_BYTES; at + 12 <= png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') header = body;
    if (type === 'tRNS') transparency = body;
    if (type === 'IDAT') data.push(body);
    at += 12 + length;
  }
  if (header === undefined || header.length < 13) throw new MaskError('it is not a whole PNG; save it again');
  const [depth = 0, colour = 0, , , interlace] = header.subarray(8);
  if (interlace !== 0) throw new MaskError('the PNG is interlaced; save it without interlacing');
  if (CHANNELS[colour] === undefined) throw new MaskError(`PNG colour type ${colour} does not exist`);
  if (colour !== GREY_ALPHA && colour !== RGB_ALPHA && transparency === undefined)
    throw new MaskError('the PNG has no transparency; make transparent what is to be changed, and save it as RGBA');
  return { width: header.readUInt32BE(0), height: header.readUInt32BE(4), depth, colour, transparency, data };
}

/** Bytes of a row without its filter byte. */
export function rowBytesOf({ width, depth, colour }: Layout): number {
  return Math.ceil((width * depth * (CHANNELS[colour] ?? 1)) / 8);
}

/** Undoes the filter that a row's first byte names: PNG third edition, section 9. */
export function unfilter(row: Buffer, above: Buffer, { depth, colour }: Layout): void {
  const step = Math.max(1, (depth * (CHANNELS[colour] ?? 1)) >> 3);
  const filter = row[0] ?? 0;
  if (filter > 4) throw new MaskError(`its data is damaged (row filter ${filter}); save it again`);
  UNFILTERS[filter]?.(row, above, step);
}

type Unfilter = (row: Buffer, above: Buffer, step: number) => void;

const UNFILTERS: readonly Unfilter[] = [
  () => {},
  (row, _above, step) => {
    for (let at = 1 + step; at < row.length; at += 1) row[at] = byteAt(row, at) + byteAt(row, at - step);
  },
  (row, above) => {
    for (let at = 1; at < row.length; at += 1) row[at] = byteAt(row, at) + byteAt(above, at);
  },
  (row, above, step) => {
    for (let at = 1; at < row.length; at += 1) {
      const left = at > step ? byteAt(row, at - step) : 0;
      row[at] = byteAt(row, at) + ((left + byteAt(above, at)) >> 1);
    }
  },
  (row, above, step) => {
    for (let at = 1; at < row.length; at += 1) {
      const inside = at > step;
      const left = inside ? byteAt(row, at - step) : 0;
      const corner = inside ? byteAt(above, at - step) : 0;
      row[at] = byteAt(row, at) + paeth(left, byteAt(above, at), corner);
    }
  },
];

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const byLeft = Math.abs(estimate - left);
  const byUp = Math.abs(estimate - up);
  const byCorner = Math.abs(estimate - corner);
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}

/** The alpha, 0 to 255, of pixel `x` in an unfiltered row. */
export function alphaReader({
  depth,
  colour,
  transparency = Buffer.alloc(0),
}: Layout): (row: Buffer, x: number) => number {
  const bytes = depth === 16 ? 2 : 1;
  if (colour === RGB_ALPHA || colour === GREY_ALPHA) {
    const step = (CHANNELS[colour] ?? 1) * bytes;
    const at = step - bytes;
    if (depth === 8) return (row, x) => byteAt(row, x * step + at);
    // 65535 / 255 is 257.
    return (row, x) => Math.round(((byteAt(row, x * step + at) << 8) | byteAt(row, x * step + at + 1)) / 257);
  }
  if (colour === PALETTE) {
    const alphas = Uint8Array.from({ length: 256 }, (_, index) => transparency[index] ?? 255);
    return (row, x) => alphas[sampleAt(row, x, depth)] ?? 255;
  }
  const channels = CHANNELS[colour] ?? 1;
  const keys = Array.from({ length: channels }, (_, channel) => keyOf(transparency, channel, depth));
  return (row, x) => (keys.every((key, channel) => sampleAt(row, x * channels + channel, depth) === key) ? 0 : 255);
}

/** "If the image bit depth is less than 16 bits, the least significant bits are used": PNG third edition, 11.3.1.1. */
function keyOf(transparency: Buffer, channel: number, depth: number): number {
  if (transparency.length < channel * 2 + 2) throw new MaskError('its tRNS chunk is too short; save it as RGBA');
  return transparency.readUInt16BE(channel * 2) & (2 ** depth - 1);
}

/** The sample at `index`, where a row is a list of samples of `depth` bits. */
function sampleAt(row: Buffer, index: number, depth: number): number {
  if (depth === 8) return byteAt(row, index);
  if (depth === 16) return (byteAt(row, index * 2) << 8) | byteAt(row, index * 2 + 1);
  const bit = index * depth;
  return (byteAt(row, bit >> 3) >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}
