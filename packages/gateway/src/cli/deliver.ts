import { extname, relative } from 'node:path';
import type { CliContext } from './context.ts';
import { type Effective, readEffective } from './effective.ts';
import { CliError, EXIT } from './exit.ts';
import type { Delivered, Refused } from './image-call.ts';
import { picturePath, sidecarPath, type VerifiedPicture, verifyPicture, writeAtomically } from './picture-file.ts';
import type { Reached } from './reach.ts';
import { type Ordered, type Sidecar, sidecarOf } from './sidecar.ts';
import { bytesText, columns, count, oneLine, priceText, secondsText } from './text.ts';

/** An answer and where its pictures go. */
export interface Delivery {
  readonly wanted: string;
  readonly order: Ordered & { readonly n?: number };
  readonly answer:
    | { readonly ok: true; readonly delivered: Delivered }
    | { readonly ok: false; readonly refused: Refused };
  readonly timeMs: number;
  readonly json: boolean;
}

/** Writes what came, each picture with its sidecar, and says so; or says why nothing came. Returns the exit code. */
export async function deliver(context: CliContext, gateway: Reached, delivery: Delivery): Promise<number> {
  const { wanted, answer, timeMs, json } = delivery;
  if (!answer.ok) return refuse(context, answer.refused, json);
  const { delivered } = answer;
  const effective = await readEffective(gateway, delivered.generation, context.signal);
  const written = await sayingWhereItIs(delivered, () => writePictures(delivery, delivered, effective));
  if (json) context.stdout.write(`${JSON.stringify({ files: written.map(jsonLine), missing: delivered.missing })}\n`);
  else report(context, wanted, written, delivered, timeMs);
  return delivered.missing.length > 0 ? EXIT.failed : EXIT.ok;
}

interface Written {
  readonly file: string;
  readonly sidecar: Sidecar;
}

/** Every picture is verified before the first is written. */
async function writePictures(
  { wanted, order, timeMs }: Delivery,
  delivered: Delivered,
  effective: readonly (Effective | undefined)[],
): Promise<readonly Written[]> {
  if (delivered.images.length === 0) throw new CliError('the answer holds no picture; no file was written');
  const pictures: VerifiedPicture[] = [];
  for (const { base64 } of delivered.images) pictures.push(await verifyPicture(base64));
  const many = (order.n ?? 1) > 1 || pictures.length > 1;
  const written: Written[] = [];
  for (const [index, picture] of pictures.entries()) {
    const file = picturePath(wanted, picture.asset.type, many ? index + 1 : undefined);
    const sidecar = sidecarOf(order, delivered, picture, index, timeMs, effective[index]);
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
