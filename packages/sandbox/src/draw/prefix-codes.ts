/** Collects bits, lowest first, as VP8L wants them; grows as needed. */
export interface BitWriter {
  write(value: number, length: number): void;
  bytes(): Buffer;
}

export function createBitWriter(capacity: number): BitWriter {
  let buffer = Buffer.allocUnsafe(Math.max(1024, capacity));
  let size = 0;
  let pending = 0;
  let pendingBits = 0;
  const push = (byte: number) => {
    if (size === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
    buffer[size++] = byte;
  };
  return {
    write(value, length) {
      pending |= value << pendingBits;
      pendingBits += length;
      for (; pendingBits >= 8; pendingBits -= 8, pending >>>= 8) push(pending & 0xff);
    },
    bytes() {
      if (pendingBits > 0) push(pending & 0xff);
      pendingBits = 0;
      return buffer.subarray(0, size);
    },
  };
}

const MAX_LENGTH = 15;

/** Huffman code lengths of at most 15 bits for symbols that occur `counts` times; 0 for a symbol that does not occur. */
export function codeLengths(counts: Uint32Array): Uint8Array {
  for (let least = 1; ; least *= 2) {
    const lengths = treeDepths(counts, least);
    if (lengths.every((length) => length <= MAX_LENGTH)) return lengths;
  }
}

interface Node {
  readonly count: number;
  readonly symbols: readonly number[];
}

/** Depths of a Huffman tree in which no count is below `least`: raising it flattens the tree. */
function treeDepths(counts: Uint32Array, least: number): Uint8Array {
  const depths = new Uint8Array(counts.length);
  const open: Node[] = [];
  counts.forEach((count, symbol) => {
    if (count > 0) open.push({ count: Math.max(count, least), symbols: [symbol] });
  });
  while (open.length > 1) {
    open.sort((one, other) => other.count - one.count);
    const [one, other] = [open.pop(), open.pop()];
    if (!one || !other) break;
    const symbols = [...one.symbols, ...other.symbols];
    for (const symbol of symbols) depths[symbol] = (depths[symbol] ?? 0) + 1;
    open.push({ count: one.count + other.count, symbols });
  }
  return depths;
}

/** Canonical codes for `lengths`, their bits reversed because the highest bit is sent first. */
export function canonicalCodes(lengths: Uint8Array): Uint16Array {
  const codes = new Uint16Array(lengths.length);
  let code = 0;
  for (let length = 1; length <= MAX_LENGTH; length++) {
    lengths.forEach((own, symbol) => {
      if (own === length) codes[symbol] = reversed(code++, length);
    });
    code <<= 1;
  }
  return codes;
}

function reversed(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit++) result |= ((code >> bit) & 1) << (length - 1 - bit);
  return result;
}
