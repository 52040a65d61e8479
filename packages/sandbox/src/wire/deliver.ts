import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../faults/fault.ts';
import type { Answer } from './answer.ts';

/** A reset throws away what the kernel has not sent yet; this long it has for it. */
const FLUSH_MS = 20;

/** Sends the answer whole, or as far as `connection` lets it come. */
export async function deliver(response: ServerResponse, answer: Answer, connection?: Connection): Promise<void> {
  if (response.closed) return;
  if (connection?.at === 'before') return abandon(response, connection.how);
  const total = answer.body.reduce((sum, { length }) => sum + length, 0);
  response.writeHead(answer.status, { ...answer.headers, 'content-length': total });
  if (!connection) {
    for (const piece of answer.body) response.write(piece);
    response.end();
    return;
  }
  for (const piece of firstHalf(answer.body)) response.write(piece);
  await abandon(response, connection.how);
}

/** The first half of a body, as pieces that share its memory. */
export function firstHalf(pieces: readonly Buffer[]): Buffer[] {
  let left = Math.floor(pieces.reduce((sum, { length }) => sum + length, 0) / 2);
  const half: Buffer[] = [];
  for (const piece of pieces) {
    half.push(piece.subarray(0, left));
    left -= Math.min(left, piece.length);
  }
  return half;
}

/** Resets the connection after what was written has left, or says nothing until the caller goes away. */
export async function abandon(response: ServerResponse, how: Connection['how']): Promise<void> {
  if (how === 'reset') {
    if (response.headersSent) {
      await Promise.race([drained(response), once(response, 'close')]);
      await sleep(FLUSH_MS);
    }
    response.socket?.resetAndDestroy();
  }
  if (!response.closed) await once(response, 'close');
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.writableNeedDrain) await once(response, 'drain');
}
