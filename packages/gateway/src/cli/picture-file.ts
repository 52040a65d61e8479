import { randomBytes } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { type Asset, createIntake, createMemoryAssets, IMAGE_TYPES, type ImageType } from '@onetake/core';
import { CliError, codeOf, EXIT, messageOf } from './exit.ts';

/** A picture that was checked to the last byte. */
export interface VerifiedPicture {
  readonly asset: Asset;
  readonly bytes: Buffer;
}

const MAX_PICTURE_BYTES = 512 * 1024 ** 2;

/** Decodes and verifies one picture of an answer; throws when it does not open. */
export async function verifyPicture(base64: string): Promise<VerifiedPicture> {
  const limits = { maxBlobBytes: MAX_PICTURE_BYTES };
  const intake = createIntake(createMemoryAssets({ maxBytes: MAX_PICTURE_BYTES }), limits);
  const bytes = Buffer.from(base64, 'base64');
  const blob = intake.openBlob();
  await blob.write(bytes);
  const settled = await intake.settle(blob.end());
  if (settled.ok) return { asset: settled.asset, bytes };
  throw new CliError(`the picture arrived damaged: ${settled.detail}; nothing was written`);
}

/** Fails, before anything is paid, when no file could be written there. */
export function checkWritable(path: string): void {
  const directory = dirname(path);
  try {
    if (!statSync(directory).isDirectory()) throw new CliError(`${directory} is not a directory`, EXIT.usage);
    accessSync(directory, constants.W_OK);
  } catch (error) {
    throw error instanceof CliError ? error : new CliError(writeFault(path, error), EXIT.usage);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new CliError(`${path} is a directory; -o takes the name of a file`, EXIT.usage);
}

/** `fox.png` for a JPEG is `fox.jpg`; of several pictures the second is `fox-2.jpg`. `number` counts from 1. */
export function picturePath(wanted: string, type: ImageType, number?: number): string {
  const asked = extname(wanted);
  const { extension } = IMAGE_TYPES[type];
  const fits = asked.toLowerCase() === `.${extension}` || (type === 'jpeg' && asked.toLowerCase() === '.jpeg');
  const stem = join(dirname(wanted), basename(wanted, asked));
  return `${stem}${number === undefined ? '' : `-${number}`}${fits ? asked : `.${extension}`}`;
}

/** The JSON beside a picture: `fox.json` for `fox.png`. */
export function sidecarPath(picture: string): string {
  return join(dirname(picture), `${basename(picture, extname(picture))}.json`);
}

/** Writes beside the file, makes it durable, then gives it its name: there is never half a file under that name. */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.part`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw new CliError(writeFault(path, error));
  }
}

/** Makes the new name itself durable, where the file system can. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

function writeFault(path: string, error: unknown): string {
  const directory = dirname(path);
  switch (codeOf(error)) {
    case 'ENOENT':
      return `${directory} does not exist; make the directory or choose another -o`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${directory} may not be written by this user; choose another -o`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `the disk of ${directory} is full; free space or choose another -o`;
    default:
      return `${path} could not be written: ${messageOf(error)}`;
  }
}
