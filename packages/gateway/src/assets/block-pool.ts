/** Memory that is used again: fresh memory for every piece of every picture would keep the garbage collector busy. */
export interface BlockPool {
  readonly blockBytes: number;
  /** A block with whatever it held before; made when none rests. */
  take(): Buffer;
  /** Gives back a block that nobody reads or writes any more. */
  give(block: Buffer): void;
}

/** At most `maxResting` blocks are kept for later; what is given back beyond that is let go. */
export function createBlockPool(blockBytes: number, maxResting: number): BlockPool {
  const resting: Buffer[] = [];
  return {
    blockBytes,
    take: () => resting.pop() ?? Buffer.allocUnsafeSlow(blockBytes),
    give(block) {
      if (resting.length < maxResting) resting.push(block);
    },
  };
}
