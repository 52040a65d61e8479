import { constants, crc32, createDeflate, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { photoPixels, type Specimen } from './corpus.ts';

const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const MILLION = 1_000_000;

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [size, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  size.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([size, body, checksum]);
}

interface PngClaim {
  readonly width: number;
  readonly height: number;
  readonly depth?: number;
  readonly colour?: number;
}

function png({ width, height, depth = 8, colour = 2 }: PngClaim, ...chunks: readonly Buffer[]): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, depth, colour, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([PNG_SIGNATURE, chunk('IHDR', header), ...chunks, chunk('IEND', Buffer.alloc(0))]);
}

/** Zeros, compressed as they are made: a bomb must not weigh on whoever builds it. */
async function deflatedZeros(length: number): Promise<Buffer> {
  const deflate = createDeflate({ level: constants.Z_BEST_SPEED });
  const piece = Buffer.alloc(MILLION);
  const collected = Array.fromAsync(deflate);
  for (let left = length; left > 0; left -= piece.length) {
    const mayGoOn = deflate.write(piece.subarray(0, left));
    if (!mayGoOn) await new Promise((resolve) => deflate.once('drain', resolve));
  }
  deflate.end();
  return Buffer.concat(await collected);
}

async function pngBombs(): Promise<readonly Specimen[]> {
  const mono = { width: 30_000, height: 30_000, depth: 1, colour: 0 };
  const wide = { width: 5_700, height: 5_700, depth: 16, colour: 6 };
  const small = { width: 96, height: 64 };
  const rows = deflateSync(Buffer.alloc(64 * (1 + 96 * 3), 1));
  const zeros = await deflatedZeros(30_000 * (1 + 3_750));
  const profile = Buffer.concat([Buffer.from('bomb\0\0', 'latin1'), await deflatedZeros(200 * MILLION)]);
  const text = Buffer.concat([Buffer.from('Comment\0\0', 'latin1'), profile.subarray(6)]);
  const wideRows = await deflatedZeros(5_700 * (1 + 5_700 * 8));
  return [
    named('PNG of 30,000 × 30,000 zeros', png(mono, chunk('IDAT', zeros)), 'png', 'too_large'),
    named('PNG of 5,700 × 5,700 at 16 bits', png(wide, chunk('IDAT', wideRows)), 'png', 'seen', ['transparent']),
    named('PNG with more data than rows', png(small, chunk('IDAT', zeros)), 'png', 'seen', ['black', 'placeholder']),
    named(
      'PNG with less data than rows',
      png(small, chunk('IDAT', deflateSync(Buffer.alloc(999)))),
      'png',
      'undecodable',
    ),
    named('PNG whose data is a zip', png(small, chunk('IDAT', ZIP)), 'png', 'undecodable'),
    named('PNG with a profile of 200 MB', png(small, chunk('iCCP', profile), chunk('IDAT', rows)), 'png', 'seen'),
    named('PNG with a comment of 200 MB', png(small, chunk('zTXt', text), chunk('IDAT', rows)), 'png', 'seen'),
    named('PNG of 4,294,967,295 pixels a side', png(HUGE, chunk('IDAT', rows)), 'too_large'),
    named('PNG of 65,535 × 65,535', png({ width: 65_535, height: 65_535 }, chunk('IDAT', rows)), 'too_large'),
    named('PNG with a zip behind it', Buffer.concat([png(small, chunk('IDAT', rows)), ZIP]), 'damaged'),
  ];
}

const HUGE = { width: 0xffffffff, height: 0xffffffff };
/** The front of a zip archive with one stored file, and its end. */
const ZIP = Buffer.from(
  '504b03040a00000000000000000000000000000000000000000001000000' +
    '41504b050600000000000000000000000000000000000000000000',
  'hex',
);

function named(
  name: string,
  bytes: Buffer,
  verdict: Specimen['verdict'],
  look?: Specimen['look'],
  suspect?: readonly string[],
): Specimen {
  return { name, bytes, verdict, ...(look && { look }), ...(suspect && { suspect }) };
}

/** A lossless WebP of one colour spends no bits on pixels, so its header alone says how many there are. */
async function webpBomb(side: number): Promise<Buffer> {
  const background = { r: 9, g: 200, b: 90 };
  const bytes = await sharp({ create: { width: 16, height: 16, channels: 3, background } })
    .webp({ lossless: true })
    .toBuffer();
  const at = bytes.indexOf('VP8L') + 9;
  bytes.writeUInt32LE((bytes.readUInt32LE(at) & 0xf0000000) | ((side - 1) << 14) | (side - 1), at);
  return bytes;
}

/** A canvas, and as many frames of one pixel. */
function gifOfFrames(side: number, frames: number): Buffer {
  const screen = Buffer.from('47494638396100000000800000ff0000000000', 'hex');
  screen.writeUInt16LE(side, 6);
  screen.writeUInt16LE(side, 8);
  const frame = Buffer.from('21f9040401000000' + '2c00000000010001000002024401' + '00', 'hex');
  return Buffer.concat([screen, ...Array.from({ length: frames }, () => frame), Buffer.from([0x3b])]);
}

function claimJpeg(jpeg: Buffer, width: number, height: number): Buffer {
  const bytes = Buffer.from(jpeg);
  const frame = Math.max(bytes.indexOf(Buffer.from([0xff, 0xc0])), bytes.indexOf(Buffer.from([0xff, 0xc2])));
  bytes.writeUInt16BE(height, frame + 5);
  bytes.writeUInt16BE(width, frame + 7);
  return bytes;
}

/** Its last scan again and again: each is a walk over the whole picture. */
function repeatScan(jpeg: Buffer, times: number): Buffer {
  const last = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]));
  const scan = jpeg.subarray(last, -2);
  return Buffer.concat([jpeg.subarray(0, last), ...Array.from({ length: times }, () => scan), jpeg.subarray(-2)]);
}

function afterStart(jpeg: Buffer, text: string): Buffer {
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, text.length + 2]), Buffer.from(text)]);
  return Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)]);
}

const SCRIPT = '<script>fetch("http://127.0.0.1/")</script>';

function textSpecimens(): readonly Specimen[] {
  const svg = (inside: string, before = '') =>
    Buffer.from(`${before}<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">${inside}</svg>`);
  const entity = '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>';
  const laughs = `<!DOCTYPE svg [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, n) => `<!ENTITY a${n} "${`&a${n - 1};`.repeat(9)}">`).join('')}]>`;
  return [
    named('zero bytes', Buffer.alloc(0), 'empty'),
    named('a thousand zeros', Buffer.alloc(1000), 'not_an_image'),
    named('text', Buffer.from('I am sorry, I cannot draw that.'), 'not_an_image'),
    named('JSON', Buffer.from('{"error":{"message":"no"}}'), 'not_an_image'),
    named('HTML', Buffer.from('<!doctype html><html><body>busy</body></html>'), 'not_an_image'),
    named('HTML around an SVG', Buffer.from(`<html>${svg('')}</html>`), 'not_an_image'),
    named('PDF', Buffer.from('%PDF-1.7\n%âãÏÓ\n1 0 obj'), 'not_an_image'),
    named('TIFF', Buffer.from('49492a0008000000000000000000', 'hex'), 'not_an_image'),
    named('zip', ZIP, 'not_an_image'),
    named('SVG with a script', svg(SCRIPT), 'svg', 'not_looked_at'),
    named('SVG with HTML', svg('<foreignObject><p>hello</p></foreignObject>'), 'svg', 'not_looked_at'),
    named('SVG with an external entity', svg('<text>&x;</text>', entity), 'svg', 'not_looked_at'),
    named('SVG of a billion laughs', svg('<text>&a19;</text>', laughs), 'svg', 'not_looked_at'),
    named('SVG with a picture elsewhere', svg('<image href="http://127.0.0.1/a.png"/>'), 'svg', 'not_looked_at'),
  ];
}

/** A frame of `frame` pixels a side on a canvas of 10, whose data end after one pixel. */
function gifBeyond(frame: number): Buffer {
  const bytes = gifOfFrames(10, 1);
  const at = bytes.indexOf(0x2c, 19) + 5;
  bytes.writeUInt16LE(frame, at);
  bytes.writeUInt16LE(frame, at + 2);
  return bytes;
}

/** The size that an AVIF's index claims, whatever its AV1 data hold. */
function claimAvif(avif: Buffer, side: number): Buffer {
  const bytes = Buffer.from(avif);
  const at = bytes.indexOf('ispe') + 8;
  bytes.writeUInt32BE(side, at);
  bytes.writeUInt32BE(side, at + 4);
  return bytes;
}

/** A canvas of `side` around a lossless picture of 16 pixels a side. */
async function webpCanvas(side: number): Promise<Buffer> {
  const plain = await webpBomb(16);
  const extended = Buffer.concat([Buffer.from('VP8X\x0a\0\0\0\0\0\0\0', 'latin1'), Buffer.alloc(6)]);
  extended.writeUIntLE(side - 1, 12, 3);
  extended.writeUIntLE(side - 1, 15, 3);
  const bytes = Buffer.concat([plain.subarray(0, 12), extended, plain.subarray(12)]);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  return bytes;
}

/** What nobody sends in good faith, and damage that looks like it. */
export async function hostilePictures(): Promise<readonly Specimen[]> {
  const photo = sharp(photoPixels(96, 64), { raw: { width: 96, height: 64, channels: 3 } });
  const jpeg = await photo.clone().jpeg().toBuffer();
  const gif = await photo.clone().gif().toBuffer();
  const background = { r: 90, g: 120, b: 200 };
  const large = sharp({ create: { width: 2_000, height: 2_000, channels: 3, background } });
  const progressive = await large.jpeg({ progressive: true }).toBuffer();
  const avif = await large.avif({ effort: 0 }).toBuffer();
  const cut = Buffer.concat([jpeg.subarray(0, jpeg.length / 2), jpeg.subarray(-2)]);
  return [
    ...textSpecimens(),
    ...(await pngBombs()),
    named('WebP of 16,383 × 16,383', await webpBomb(16_383), 'webp', 'too_large'),
    named('WebP of 5,700 × 5,700 of one colour', await webpBomb(5_700), 'webp', 'seen', ['uniform']),
    named('GIF of 100,000 frames', gifOfFrames(1, 100_000), 'too_large'),
    named('GIF of 2,000 frames on 5,000 × 5,000', gifOfFrames(5_000, 2_000), 'gif', 'seen'),
    named('GIF of 65,535 × 65,535', gifOfFrames(65_535, 1), 'too_large'),
    named('GIF with a frame of 60,000 × 60,000', gifBeyond(60_000), 'damaged'),
    named('WebP of 16 × 16 on a canvas of 4,000', await webpCanvas(4_000), 'damaged'),
    named('AVIF that claims 8 × 8', claimAvif(avif, 8), 'avif', 'undecodable'),
    named('AVIF that claims 2,500 × 2,500', claimAvif(avif, 2_500), 'avif', 'undecodable'),
    named('AVIF that claims 4,294,967,295 × 4,294,967,295', claimAvif(avif, 0xffffffff), 'too_large'),
    named('GIF with HTML behind it', Buffer.concat([gif, Buffer.from(SCRIPT)]), 'gif', 'seen'),
    named('GIF that begins like a script', Buffer.from('GIF89a=1;alert(1)//'), 'damaged'),
    named('JPEG with PHP in a comment', afterStart(jpeg, '<?php system($_GET[0]); ?>'), 'jpeg', 'seen'),
    named('JPEG with a zip behind it', Buffer.concat([jpeg, ZIP]), 'jpeg', 'seen'),
    named('JPEG that claims 65,535 × 65,535', claimJpeg(jpeg, 65_535, 65_535), 'too_large'),
    named('JPEG that claims 30,000 × 30,000', claimJpeg(jpeg, 30_000, 30_000), 'jpeg', 'too_large'),
    named('JPEG that claims 5,000 × 5,000', claimJpeg(jpeg, 5_000, 5_000), 'jpeg', 'undecodable'),
    named('JPEG cut in the middle and ended', cut, 'jpeg', 'undecodable'),
    named('JPEG of 2,000 scans', repeatScan(progressive, 2_000), 'jpeg', 'undecodable'),
  ];
}
