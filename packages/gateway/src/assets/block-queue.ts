import { type BlockPool, createBlockPool } from './block-pool.ts';

/** Written at once, and all that a queue holds: nothing is gathered while a block is being written. */
const BLOCK_BYTES = 256 * 1024;
const MAX_RESTING_BLOCKS = 64;

const shared = createBlockPool(BLOCK_BYTES, MAX_RESTING_BLOCKS);

/** Gathers chunks into blocks and writes one block after the other. */
export interface BlockQueue {
  /** Takes a copy; returns a promise where the writer of chunks should wait. Rejects with what an earlier write met. */
  add(chunk: Uint8Array): void | Promise<void>;
  /** Writes what is left, and nothing where nothing was added. */
  flush(): Promise<void>;
  /** Waits for the write under way, whatever becomes of it, and drops the rest. */
  drop(): Promise<void>;
}

export function createBlockQueue(write: (block: Uint8Array) => Promise<void>, pool: BlockPool = shared): BlockQueue {
  const { blockBytes } = pool;
  /** Full, in order. More than one only where a single chunk filled them. */
  const waiting: Buffer[] = [];
  let gathering: Buffer | undefined;
  let gathered = 0;
  /** Stays when it failed, for whoever waits next. */
  let writing: Promise<void> | undefined;

  function gather(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      gathering ??= pool.take();
      const piece = chunk.subarray(at, at + blockBytes - gathered);
      gathering.set(piece, gathered);
      gathered += piece.length;
      at += piece.length;
      if (gathered === blockBytes) waiting.push(detach(gathering));
    }
  }

  function detach(block: Buffer): Buffer {
    gathering = undefined;
    gathered = 0;
    return block;
  }

  async function writeWaiting(): Promise<void> {
    for (let block = waiting.shift(); block !== undefined; block = waiting.shift()) {
      await write(block);
      pool.give(block);
    }
    writing = undefined;
  }

  return {
    add(chunk) {
      gather(chunk);
      if (waiting.length > 0 && writing === undefined) {
        writing = writeWaiting();
        writing.catch(() => {});
      }
      return writing;
    },

    async flush() {
      await writing;
      if (gathering === undefined) return;
      await write(gathering.subarray(0, gathered));
      pool.give(detach(gathering));
    },

    async drop() {
      await writing?.catch(() => {});
      for (const block of waiting.splice(0)) pool.give(block);
      if (gathering !== undefined) pool.give(detach(gathering));
    },
  };
}
