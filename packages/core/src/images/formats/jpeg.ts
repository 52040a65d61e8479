import { damaged, type Picture, type Reading, skip, skipRest, take, truncated } from './reading.ts';

const SOI_BYTES = 2;
const EOI = 0xd9;
const SOS = 0xda;
const BASELINE = 0xc0;
/** Baseline, extended, progressive, and the two arithmetic ones: the processes that decoders in use open. */
const OPENABLE_FRAMES = new Set([0xc0, 0xc1, 0xc2, 0xc9, 0xca]);
const COMMENT = 0xfe;
/** `JPG` of T.81, table B.1. */
const RESERVED_FRAME = 0xc8;
/** DHT, JPG and DAC lie in the middle of the frame markers. */
const NOT_FRAMES = new Set([0xc4, 0xc8, 0xcc]);

/**
 * ITU-T T.81, annex B: the walk over segments and scans from SOI to EOI. Bytes after EOI are tolerated: gain maps and
 * depth maps (CIPA DC-007) stand there, some encoders pad, and every decoder stops at EOI.
 */
export function* readJpeg(): Reading<Picture> {
  yield* skip(SOI_BYTES, 'the JPEG signature');
  let size: Size | undefined;
  let scans = 0;
  let marker = yield* nextMarker();
  while (marker !== EOI) {
    if (!hasSegment(marker)) throw damaged(`JPEG marker ${hex(marker)} is out of place`);
    const length = (yield* take(2, `JPEG segment ${hex(marker)}`)).readUInt16BE(0) - 2;
    if (length < 0) throw damaged(`JPEG segment ${hex(marker)} has an impossible length`);
    if (isFrame(marker)) size = yield* readFrame(marker, length, size);
    else yield* skip(length, `JPEG segment ${hex(marker)}`);
    if (marker === SOS) {
      if (size === undefined) throw damaged('JPEG scan comes before the frame header');
      scans += 1;
      marker = yield* passScan();
    } else {
      marker = yield* nextMarker();
    }
  }
  if (size === undefined || scans === 0) throw damaged('JPEG ends before its first scan');
  yield* skipRest();
  return { type: 'jpeg', ...size, animated: false, alpha: false };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Reads a marker, which any number of 0xFF fill bytes may precede (B.1.1.2). */
function* nextMarker(): Reading<number> {
  let code = (yield* take(2, 'a JPEG marker')).readUInt16BE(0);
  if (code >> 8 !== 0xff) throw damaged('JPEG segment is not followed by a marker');
  code &= 0xff;
  if (code !== 0xff) return code;
  let marker: number | undefined;
  yield (piece) => {
    if (marker !== undefined) return 0;
    const at = piece.findIndex((byte) => byte !== 0xff);
    marker = piece[at];
    return at < 0 ? piece.length : at + 1;
  };
  if (marker === undefined) throw truncated('a JPEG marker');
  return marker;
}

/** Passes over entropy-coded data, its stuffed 0xFF00 and its restart markers; returns the marker that ends it. */
function* passScan(): Reading<number> {
  let marker: number | undefined;
  let afterFF = false;
  yield (piece) => {
    let at = 0;
    while (marker === undefined && at < piece.length) {
      if (afterFF) {
        const code = piece[at] ?? 0;
        at += 1;
        afterFF = code === 0xff;
        if (!afterFF && code !== 0 && !isRestart(code)) marker = code;
      } else {
        const next = piece.indexOf(0xff, at);
        if (next < 0) return piece.length;
        at = next + 1;
        afterFF = true;
      }
    }
    return at;
  };
  if (marker === undefined) throw truncated('a JPEG scan');
  return marker;
}

function* readFrame(marker: number, length: number, before: Size | undefined): Reading<Size> {
  if (before !== undefined) throw damaged('JPEG has two frame headers');
  if (!OPENABLE_FRAMES.has(marker))
    throw damaged(`JPEG coding process ${hex(marker)} is one that decoders do not open`);
  const frame = yield* take(length, 'the JPEG frame header');
  const precision = frame[0] ?? 0;
  if (precision !== 8 && (precision !== 12 || marker === BASELINE)) {
    throw damaged(`JPEG samples of ${precision} bits do not exist in coding process ${hex(marker)}`);
  }
  const components = frame[5] ?? 0;
  if (components === 0 || length !== 6 + 3 * components) throw damaged('JPEG frame header has the wrong length');
  return { height: frame.readUInt16BE(1), width: frame.readUInt16BE(3) };
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && !NOT_FRAMES.has(marker);
}

function isRestart(marker: number): boolean {
  return marker >= 0xd0 && marker <= 0xd7;
}

/**
 * Frames, tables, scans, application data and comments: what may stand between SOI and EOI. What T.81 reserves, and what
 * only hierarchical pictures have, no decoder passes over: it stands for coding that it does not know.
 */
function hasSegment(marker: number): boolean {
  if (marker === COMMENT || (marker >= 0xe0 && marker <= 0xef)) return true;
  return marker >= 0xc0 && marker <= 0xdd && !isRestart(marker) && marker !== 0xd8 && marker !== RESERVED_FRAME;
}

function hex(marker: number): string {
  return `FF${marker.toString(16).toUpperCase().padStart(2, '0')}`;
}
