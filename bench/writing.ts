import { open } from 'node:fs/promises';
import { join } from 'node:path';

const AT_ONCE = 8;
const PIECE_BYTES = 256 * 1024;

/**
 * CPU microseconds that writing and syncing one file of `bytes` costs here by itself, kernel included: the floor under
 * a gateway that stores pictures. The files stay, as pictures do: on virtual machines, page-cache pages that were
 * never used before cost several times what used ones do.
 */
export async function measureWriting(directory: string, bytes: number, files: number): Promise<number> {
  const piece = Buffer.alloc(Math.min(PIECE_BYTES, bytes), 7);
  const writeOne = async (number: number) => {
    const file = await open(join(directory, `${bytes}-${number}`), 'w');
    for (let at = 0; at < bytes; at += piece.length) await file.write(piece, 0, Math.min(piece.length, bytes - at));
    await file.datasync();
    await file.close();
  };
  const before = process.cpuUsage();
  for (let number = 0; number < files; number += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => writeOne(number + index)));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / files;
}
