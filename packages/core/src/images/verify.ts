import { asBuffer } from './drain.ts';
import { readAvif } from './formats/avif.ts';
import { readGif } from './formats/gif.ts';
import { readJpeg } from './formats/jpeg.ts';
import { readPng } from './formats/png.ts';
import { Flaw, type Picture, type Problem, type Reading } from './formats/reading.ts';
import { MAX_SVG_BYTES, readSvg } from './formats/svg.ts';
import { readWebp } from './formats/webp.ts';

/** Sides beyond this are no picture but an attack on whoever decodes it. */
export const MAX_SIDE_PIXELS = 65_535;
export const MAX_PICTURE_PIXELS = 1_000_000_000;
/** Segments, chunks and blocks, each read in one or a few: 64 MiB in pieces of 1 KiB are fewer, an attack is some 0.1 s of work. */
export const MAX_PARTS = 400_000;

export type Verdict =
  | ({ readonly ok: true } & Picture)
  | { readonly ok: false; readonly problem: Problem; readonly detail: string };

/** Reads one picture as it passes by and says in the end whether it is whole. Never throws, never holds the picture. */
export interface Verifier {
  write(chunk: Uint8Array): void;
  /** May be called once, after the last byte. */
  end(): Verdict;
}

/** A tag is up to four; drawings of a million tags are made by tracing photographs. */
const MAX_SVG_PARTS = 4_000_000;

/** Enough for every signature: `RIFF….WEBP` and `….ftyp` are the longest. */
const SIGNATURE_BYTES = 12;

/**
 * Checks magic bytes and structure to the last byte: PNG with every CRC, JPEG, WebP, GIF, SVG and AVIF. Compressed data
 * is not decoded, so damage inside it shows only where the format has checksums.
 */
export function createVerifier(): Verifier {
  const signature = Buffer.alloc(SIGNATURE_BYTES);
  let received = 0;
  let reader: Reader | undefined;
  let flaw: Flaw | undefined;
  const attempt = (read: () => void) => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof Flaw)) throw error;
      flaw = error;
    }
  };
  const start = (): Reader => {
    const head = signature.subarray(0, received);
    const begun = createReader(head);
    begun.write(head);
    return begun;
  };

  return {
    write(chunk) {
      const bytes = asBuffer(chunk);
      const copied = received < SIGNATURE_BYTES ? bytes.copy(signature, received) : 0;
      received += copied;
      if (flaw !== undefined || received < SIGNATURE_BYTES) return;
      attempt(() => {
        reader ??= start();
        reader.write(bytes.subarray(copied));
      });
    },
    end() {
      if (received === 0) return { ok: false, problem: 'empty', detail: 'there are no bytes' };
      let picture: Picture | undefined;
      if (flaw === undefined) {
        attempt(() => {
          picture = withinBounds((reader ?? start()).end());
        });
      }
      if (picture !== undefined) return { ok: true, ...picture };
      return { ok: false, problem: flaw?.problem ?? 'damaged', detail: flaw?.message ?? 'the picture does not end' };
    },
  };
}

interface Reader {
  write(bytes: Buffer): void;
  end(): Picture;
}

/** Drives the format that the picture's first bytes promise. */
function createReader(head: Buffer): Reader {
  const format = FORMATS.find((one) => one.matches(head));
  if (format === undefined) throw new Flaw('not_an_image', `no picture begins with ${describe(head)}`);
  const { maxBytes = Number.POSITIVE_INFINITY, maxParts = MAX_PARTS } = format;
  const reading = format.read();
  let step = reading.next();
  let received = 0;
  let parts = 0;
  return {
    write(bytes) {
      received += bytes.length;
      if (received > maxBytes) throw new Flaw('too_large', `the picture is larger than the ${maxBytes} bytes allowed`);
      for (let at = 0; at < bytes.length && step.done !== true; ) {
        const left = at === 0 ? bytes : bytes.subarray(at);
        const taken = step.value(left);
        at += taken;
        if (taken === left.length) continue;
        parts += 1;
        if (parts > maxParts) throw new Flaw('too_large', `the picture is in more than the ${maxParts} parts allowed`);
        step = reading.next();
      }
    },
    end() {
      while (step.done !== true) step = reading.next();
      return step.value;
    },
  };
}

interface Format {
  readonly matches: (head: Buffer) => boolean;
  readonly read: () => Reading<Picture>;
  readonly maxBytes?: number;
  /** Default `MAX_PARTS`. */
  readonly maxParts?: number;
}

const FORMATS: readonly Format[] = [
  { matches: has(0, '\x89PNG\r\n\x1a\n'), read: readPng },
  { matches: has(0, '\xff\xd8\xff'), read: readJpeg },
  { matches: (head) => has(0, 'RIFF')(head) && has(8, 'WEBP')(head), read: readWebp },
  { matches: (head) => has(0, 'GIF87a')(head) || has(0, 'GIF89a')(head), read: readGif },
  { matches: has(4, 'ftyp'), read: readAvif },
  { matches: beginsLikeMarkup, read: readSvg, maxBytes: MAX_SVG_BYTES, maxParts: MAX_SVG_PARTS },
];

function has(at: number, letters: string): (head: Buffer) => boolean {
  return (head) => head.toString('latin1', at, at + letters.length) === letters;
}

/** A tag, after a byte order mark and space; space alone may still be followed by one. */
function beginsLikeMarkup(head: Buffer): boolean {
  return /^(\xef\xbb\xbf)?\s*(<|$)/.test(head.toString('latin1'));
}

function describe(head: Buffer): string {
  const hex = head.toString('hex', 0, 8).replace(/..(?=.)/g, '$& ');
  return /^\s*[[{]/.test(head.toString('latin1')) ? `${hex} (JSON?)` : hex;
}

function withinBounds(picture: Picture): Picture {
  const { width, height } = picture;
  if (!(width >= 1 && height >= 1)) throw new Flaw('damaged', `the picture measures ${width} × ${height} pixels`);
  if (width > MAX_SIDE_PIXELS || height > MAX_SIDE_PIXELS || width * height > MAX_PICTURE_PIXELS) {
    const allowed = `${MAX_SIDE_PIXELS} per side and ${MAX_PICTURE_PIXELS} together are allowed`;
    throw new Flaw('too_large', `the picture measures ${width} × ${height} pixels; ${allowed}`);
  }
  return picture;
}
