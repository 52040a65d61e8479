import type { Asset, AssetStore, Io } from '@onetake/core';
import { confineLibvips, type Decoded, type DecodeWork, decodeBytes, gather, unseen } from './decoding.ts';

export interface DecoderOptions {
  readonly assets: Pick<AssetStore, 'read'>;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** Pictures decoded at the same time, each on a thread of libuv's pool of four that files need too. Default 2. */
  readonly concurrency?: number;
  /** Pictures that wait for a thread; more are `busy`. Default 100. */
  readonly maxWaiting?: number;
  /** Width times height; larger ones are `too_large` and never decoded. Default 33,554,432, which is 8192 × 4096; of AVIF a quarter. */
  readonly maxPixels?: number;
  /** Default 64 MiB, as much as an intake takes. */
  readonly maxBytes?: number;
  /** From the call to its answer, waiting and reading included. Default 4,000. */
  readonly timeoutMs?: number;
}

/** The one door to libvips: few at a time, bounded in pixels, bytes and time. */
export interface Decoder {
  /** Always answers within the time limit and never rejects. */
  decode<Result>(asset: Asset, work: DecodeWork<Result>): Promise<Decoded<Result>>;
  /** Being read or decoded; one that is late counts until libvips lets go of it. */
  readonly running: number;
  readonly waiting: number;
}

const DEFAULTS = {
  concurrency: 2,
  maxWaiting: 100,
  maxPixels: 2 ** 25,
  maxBytes: 64 * 1024 * 1024,
  timeoutMs: 4_000,
} as const;

/** libheif holds an AVIF whole and several times over, 17 bytes a pixel; the others pass in strips or as 4 bytes a pixel. */
const AVIF_SHARE = 1 / 4;

type Stage = 'waiting' | 'reading' | 'decoding' | 'ended';

/**
 * Decodes pictures off the main thread. SVG is not among them: rendering it would follow references and run filters.
 * A picture that is late is answered for and keeps its thread until libvips lets go of it, so that more are never busy.
 */
export function createDecoder(options: DecoderOptions): Decoder {
  const settings = { ...DEFAULTS, ...options };
  const { assets, io, concurrency, maxWaiting, maxPixels, timeoutMs } = settings;
  confineLibvips();
  const line: (() => void)[] = [];
  let running = 0;

  function release(): void {
    running -= 1;
    line.shift()?.();
  }

  function begin<Result>(asset: Asset, work: DecodeWork<Result>): Promise<Decoded<Result>> {
    const { promise, resolve } = Promise.withResolvers<Decoded<Result>>();
    let stage: Stage = 'waiting';
    const hasEnded = () => stage === 'ended';

    async function perform(): Promise<void> {
      running += 1;
      stage = 'reading';
      const bytes = await gather(assets, asset, hasEnded);
      if (hasEnded()) return;
      if (!Buffer.isBuffer(bytes)) return end({ ok: false, ...bytes });
      stage = 'decoding';
      end(await decodeBytes(bytes, asset.type, work, { maxPixels: pixelBound(asset.type, maxPixels), timeoutMs }));
    }

    function end(decoded: Decoded<Result>): void {
      stage = 'ended';
      stop();
      resolve(decoded);
      release();
    }

    function giveUp(): void {
      const place = line.indexOf(start);
      if (place >= 0) {
        line.splice(place, 1);
        resolve({ ok: false, ...unseen('busy', `no thread was free within ${timeoutMs} ms`) });
      } else {
        const late = { ok: false, ...unseen('timeout', `it was not decoded within ${timeoutMs} ms`) } as const;
        if (stage === 'reading') end(late);
        else resolve(late);
      }
    }

    const start = () => void perform();
    const stop = io.timer(io.now() + timeoutMs, giveUp);
    if (running < concurrency) start();
    else line.push(start);
    return promise;
  }

  return {
    get running() {
      return running;
    },
    get waiting() {
      return line.length;
    },
    async decode(asset, work) {
      const refused = outOfBounds(asset, settings);
      if (refused !== undefined) return { ok: false, ...refused };
      if (running < concurrency || line.length < maxWaiting) return begin(asset, work);
      return { ok: false, ...unseen('busy', `${line.length} pictures wait to be decoded already`) };
    },
  };
}

function outOfBounds(asset: Asset, bounds: { readonly maxPixels: number; readonly maxBytes: number }) {
  const { type, width, height, bytes } = asset;
  if (type === 'svg') return unseen('not_looked_at', 'SVG is never rendered here');
  const maxPixels = pixelBound(type, bounds.maxPixels);
  if (width * height > maxPixels) {
    return unseen('too_large', `${width} × ${height} are more than the ${maxPixels} pixels that are decoded`);
  }
  if (bytes <= bounds.maxBytes) return undefined;
  return unseen('too_large', `${bytes} bytes are more than the ${bounds.maxBytes} that are decoded`);
}

function pixelBound(type: Asset['type'], maxPixels: number): number {
  return type === 'avif' ? Math.floor(maxPixels * AVIF_SHARE) : maxPixels;
}
