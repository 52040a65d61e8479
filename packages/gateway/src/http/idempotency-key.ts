import { RequestProblem } from './problem.ts';

/**
 * An `Idempotency-Key`, bare or as the quoted string of draft-ietf-httpapi-idempotency-key-header: 1 to 255 printable
 * ASCII characters.
 */
export function readIdempotencyKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const text = String(header);
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text)?.[1];
  const key = quoted === undefined ? text : quoted.replaceAll(/\\(["\\])/g, '$1');
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  const message = `Idempotency-Key: ${key.length} characters are not 1 to 255 printable ASCII characters; send a UUID, for example`;
  throw new RequestProblem(400, 'invalid_value', message, { param: 'Idempotency-Key' });
}
