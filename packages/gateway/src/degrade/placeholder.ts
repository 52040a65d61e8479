import { type Asset, type AssetStore, createIntake, type ImageRequest, type ImageType } from '@onetake/core';
import type { DiskAssets } from '../assets/disk.ts';

/** Draws what stands in when nothing else does; undefined when it could not be drawn or stored. */
export type DrawPlaceholder = (request: ImageRequest) => Promise<Asset | undefined>;

/** What was asked for is scaled down to this. */
const MAX_SIDE_PIXELS = 2048;
const USUAL_SIDE_PIXELS = 1024;
/** Sizes one process draws; who asks for more of them is shown the usual square. */
const MAX_DRAWN = 256;
/** From top to bottom: a calm grey that nobody takes for a result. */
const SHADES = [0xe4, 0xe6, 0xea, 0xd3, 0xd7, 0xde, 0xbf, 0xc5, 0xcf];

/**
 * A picture without text or motif, of the size and format asked for, at most 2048 pixels a side. It is drawn once per
 * size, off the main thread, and stored like any other, so that it can be handed over as a link.
 */
export function createPlaceholders(assets: AssetStore & Pick<DiskAssets, 'size'>): DrawPlaceholder {
  const drawn = new Map<string, Promise<Asset | undefined>>();

  async function keptOrDrawn(shape: Shape): Promise<Asset | undefined> {
    const name = `${shape.width}x${shape.height}.${shape.format}`;
    const known = await drawn.get(name);
    if (known && (await assets.size(known.hash, known.type)) !== undefined) return known;
    if (known === undefined && drawn.size >= MAX_DRAWN && name !== USUAL_NAME) return keptOrDrawn(USUAL);
    const drawing = draw(shape, assets).catch(() => undefined);
    drawn.set(name, drawing);
    return drawing;
  }

  return (request) => keptOrDrawn(shapeOf(request));
}

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly format: Extract<ImageType, 'png' | 'jpeg' | 'webp'>;
}

const USUAL: Shape = { width: USUAL_SIDE_PIXELS, height: USUAL_SIDE_PIXELS, format: 'png' };
const USUAL_NAME = `${USUAL.width}x${USUAL.height}.${USUAL.format}`;

export function shapeOf({ size, aspectRatio, outputFormat }: ImageRequest): Shape {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(size ?? '') ?? [];
  const [, across, down] = /^(\d+):(\d+)$/.exec(aspectRatio ?? '') ?? [];
  const format = outputFormat === 'jpeg' || outputFormat === 'webp' ? outputFormat : 'png';
  if (width !== undefined) return { ...fitted(Number(width), Number(height), MAX_SIDE_PIXELS), format };
  if (across === undefined) return { ...USUAL, format };
  const share = USUAL_SIDE_PIXELS / Math.max(Number(across), Number(down));
  return { ...fitted(Number(across) * share, Number(down) * share, USUAL_SIDE_PIXELS), format };
}

function fitted(width: number, height: number, most: number) {
  const share = Math.min(1, most / Math.max(width, height));
  const side = (pixels: number) => Math.max(1, Math.round(pixels * share));
  return { width: side(width), height: side(height) };
}

async function draw({ width, height, format }: Shape, assets: AssetStore): Promise<Asset | undefined> {
  // Loaded by who needs it: most gateways never draw.
  const { default: sharp } = await import('sharp');
  const raw = { width: 1, height: SHADES.length / 3, channels: 3 } as const;
  const bytes = await sharp(Uint8Array.from(SHADES), { raw })
    .resize({ width, height, fit: 'fill', kernel: 'cubic' })
    .toFormat(format)
    .toBuffer();
  const intake = createIntake(assets);
  const blob = intake.openBlob();
  await blob.write(bytes);
  const settled = await intake.settle(blob.end());
  return settled.ok ? settled.asset : undefined;
}
