const NOTHING = Buffer.alloc(0);

/** Decodes one base64 text that arrives in pieces, in either alphabet, padded or not. */
export interface Base64Decoder {
  /**
   * The bytes that `text` completes, `last` ending it; undefined when the text so far is not base64. They are valid
   * until the scratch memory is used again.
   */
  write(text: string, last: boolean): Buffer | undefined;
}

/**
 * The native decoder passes over characters it does not know, so a result shorter than the digits promise is how
 * they are found, at no cost. It is fast only when told the alphabet, which the first piece shows. Pieces whose bytes
 * fit are decoded into `scratch`, which many decoders may share.
 */
export function createBase64Decoder(scratch: Buffer = NOTHING): Base64Decoder {
  let encoding: 'base64' | 'base64url' | undefined;
  let carry = '';
  let padding = 0;
  return {
    write(text, last) {
      const digits = withoutPadding(text);
      if (padding > 0 && digits !== '') return undefined;
      padding += text.length - digits.length;
      const total = carry.length + digits.length;
      const left = last ? 0 : total % 4;
      if (padding > 2 || (last && total % 4 === 1)) return undefined;
      if (total === left) {
        carry += digits;
        return NOTHING;
      }
      encoding ??= /[-_]/.test(digits) ? 'base64url' : 'base64';
      const borrowed = carry === '' ? 0 : Math.min(4 - carry.length, digits.length);
      const length = Math.floor(((total - left) * 3) / 4);
      const bytes = length <= scratch.length ? scratch.subarray(0, length) : Buffer.allocUnsafe(length);
      const filled = carry === '' ? 0 : bytes.write(carry + digits.slice(0, borrowed), 0, encoding);
      const written = filled + bytes.write(digits.slice(borrowed, digits.length - left), filled, encoding);
      carry = left === 0 ? '' : digits.slice(-left);
      return written === bytes.length ? bytes : undefined;
    },
  };
}

/** The bytes of a whole base64 text; undefined when it is none. */
export function decodeBase64(text: string): Buffer | undefined {
  return createBase64Decoder().write(text, true);
}

/** Whether every character of `text` may stand at the front of a base64 text. */
export function isBase64Front(text: string): boolean {
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(text);
}

/** Stops after three, because more than two are an error anyway. */
function withoutPadding(text: string): string {
  let end = text.length;
  while (end > text.length - 3 && text[end - 1] === '=') end -= 1;
  return text.slice(0, end);
}
