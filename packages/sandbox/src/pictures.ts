import type { Format, Order, Studio } from './draw/studio.ts';
import type { PictureAct } from './faults/fault.ts';
import type { Cue } from './faults/script.ts';
import type { ImageCall } from './wire/call.ts';

/** An image request that was admitted and charged: what was asked, and what will come of it. */
export interface Job {
  readonly call: ImageCall;
  readonly model: string;
  readonly cue: Cue;
  readonly act: PictureAct;
}

/** One picture as the answer carries it. */
export interface Picture {
  readonly bytes: Buffer;
  readonly format: Format;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
}

/** How many pictures of a job are delivered. */
export function delivered({ call, act }: Pick<Job, 'call' | 'act'>): number {
  return act.fewer ? call.n - 1 : call.n;
}

/** Draws picture `index` of a job; picture 2 of a seed is picture 1 of the next. `reduction` 2 halves its sides. */
export async function makePicture(
  studio: Studio,
  { call, model, cue, act }: Job,
  index: number,
  reduction = 1,
): Promise<Picture> {
  const seed = (call.seed + index) % 2 ** 32;
  const { width, height, format } = call;
  const order: Order = {
    prompt: call.prompt,
    seed,
    model,
    width,
    height,
    format,
    transparent: call.background === 'transparent',
    quality: call.compression,
    reduction,
    ...(call.reference !== undefined && { reference: call.reference }),
  };
  if (act.drawing === 'big' && reduction === 1) {
    const { png, side } = await studio.big(cue.value ?? 0);
    return { bytes: png, format: 'png', width: side, height: side, seed };
  }
  const bytes = await draw(studio, order, act.drawing);
  return { bytes: act.spoil && reduction === 1 ? act.spoil(bytes) : bytes, format, width, height, seed };
}

function draw(studio: Studio, order: Order, drawing: PictureAct['drawing']): Promise<Buffer> {
  switch (drawing) {
    case 'black':
      return studio.draw({ ...order, black: true });
    case 'other-format':
      return studio.draw({ ...order, format: order.format === 'jpeg' ? 'png' : 'jpeg' });
    case 'other-size':
      return studio.draw({ ...order, width: Math.ceil(order.width / 2) + 1, height: Math.ceil(order.height / 2) + 1 });
    default:
      return studio.draw(order);
  }
}
