import { randomBytes } from 'node:crypto';
import { encodeJpeg } from './jpeg.ts';
import { encodePng, noisePng } from './png.ts';
import { rasterize } from './rasterize.ts';
import { type Brief, composeScene } from './scene.ts';
import { plain, type Scene } from './shapes.ts';
import { runInSlices } from './slices.ts';
import { encodeSvg } from './svg.ts';
import { encodeWebp } from './webp.ts';

export type Format = 'png' | 'jpeg' | 'webp' | 'svg';

export interface Order extends Brief {
  readonly format: Format;
  /** JPEG quality, 1 to 100; other formats ignore it. */
  readonly quality: number;
  /** 1 draws the picture itself, 4 a preview of a quarter of its width and height. */
  readonly reduction: number;
  /** Uniform black instead of a scene. */
  readonly black?: true;
}

export interface BigPicture {
  readonly png: Buffer;
  /** Its width, which is also its height. */
  readonly side: number;
}

export interface Studio {
  draw(order: Order): Promise<Buffer>;
  /** A valid PNG of about `megabytes` million bytes; the last size asked for is kept. */
  big(megabytes: number): Promise<BigPicture>;
}

const CACHE_BYTES = 64 * 1024 * 1024;
const NOISE_BYTES = 1024 * 1024;

/** Draws one picture at a time, so that memory holds one raster whatever is asked for, and keeps the latest. */
export function createStudio(): Studio {
  const cache = createCache(CACHE_BYTES);
  const takeTurn = createTurns();
  let lastBig: { megabytes: number; picture: Promise<BigPicture> } | undefined;
  return {
    draw(order) {
      const key = JSON.stringify(order);
      return takeTurn(async () => cache.get(key) ?? cache.put(key, await drawPicture(order)));
    },
    big(megabytes) {
      if (lastBig?.megabytes !== megabytes) {
        lastBig = { megabytes, picture: takeTurn(() => noisePng(megabytes * 1e6, randomBytes(NOISE_BYTES))) };
      }
      return lastBig.picture;
    },
  };
}

async function drawPicture(order: Order): Promise<Buffer> {
  const scene = order.black ? blackScene(order) : composeScene(order);
  if (order.format === 'svg') return encodeSvg(scene);
  const canvas = await runInSlices(rasterize(scene, Math.max(1, Math.round(order.width / order.reduction))));
  if (order.format === 'jpeg') return runInSlices(encodeJpeg(canvas, order.quality));
  if (order.format === 'webp') return runInSlices(encodeWebp(canvas, order.transparent));
  return encodePng(canvas, order.transparent);
}

function blackScene({ width, height }: Order): Scene {
  return { width, height, shapes: [{ kind: 'box', x: 0, y: 0, width, height, paint: plain(0) }] };
}

/** Runs one piece of work after the other, in the order in which they were asked for. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

interface Cache {
  get(key: string): Buffer | undefined;
  put(key: string, bytes: Buffer): Buffer;
}

/** Keeps the most recently used pictures up to `limitBytes` together. */
function createCache(limitBytes: number): Cache {
  const kept = new Map<string, Buffer>();
  let size = 0;
  return {
    get(key) {
      const found = kept.get(key);
      if (found) {
        kept.delete(key);
        kept.set(key, found);
      }
      return found;
    },
    put(key, bytes) {
      kept.set(key, bytes);
      size += bytes.length;
      for (const [oldest, { length }] of kept) {
        if (size <= limitBytes) break;
        kept.delete(oldest);
        size -= length;
      }
      return bytes;
    },
  };
}
