import { extname, relative, resolve } from 'node:path';
import type { CliContext } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { type Delivered, type ImageOrder, orderImages, type Refused } from '../image-call.ts';
import {
  checkWritable,
  picturePath,
  sidecarPath,
  type VerifiedPicture,
  verifyPicture,
  writeAtomically,
} from '../picture-file.ts';
import { reachGateway } from '../reach.ts';
import { bytesText, columns, count, oneLine, priceText, secondsText } from '../text.ts';

export interface GenerateOptions extends Omit<ImageOrder, 'prompt'> {
  readonly output: string;
  readonly json?: boolean;
}

/** What stands beside a picture; it never holds a key. */
interface Sidecar {
  readonly prompt: string;
  readonly revised_prompt?: string;
  readonly model: string;
  readonly provider: string;
  readonly seed?: number;
  readonly size: string;
  readonly type: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Of the whole generation; null is unknown. */
  readonly price_usd: number | null;
  readonly price_basis?: string;
  readonly possible_charges?: number;
  readonly time_ms: number;
  readonly attempts: number;
  readonly paid_attempts: number;
  readonly generation: string;
  readonly created: string;
}

interface Written {
  readonly file: string;
  readonly sidecar: Sidecar;
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
    if (!answer.ok) return refuse(context, answer.refused, options.json === true);
    const { delivered } = answer;
    const written = await sayingWhereItIs(delivered, () => writePictures(wanted, order, delivered, timeMs));
    if (options.json)
      context.stdout.write(`${JSON.stringify({ files: written.map(jsonLine), missing: delivered.missing })}\n`);
    else report(context, wanted, written, delivered, timeMs);
    return delivered.missing.length > 0 ? EXIT.failed : EXIT.ok;
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

/** Every picture is verified before the first is written. */
async function writePictures(
  wanted: string,
  order: ImageOrder,
  delivered: Delivered,
  timeMs: number,
): Promise<readonly Written[]> {
  if (delivered.images.length === 0) throw new CliError('the answer holds no picture; no file was written');
  const pictures: VerifiedPicture[] = [];
  for (const { base64 } of delivered.images) pictures.push(await verifyPicture(base64));
  const many = (order.n ?? 1) > 1 || pictures.length > 1;
  const written: Written[] = [];
  for (const [index, picture] of pictures.entries()) {
    const file = picturePath(wanted, picture.asset.type, many ? index + 1 : undefined);
    const sidecar = sidecarOf(order, delivered, picture, index, timeMs);
    await writeAtomically(file, picture.bytes);
    await writeAtomically(sidecarPath(file), Buffer.from(`${JSON.stringify(sidecar, undefined, 2)}\n`));
    written.push({ file, sidecar });
  }
  return written;
}

/** What was paid for and cannot be written here is still at the gateway. */
async function sayingWhereItIs<Result>({ generation }: Delivered, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(`${error.message}; the gateway keeps it as generation ${generation}`);
  }
}

function sidecarOf(
  order: ImageOrder,
  delivered: Delivered,
  { asset }: VerifiedPicture,
  index: number,
  timeMs: number,
): Sidecar {
  const { revisedPrompt, seed = order.seed } = delivered.images[index] ?? {};
  return {
    prompt: order.prompt,
    ...(revisedPrompt !== undefined && { revised_prompt: revisedPrompt }),
    model: delivered.model,
    provider: delivered.provider,
    ...(seed !== undefined && { seed }),
    size: `${asset.width}x${asset.height}`,
    type: asset.type,
    bytes: asset.bytes,
    sha256: asset.hash,
    price_usd: delivered.priceUsd ?? null,
    ...(delivered.priceBasis !== undefined && { price_basis: delivered.priceBasis }),
    ...(delivered.possibleCharges > 0 && { possible_charges: delivered.possibleCharges }),
    time_ms: timeMs,
    attempts: delivered.attempts,
    paid_attempts: delivered.paidAttempts,
    generation: delivered.generation,
    created: new Date().toISOString(),
  };
}

function jsonLine({ file, sidecar }: Written) {
  return { file, ...sidecar };
}

function report(
  { cwd, stdout, stderr }: CliContext,
  wanted: string,
  written: readonly Written[],
  delivered: Delivered,
  timeMs: number,
): void {
  const files = written.map(({ file, sidecar }) => [
    relative(cwd, file) || file,
    sidecar.size,
    bytesText(sidecar.bytes),
  ]);
  const facts = [
    ['price', charges(delivered)],
    ['time', secondsText(timeMs)],
    ['attempts', `${delivered.attempts} (${delivered.paidAttempts} paid)`],
    ['model', `${delivered.provider}/${delivered.model}`],
    ['generation', delivered.generation],
  ];
  stdout.write(`${columns(files)}\n${columns(facts)}\n`);
  const [first] = written;
  const asked = extname(wanted);
  if (first && asked !== '' && extname(first.file) !== asked) {
    stderr.write(
      `note: the picture is a ${first.sidecar.type.toUpperCase()}, so the file ends in ${extname(first.file)}, not ${asked}\n`,
    );
  }
  if (delivered.missing.length > 0) stderr.write(`missing: ${count(delivered.missing.length, 'picture')}\n`);
  for (const reason of delivered.missing) stderr.write(`  ${oneLine(reason)}\n`);
}

function charges({ priceUsd, possibleCharges }: Delivered): string {
  const more = possibleCharges > 0 ? `, and ${count(possibleCharges, 'possible charge')} more` : '';
  return `${priceText(priceUsd)}${more}`;
}

function refuse({ stdout, stderr }: CliContext, refused: Refused, json: boolean): number {
  if (json) stdout.write(`${JSON.stringify(refused.body)}\n`);
  const facts = [
    ['code', refused.code],
    ['billed', refused.billed ?? ''],
    ['advice', refused.advice ?? ''],
    ['generation', refused.generation ?? ''],
  ];
  const told = facts.filter(([, value]) => value !== '').map(([name = '', value = '']) => [name, oneLine(value)]);
  stderr.write(`onetake: ${oneLine(refused.message)}\n${columns(told, '  ')}\n`);
  return EXIT.failed;
}
