import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const AT_ONCE = 8;
const PIECE_BYTES = 256 * 1024;

/**
 * CPU microseconds that writing and syncing one file of `bytes` costs here by itself, kernel included: the floor under
 * a gateway that stores pictures. On virtual machines it is several times higher for page-cache pages never used before.
 */
export async function measureWriting(bytes: number, files: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'onetake-writing-'));
  const piece = Buffer.alloc(Math.min(PIECE_BYTES, bytes), 7);
  const writeOne = async (number: number) => {
    const file = await open(join(directory, String(number)), 'w');
    for (let at = 0; at < bytes; at += piece.length) await file.write(piece, 0, Math.min(piece.length, bytes - at));
    await file.datasync();
    await file.close();
  };
  const before = process.cpuUsage();
  for (let number = 0; number < files; number += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => writeOne(number + index)));
  }
  const { user, system } = process.cpuUsage(before);
  await rm(directory, { recursive: true });
  return (user + system) / files;
}
