import { extname, resolve } from 'node:path';
import type { CliContext } from '../context.ts';
import { deliver } from '../deliver.ts';
import { type ImageOrder, orderImages } from '../image-call.ts';
import { checkWritable } from '../picture-file.ts';
import { reachGateway } from '../reach.ts';

export interface GenerateOptions extends Omit<ImageOrder, 'prompt'> {
  readonly output: string;
  readonly json?: boolean;
}

/** Orders pictures and writes each as a verified file with a sidecar; writes nothing when there is none. */
export async function generate(context: CliContext, prompt: string, options: GenerateOptions): Promise<number> {
  const { cwd, stderr, signal } = context;
  const wanted = resolve(cwd, options.output);
  checkWritable(wanted);
  const order = orderOf(context, prompt, options);
  const gateway = await reachGateway(context);
  try {
    stderr.write(gateway.own ? 'generating…\n' : `generating through ${gateway.url}…\n`);
    const startedAt = performance.now();
    const answer = await orderImages(gateway, order, signal);
    const timeMs = Math.round(performance.now() - startedAt);
    return await deliver(context, gateway, { wanted, order, answer, timeMs, json: options.json === true });
  } finally {
    await gateway.close();
  }
}

function orderOf({ cwd }: CliContext, prompt: string, options: GenerateOptions): ImageOrder {
  const { output, json: _json, images, ...rest } = options;
  const format = options.format ?? formatOf(output);
  return {
    ...rest,
    prompt,
    ...(format !== undefined && { format }),
    ...(images !== undefined && { images: images.map((path) => resolve(cwd, path)) }),
  };
}

/** Providers send PNG unless asked, so `fox.png` asks for nothing. */
function formatOf(output: string): 'jpeg' | 'webp' | undefined {
  const extension = extname(output).toLowerCase();
  if (extension === '.jpg' || extension === '.jpeg') return 'jpeg';
  return extension === '.webp' ? 'webp' : undefined;
}
