import sharp, { type Sharp } from 'sharp';
import { photoPixels, type Specimen } from './corpus.ts';

const [WIDTH, HEIGHT] = [96, 64];

function photo(width = WIDTH, height = HEIGHT): Sharp {
  return sharp(photoPixels(width, height), { raw: { width, height, channels: 3 } });
}

function flat(colour: string, alpha = 1): Sharp {
  const background = { ...COLOURS[colour as keyof typeof COLOURS], alpha };
  return sharp({ create: { width: WIDTH, height: HEIGHT, channels: 4, background } });
}

const COLOURS = { black: { r: 0, g: 0, b: 0 }, beige: { r: 220, g: 210, b: 180 }, white: { r: 255, g: 255, b: 255 } };

type Colour = readonly [red: number, green: number, blue: number, opacity?: number];

/** Pixel by pixel: SVG, with which this would be shorter, is shut off in the process. */
function draw(colour: (x: number, y: number) => Colour): Promise<Buffer> {
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 4);
  for (let place = 0; place < WIDTH * HEIGHT; place += 1) {
    const [red, green, blue, opacity = 255] = colour(place % WIDTH, Math.floor(place / WIDTH));
    pixels.set([red, green, blue, opacity], place * 4);
  }
  return sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 4 } })
    .png()
    .toBuffer();
}

const [BLACK, WHITE, NOTHING]: readonly [Colour, Colour, Colour] = [
  [0, 0, 0],
  [255, 255, 255],
  [0, 0, 0, 0],
];
const STARS: ReadonlySet<string> = new Set(['10,12', '47,30', '48,30', '77,21']);

/** Sky above, roofs below, and a lit window here and there. */
function night(x: number, y: number): Colour {
  if (y < 30) return BLACK;
  return x % 23 < 2 && y % 11 < 2 ? [255, 216, 144] : [10, 12, 20];
}

/** From one beige to another, 8 of 255 darker. */
function fog(x: number): Colour {
  const step = Math.floor((8 * x) / WIDTH);
  return [220 - step, 210 - step, 180 - step];
}

function isInside(x: number, y: number, radius: number): boolean {
  return (x - WIDTH / 2) ** 2 + (y - HEIGHT / 2) ** 2 < radius ** 2;
}

async function animation(format: 'gif' | 'webp'): Promise<Buffer> {
  const frames = await Promise.all(['black', 'beige', 'white'].map((colour) => flat(colour).png().toBuffer()));
  return sharp(frames, { join: { animated: true } })
    [format]()
    .toBuffer();
}

/** What anybody may send in good faith, one for each format and for each oddity of one. */
export async function wholePictures(): Promise<readonly Specimen[]> {
  const is = { width: WIDTH, height: HEIGHT, animated: false };
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}"><circle r="9"/></svg>`;
  const made: readonly (readonly [string, Specimen['verdict'], Promise<Buffer>, Partial<Specimen>?])[] = [
    ['PNG', 'png', photo().png().toBuffer()],
    ['JPEG', 'jpeg', photo().jpeg().toBuffer()],
    ['WebP', 'webp', photo().webp().toBuffer()],
    ['WebP, lossless', 'webp', photo().webp({ lossless: true }).toBuffer()],
    ['GIF', 'gif', photo().gif().toBuffer()],
    ['AVIF', 'avif', photo().avif({ effort: 0 }).toBuffer()],
    ['SVG', 'svg', Promise.resolve(Buffer.from(drawing)), { look: 'not_looked_at' }],
    ['PNG of 16 bits', 'png', photo().toColourspace('rgb16').png().toBuffer()],
    ['PNG with a palette', 'png', photo().png({ palette: true }).toBuffer()],
    ['PNG, interlaced', 'png', photo().png({ progressive: true }).toBuffer()],
    ['PNG in grey', 'png', photo().greyscale().toColourspace('b-w').png().toBuffer()],
    ['JPEG, progressive', 'jpeg', photo().jpeg({ progressive: true }).toBuffer()],
    ['JPEG in CMYK', 'jpeg', photo().toColourspace('cmyk').jpeg().toBuffer()],
    ['JPEG, turned by EXIF', 'jpeg', photo().withMetadata({ orientation: 6 }).jpeg().toBuffer()],
    ['JPEG with a wide profile', 'jpeg', photo().withIccProfile('p3').jpeg().toBuffer()],
    ['GIF, animated from black', 'gif', animation('gif'), { is: { animated: true } }],
    ['WebP, animated from black', 'webp', animation('webp'), { is: { animated: true } }],
    ['AVIF with alpha', 'avif', flat('beige', 0.5).avif({ effort: 0 }).toBuffer(), { suspect: ['uniform'] }],
    ['black', 'jpeg', flat('black').jpeg().toBuffer(), { suspect: ['black', 'placeholder'] }],
    ['one colour', 'webp', flat('beige').webp().toBuffer(), { suspect: ['uniform'] }],
    ['nothing visible', 'png', flat('black', 0).png().toBuffer(), { suspect: ['transparent'] }],
    ['a night', 'png', draw(night)],
    ['three stars', 'png', draw((x, y) => (STARS.has(`${x},${y}`) ? WHITE : BLACK))],
    ['a white icon on nothing', 'png', draw((x, y) => (isInside(x, y, 16) ? WHITE : NOTHING))],
    ['a black icon on nothing', 'png', draw((x, y) => (isInside(x, y, 16) ? BLACK : NOTHING))],
    ['a flat logo', 'png', draw((x, y) => (isInside(x, y, 9) ? [221, 34, 34] : WHITE))],
    ['a small grey mark on white', 'png', draw((x, y) => (isInside(x, y, 2) ? [136, 136, 136] : WHITE))],
    ['fog', 'png', draw(fog)],
    // Luma of both: 0.2126 × 255 = 0.7152 × 76 as far as bytes can say.
    ['red and green of one luma', 'png', draw((x) => (x < WIDTH / 2 ? [255, 0, 0] : [0, 76, 0]))],
  ];
  return Promise.all(
    made.map(async ([name, verdict, bytes, more = {}]) => {
      const size = { ...is, ...more.is };
      return { name, verdict, bytes: await bytes, look: 'seen', ...more, is: size };
    }),
  );
}
