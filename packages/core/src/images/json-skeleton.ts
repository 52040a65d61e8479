import { ScanError } from './scan-error.ts';

/** Most that may be left of an answer once its pictures are taken out. */
export const MAX_SKELETON_BYTES = 4 * 1024 * 1024;
const FIRST_BYTES = 1024;

/** Collects what stays of a JSON text, as bytes, because a character may be split between chunks. */
export class JsonSkeleton {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(chunk: Buffer, from: number, to: number): void {
    this.#reserve(to - from);
    this.#length += chunk.copy(this.#bytes, this.#length, from, to);
  }

  appendAscii(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  /** What was collected from `from` on, a character per byte. */
  latin1From(from: number): string {
    return this.#bytes.toString('latin1', from, this.#length);
  }

  cutTo(length: number): void {
    this.#length = length;
  }

  toString(): string {
    return this.#bytes.toString('utf8', 0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    if (needed > MAX_SKELETON_BYTES) {
      throw new ScanError('too_large', `the answer holds more than ${MAX_SKELETON_BYTES} bytes besides its pictures`);
    }
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
