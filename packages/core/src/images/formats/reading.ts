import type { Asset } from '../asset.ts';

/** What the bytes of a picture say about it. */
export type Picture = Pick<Asset, 'type' | 'width' | 'height' | 'animated' | 'alpha'>;

export type Problem = 'empty' | 'not_an_image' | 'truncated' | 'damaged' | 'too_large';

/** The first thing found wrong with a picture; it ends the reading. */
export class Flaw extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, detail: string) {
    super(detail);
    this.name = 'Flaw';
    this.problem = problem;
  }
}

/**
 * Takes what it wants from the front of `piece` and returns how many bytes that was; fewer than offered means that it
 * has enough. It keeps no reference to the piece.
 */
export type Taker = (piece: Buffer) => number;

/**
 * A format told as straight-line code: it yields a taker whenever it needs bytes, and is resumed when the taker has
 * enough or the bytes have ended. However the bytes arrive, none but a header is held.
 */
export type Reading<Result = void> = Generator<Taker, Result, void>;

/** The next `length` bytes, or as many as were left. */
export function* takeUpTo(length: number): Reading<Buffer> {
  const held = Buffer.allocUnsafe(length);
  let filled = 0;
  yield (piece) => {
    const taken = piece.copy(held, filled, 0, length - filled);
    filled += taken;
    return taken;
  };
  return held.subarray(0, filled);
}

/** The next `length` bytes; `what` names them when they are missing. */
export function* take(length: number, what: string): Reading<Buffer> {
  const bytes = yield* takeUpTo(length);
  if (bytes.length < length) throw truncated(what);
  return bytes;
}

/** Passes over `length` bytes, showing each piece of them to `visit`. */
export function* skip(length: number, what: string, visit?: (piece: Buffer) => void): Reading {
  let left = length;
  yield (piece) => {
    const taken = Math.min(left, piece.length);
    if (visit !== undefined && taken > 0) visit(piece.subarray(0, taken));
    left -= taken;
    return taken;
  };
  if (left > 0) throw truncated(what);
}

/** Passes over everything that is left; returns how many bytes that were. */
export function* skipRest(): Reading<number> {
  let passed = 0;
  yield (piece) => {
    passed += piece.length;
    return piece.length;
  };
  return passed;
}

/** Insists that the picture ends here. */
export function* expectEnd(after: string): Reading {
  yield () => {
    throw new Flaw('damaged', `bytes follow ${after}, which must be the last`);
  };
}

export function truncated(what: string): Flaw {
  return new Flaw('truncated', `the bytes end in ${what}`);
}

export function damaged(detail: string): Flaw {
  return new Flaw('damaged', detail);
}

/** Four ASCII letters that name a chunk or a box. */
export function fourLetters(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, at + 4);
}
