/**
 * A provider's answer that cannot be read to its end.
 *
 * - `truncated`: the bytes ended inside a value.
 * - `malformed`: it is not JSON, or a large base64 string in it holds something else.
 * - `too_large`: a bound was passed; the message names it.
 */
export class ScanError extends Error {
  readonly reason: 'truncated' | 'malformed' | 'too_large';

  constructor(reason: ScanError['reason'], message: string) {
    super(message);
    this.name = 'ScanError';
    this.reason = reason;
  }
}
