import { randomBytes } from 'node:crypto';
import type { Store } from './store.ts';

const SECRET_BYTES = 32;
/** Losing to another node leaves its secret to read, so a second round is only met when cells vanish. */
const MAX_ROUNDS = 5;

/** A secret of 256 bits that is made once and kept in the cell of this key, where every node finds the same. */
export async function openSecret(
  cells: Pick<Store, 'readCell' | 'swapCell'>,
  key: string,
  randomSecret: () => string = () => randomBytes(SECRET_BYTES).toString('base64url'),
): Promise<Buffer> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const cell = await cells.readCell(key);
    if (typeof cell?.value === 'string') return Buffer.from(cell.value, 'base64url');
    const secret = randomSecret();
    if (await cells.swapCell(key, cell?.version ?? 0, secret)) return Buffer.from(secret, 'base64url');
  }
  throw new Error(`the secret "${key}" could not be written in ${MAX_ROUNDS} rounds`);
}
